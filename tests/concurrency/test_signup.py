"""Sixteen threads at once: one winner for each code, link and address, and no guess beyond the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.crypto.opaque import digest
from idp.domain.email_address import EmailAddress
from idp.domain.throttle import Allowed
from idp.services.account import password, signup
from idp.services.account.mailed_code import CodeExhausted, WrongCode
from idp.services.account.password import LinkGone, Reset
from idp.services.account.signup import (
    AddressTaken,
    AlreadyProven,
    Begun,
    Details,
    Gone,
    Proven,
    ProvenByLink,
)
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import throttling
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.password import Refused, Throttled
from idp.storage.engine import open_database
from idp.storage.models import accounts
from idp.storage.repositories import signups
from tests.support.builders import (
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    TERMS_VERSION,
    a_context,
    an_account,
    hash_of,
    last_mail,
    mails,
    some_terms,
    the_hasher,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.services.context import Context
    from tests.support.clock import SettableClock

THREADS = 16
ROUNDS = 20
BROWSER = bytes(32)
VISIT = Visit("Firefox sur Windows")
Answer = TypeVar("Answer")


class QuickHasher:
    """Checks as the real one does, and takes no time over a new password: sixteen threads must meet in the database."""

    def hash(self, typed: str) -> str:
        """Give a hash made before."""
        return hash_of(typed)

    def verify(self, password_hash: str | None, typed: str) -> Any:
        """Check for real."""
        return the_hasher().verify(password_hash, typed)


@pytest.fixture
def context(database_url: str, clock: SettableClock) -> Iterator[Context]:
    """The parts, with a connection for each thread."""
    database = open_database(database_url, pool_size=THREADS)
    parts = a_context(database, clock, passwords=QuickHasher())
    some_terms(parts)
    yield parts
    database.dispose()


@pytest.fixture
def at_once() -> Iterator[Callable[[Callable[[int], Answer]], list[Answer]]]:
    """A function that runs another in sixteen threads, all let go at the same instant."""
    with ThreadPoolExecutor(THREADS) as pool:

        def run(act: Callable[[int], Answer]) -> list[Answer]:
            barrier = Barrier(THREADS)

            def wait_and_act(number: int) -> Answer:
                barrier.wait()
                return act(number)

            return list(pool.map(wait_and_act, range(THREADS)))

        yield run


AtOnce = Callable[[Callable[[int], Any]], list[Any]]


def begin(context: Context, email: str, browser: bytes = BROWSER) -> str:
    """Begin a sign-up, however many there were."""
    begun = signup.begin(
        context,
        EmailAddress(email, email),
        browser_hash=browser,
        address=f"10.{hash(email) % 250}.{hash((email, browser)) % 250}.1",
        language="fr",
    )
    assert isinstance(begun, Begun)
    return begun.handle


def mailed_token(context: Context, email: str) -> str:
    """Read the token in the link of the latest mail to an address."""
    return parse_qs(urlsplit(last_mail(context, email).variables["link"]).query)["token"][0]


def mailed_code(context: Context, email: str) -> str:
    """Read the code of the latest mail to an address."""
    return str(last_mail(context, email).variables["code"])


def kinds(outcomes: list[Any]) -> Counter[type]:
    """Count the outcomes by class."""
    return Counter(type(outcome) for outcome in outcomes)


@pytest.mark.rule("ACC-4")
def test_code_typed_sixteen_times_at_once_proves_once(context: Context, at_once: AtOnce) -> None:
    """One try wins; the others find the address proven."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        handle = begin(context, email)
        code = mailed_code(context, email)

        outcomes = at_once(
            lambda _, handle=handle, code=code: signup.prove_by_code(context, handle, BROWSER, code)
        )

        assert kinds(outcomes) == {Proven: 1, AlreadyProven: THREADS - 1}


@pytest.mark.rule("ACC-4")
def test_sixteen_guesses_at_once_are_five_guesses(context: Context, at_once: AtOnce) -> None:
    """The try is counted by the statement that compares: four wrong, then exhausted for everyone."""
    for number in range(ROUNDS):
        handle = begin(context, f"zoe{number}@example.fr")

        outcomes = at_once(
            lambda guess, handle=handle: signup.prove_by_code(context, handle, BROWSER, f"guess{guess}")
        )

        assert kinds(outcomes) == {WrongCode: 4, CodeExhausted: THREADS - 4}
        left = sorted(outcome.tries_left for outcome in outcomes if isinstance(outcome, WrongCode))
        assert left == [1, 2, 3, 4]


@pytest.mark.rule("ACC-4")
def test_link_followed_sixteen_times_at_once_proves_once(context: Context, at_once: AtOnce) -> None:
    """One browser gets the sign-up, and only that one."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        begin(context, email)
        token = mailed_token(context, email)

        outcomes = at_once(
            lambda thread, token=token: signup.prove_by_link(context, token, bytes([thread]) * 32)
        )

        assert kinds(outcomes) == {ProvenByLink: 1, Gone: THREADS - 1}


@pytest.mark.rule("ACC-4")
def test_code_and_link_at_once_prove_once(context: Context, at_once: AtOnce) -> None:
    """Whichever comes first ends the other."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        handle = begin(context, email)
        code, token = mailed_code(context, email), mailed_token(context, email)

        def prove(thread: int, handle: str = handle, code: str = code, token: str = token) -> object:
            if thread % 2:
                return signup.prove_by_code(context, handle, BROWSER, code)
            return signup.prove_by_link(context, token, b"\x01" * 32)

        counted = kinds(at_once(prove))

        assert counted[Proven] + counted[ProvenByLink] == 1


@pytest.mark.rule("ACC-4", "ACC-5")
def test_second_page_sent_sixteen_times_at_once_opens_one_account(context: Context, at_once: AtOnce) -> None:
    """A double click is not a second account, nor an error."""
    for number in range(ROUNDS):
        handle = proven(context, f"zoe{number}@example.fr", BROWSER)

        outcomes = at_once(lambda _, handle=handle: complete(context, handle, BROWSER))

        assert kinds(outcomes) == {Arrived: 1, Gone: THREADS - 1}


@pytest.mark.rule("ACC-5")
def test_sixteen_sign_ups_of_one_address_open_one_account(context: Context, at_once: AtOnce) -> None:
    """The unique address decides; the others are sent to sign in."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        browsers = [bytes([thread]) * 32 for thread in range(THREADS)]
        handles = [proven_without_mail(context, email, browser) for browser in browsers]

        outcomes = at_once(
            lambda thread, handles=handles, browsers=browsers: complete(
                context, handles[thread], browsers[thread]
            )
        )

        counted = kinds(outcomes)
        assert counted[Arrived] == 1
        assert counted[AddressTaken] + counted[Gone] == THREADS - 1
    with context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(accounts)) == ROUNDS


def proven(context: Context, email: str, browser: bytes) -> str:
    """Begin a sign-up and prove it by its code."""
    handle = begin(context, email, browser)
    code = mailed_code(context, email)
    assert isinstance(signup.prove_by_code(context, handle, browser, code), Proven)
    return handle


def proven_without_mail(context: Context, email: str, browser: bytes) -> str:
    """Begin a sign-up and prove it, past the number of mails that an address may be sent."""
    handle, link_hash = begin(context, email, browser), digest(email + browser.hex())
    with context.database.write() as connection:
        signups.renew(
            connection,
            digest(handle),
            browser,
            signups.NewSecrets(None, link_hash, context.clock()),
            context.clock(),
        )
        signups.prove_by_link(
            connection,
            link_hash,
            new_signup_hash=digest(handle),
            browser_hash=browser,
            now=context.clock(),
        )
    return handle


def complete(context: Context, handle: str, browser: bytes) -> object:
    """Send the second page."""
    details = Details(
        password=PASSWORD,
        identity={"given_name": "Anne", "family_name": "Martin"},
        accepts_terms=True,
        terms_version=TERMS_VERSION,
    )
    return signup.complete(context, handle, browser, details, language="fr", visit=VISIT)


@pytest.mark.rule("PWD-8")
def test_reset_link_used_sixteen_times_at_once_sets_one_password(context: Context, at_once: AtOnce) -> None:
    """One form wins, one mail says so."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        an_account(context, email)
        password.forgotten(context, email, language="fr")
        token = mailed_token(context, email)

        outcomes = at_once(
            lambda _, token=token: password.reset(
                context, token, OTHER_PASSWORD, browser_hash=BROWSER, device_hash=None
            )
        )

        assert kinds(outcomes) == {Reset: 1, LinkGone: THREADS - 1}
        told = [mail for mail in mails(context) if (mail.event, mail.to) == ("password_changed", email)]
        assert len(told) == 1


@pytest.mark.rule("PWD-8")
def test_links_asked_for_at_once_leave_a_working_one(context: Context, at_once: AtOnce) -> None:
    """Whatever the order, the newest link is live and the address is sent five mails."""
    an_account(context)

    at_once(lambda _: password.forgotten(context, "zoe@example.fr", language="fr"))

    sent = mails(context)
    assert len(sent) == 5
    tokens = [parse_qs(urlsplit(mail.variables["link"]).query)["token"][0] for mail in sent]
    live = [token for token in tokens if password.address_of_link(context, token) is not None]
    assert live


@pytest.mark.rule("LOG-2")
def test_sixteen_wrong_passwords_at_once_are_five_guesses(context: Context, at_once: AtOnce) -> None:
    """Tries are counted before they are looked at: parallel guesses never exceed the limit."""
    for number in range(ROUNDS):
        email = f"zoe{number}@example.fr"
        an_account(context, email)

        outcomes = at_once(
            lambda thread, email=email, number=number: sign_in.sign_in(
                context, email, "Faux", address=f"10.{number}.{thread}.1", visit=VISIT
            )
        )

        assert kinds(outcomes) == {Refused: 5, Throttled: THREADS - 5}


@pytest.mark.rule("LOG-2")
def test_counters_in_opposite_orders_never_wait_for_each_other_in_a_circle(
    context: Context, at_once: AtOnce
) -> None:
    """Half the threads ask for the counters the other way round; every try is counted once."""
    brakes = [
        *throttling.signup_brakes(context, address=HOME),
        *throttling.signup_mail_brakes(context, canonical="zoe@example.fr"),
        *throttling.reset_brakes(context, canonical="zoe@example.fr"),
    ]

    def count(thread: int) -> object:
        asked = brakes if thread % 2 else brakes[::-1]
        with context.database.write() as connection:
            return throttling.count(context, connection, asked, context.clock())

    counted = kinds(at_once(count))

    assert counted[Allowed] == 5
