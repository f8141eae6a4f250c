"""Opening an account: the proof of the address, what nobody can prepare, all or nothing at the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.declared_identity import IdentityFault
from idp.domain.email_address import EmailAddress, parse
from idp.domain.password_policy import BrokenRuleKind
from idp.services.account import signup
from idp.services.account.mailed_code import CodeExhausted, CodeExpired, MailsExhausted, Resent, WrongCode
from idp.services.account.signup import (
    AddressTaken,
    AlreadyProven,
    Begun,
    Details,
    Gone,
    Incomplete,
    Proven,
    ProvenByLink,
    Throttled,
)
from idp.services.sign_in import password, sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.storage.models import account_attributes, accounts, audit_events, ledger_entries, signups
from tests.support.builders import (
    HOME,
    PASSWORD,
    TERMS_VERSION,
    an_account,
    last_mail,
    mails,
    some_terms,
)
from tests.support.queries import Recording, recorded_queries

if TYPE_CHECKING:
    from idp.services.context import Context
    from tests.support.clock import SettableClock

BROWSER = bytes(32)
OTHER_BROWSER = b"\x01" * 32
VISIT = Visit("Firefox sur Windows")
DETAILS = Details(
    password=PASSWORD,
    identity={
        "given_name": "Zoé Claire",
        "family_name": "Œuvré",
        "preferred_username": "",
        "gender": "female",
        "birthdate": "1990-02-03",
    },
    accepts_terms=True,
    terms_version=TERMS_VERSION,
)


def address_of(text: str) -> EmailAddress:
    """Read an address that is one."""
    parsed = parse(text)
    assert parsed is not None
    return parsed


def begin(context: Context, email: str = "zoe@example.fr", *, browser: bytes = BROWSER) -> str:
    """Begin a sign-up; gives back the handle."""
    begun = signup.begin(
        context, address_of(email), browser_hash=browser, address=HOME, language="fr", service_name="Parking"
    )
    assert isinstance(begun, Begun)
    return begun.handle


def mailed_code(context: Context) -> str:
    """Read the code of the latest mail."""
    return str(last_mail(context).variables["code"])


def mailed_token(context: Context) -> str:
    """Read the token in the link of the latest mail."""
    return parse_qs(urlsplit(last_mail(context).variables["link"]).query)["token"][0]


def another_code(code: str) -> str:
    """Give a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def proven_handle(context: Context, email: str = "zoe@example.fr") -> str:
    """Begin a sign-up and prove its address by the code."""
    handle = begin(context, email)
    assert isinstance(signup.prove_by_code(context, handle, BROWSER, mailed_code(context)), Proven)
    return handle


def complete(context: Context, handle: str | None, details: Details = DETAILS) -> object:
    """Send the second page."""
    return signup.complete(context, handle, BROWSER, details, language="fr", visit=VISIT)


def accounts_in(context: Context) -> int:
    """Count the accounts."""
    with context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(accounts)) or 0


@pytest.mark.rule("ACC-4")
def test_fifth_wrong_code_kills_the_code(context: Context) -> None:
    """Each wrong code says how many tries are left; after five, the right one is refused too."""
    handle = begin(context)
    code = mailed_code(context)

    outcomes = [signup.prove_by_code(context, handle, BROWSER, another_code(code)) for _ in range(5)]

    assert outcomes == [WrongCode(4), WrongCode(3), WrongCode(2), WrongCode(1), CodeExhausted()]
    assert signup.prove_by_code(context, handle, BROWSER, code) == CodeExhausted()


@pytest.mark.rule("ACC-4")
def test_code_of_ten_minutes_ago_is_refused(context: Context, clock: SettableClock) -> None:
    """The code lives ten minutes; the sign-up goes on with another one."""
    handle = begin(context)
    code = mailed_code(context)

    clock.advance(minutes=10)

    assert signup.prove_by_code(context, handle, BROWSER, code) == CodeExpired()
    assert signup.resend(context, handle, BROWSER) == Resent()
    assert isinstance(signup.prove_by_code(context, handle, BROWSER, mailed_code(context)), Proven)


@pytest.mark.rule("ACC-4")
def test_code_proves_nothing_in_another_browser(context: Context) -> None:
    """A code is bound to the sign-up it was sent for, in the browser that asked."""
    handle = begin(context)
    other = begin(context, "max@example.fr")
    code = str(mails(context)[0].variables["code"])

    assert signup.prove_by_code(context, handle, OTHER_BROWSER, code) == Gone()
    assert isinstance(signup.prove_by_code(context, other, BROWSER, code), WrongCode)
    assert signup.waiting(context, handle, OTHER_BROWSER) is None


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize(
    "handle",
    [None, "", "mpu_", new_secret(SecretKind.SIGNUP), new_secret(SecretKind.LINK)],
    ids=["absent", "empty", "cut", "unknown", "of another kind"],
)
def test_unknown_handle_opens_nothing(context: Context, handle: str | None) -> None:
    """Each step answers that there is no such sign-up."""
    begin(context)

    assert signup.waiting(context, handle, BROWSER) is None
    assert signup.prove_by_code(context, handle, BROWSER, "000000") == Gone()
    assert signup.resend(context, handle, BROWSER) == Gone()
    assert signup.proven(context, handle, BROWSER) is None
    assert complete(context, handle) == Gone()


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize(
    "token",
    [None, "", "mpl_", new_secret(SecretKind.LINK), new_secret(SecretKind.SIGNUP)],
    ids=["absent", "empty", "cut", "unknown", "of another kind"],
)
def test_unknown_link_proves_nothing(context: Context, token: str | None) -> None:
    """A link that was never sent is answered as one that has served."""
    begin(context)

    assert signup.address_of_link(context, token) is None
    assert signup.prove_by_link(context, token, BROWSER) == Gone()


@pytest.mark.rule("ACC-4")
def test_link_serves_once(context: Context) -> None:
    """Whoever follows it second starts again."""
    begin(context)
    token = mailed_token(context)

    first = signup.prove_by_link(context, token, BROWSER)
    second = signup.prove_by_link(context, token, OTHER_BROWSER)

    assert isinstance(first, ProvenByLink)
    assert second == Gone()


@pytest.mark.rule("ACC-4")
def test_link_of_yesterday_is_refused(context: Context, clock: SettableClock) -> None:
    """The link lives 24 hours, and the sign-up with it."""
    handle = begin(context)
    token = mailed_token(context)

    clock.advance(hours=24)

    assert signup.address_of_link(context, token) is None
    assert signup.prove_by_link(context, token, BROWSER) == Gone()
    assert signup.waiting(context, handle, BROWSER) is None


@pytest.mark.rule("ACC-4")
def test_opening_the_link_changes_nothing(context: Context) -> None:
    """Programs that read mail follow links: only the button proves the address."""
    begin(context)
    token = mailed_token(context)

    shown = [signup.address_of_link(context, token) for _ in range(3)]

    assert shown == ["zoe@example.fr"] * 3
    assert isinstance(signup.prove_by_link(context, token, OTHER_BROWSER), ProvenByLink)


@pytest.mark.rule("ACC-4")
def test_code_ends_the_link_and_the_link_ends_the_code(context: Context) -> None:
    """One mail proves an address once, by one of its two ways."""
    by_code = begin(context)
    code, token = mailed_code(context), mailed_token(context)
    assert isinstance(signup.prove_by_code(context, by_code, BROWSER, code), Proven)
    assert signup.prove_by_link(context, token, OTHER_BROWSER) == Gone()

    by_link = begin(context)
    code, token = mailed_code(context), mailed_token(context)
    assert isinstance(signup.prove_by_link(context, token, OTHER_BROWSER), ProvenByLink)
    assert signup.prove_by_code(context, by_link, BROWSER, code) == Gone()


@pytest.mark.rule("ACC-4")
def test_resent_mail_voids_the_one_before(context: Context) -> None:
    """Only the latest code and the latest link work."""
    handle = begin(context)
    old_code, old_token = mailed_code(context), mailed_token(context)

    assert signup.resend(context, handle, BROWSER) == Resent()

    assert signup.prove_by_link(context, old_token, BROWSER) == Gone()
    if mailed_code(context) != old_code:
        assert isinstance(signup.prove_by_code(context, handle, BROWSER, old_code), WrongCode)
    assert isinstance(signup.prove_by_code(context, handle, BROWSER, mailed_code(context)), Proven)


@pytest.mark.rule("ACC-4")
def test_mails_to_one_address_are_bounded(context: Context) -> None:
    """Five an hour, whoever asks; the latest code still holds."""
    handle = begin(context)

    outcomes = [signup.resend(context, handle, BROWSER) for _ in range(5)]

    assert outcomes[:4] == [Resent()] * 4
    assert isinstance(outcomes[4], MailsExhausted)
    assert len(mails(context)) == 5
    assert isinstance(signup.prove_by_code(context, handle, BROWSER, mailed_code(context)), Proven)


@pytest.mark.rule("ACC-4")
def test_sign_up_past_the_mails_of_its_address_can_be_proven_by_nothing(context: Context) -> None:
    """Beyond the limit the page is the same, no mail goes out, and no code that exists is right."""
    for _ in range(5):
        begin(context)

    handle = begin(context)

    assert len(mails(context)) == 5
    assert isinstance(signup.prove_by_code(context, handle, BROWSER, mailed_code(context)), WrongCode)


@pytest.mark.rule("ACC-4", "LOG-2")
def test_sign_ups_of_one_network_are_bounded(context: Context, clock: SettableClock) -> None:
    """Twenty in ten minutes; then the visitor is told to wait."""
    for index in range(20):
        begin(context, f"personne{index}@example.fr")

    refused = signup.begin(
        context, address_of("zoe@example.fr"), browser_hash=BROWSER, address=HOME, language="fr"
    )

    assert refused == Throttled(clock() + timedelta(minutes=10))
    assert len(mails(context)) == 20


@pytest.mark.rule("ACC-5")
def test_known_address_is_told_by_mail_and_the_visitor_is_not(context: Context) -> None:
    """The owner hears that somebody tried, at the stored address; no code can ever be right."""
    an_account(context, "Zoe@example.fr", language="en")

    handle = begin(context, "zoe@EXAMPLE.fr")

    mail = last_mail(context)
    assert (mail.to, mail.event, mail.language) == ("Zoe@example.fr", "signup_existing_account", "en")
    assert "code" not in mail.variables
    outcomes = [signup.prove_by_code(context, handle, BROWSER, f"{code:06d}") for code in range(6)]
    assert outcomes[:4] == [WrongCode(4), WrongCode(3), WrongCode(2), WrongCode(1)]
    assert outcomes[4:] == [CodeExhausted()] * 2


@pytest.mark.rule("ACC-4", "ACC-5")
def test_known_and_unknown_addresses_cost_the_same_statements(context: Context) -> None:
    """Beginning, a wrong code, another mail: time does not tell who has an account."""
    an_account(context, "connue@example.fr")
    an_account(context, "bloquee@example.fr", is_locked=True)

    recordings = [record_way(context, f"{name}@example.fr") for name in ("inconnue", "connue", "bloquee")]

    assert recordings[0].statements == recordings[1].statements == recordings[2].statements
    assert len({recording.commits for recording in recordings}) == 1


def record_way(context: Context, email: str) -> Recording:
    """Record what the steps before the proof ask of the database."""
    with recorded_queries(context.database.reader, context.database.writer) as recording:
        handle = begin(context, email)
        outcome = signup.prove_by_code(context, handle, BROWSER, "abcdef")
        assert outcome == WrongCode(4)
        assert signup.resend(context, handle, BROWSER) == Resent()
    return recording


@pytest.mark.rule("ACC-5")
def test_browser_that_began_gains_nothing_from_a_link_followed_elsewhere(context: Context) -> None:
    """Somebody types Zoé's address; Zoé follows the link: only her browser goes on, without what was prepared."""
    begun = signup.begin(
        context,
        address_of("zoe@example.fr"),
        browser_hash=BROWSER,
        address=HOME,
        language="fr",
        pending_id="demande-de-mallory",
        franceconnect="l'identité de Mallory",
    )
    assert isinstance(begun, Begun)

    followed = signup.prove_by_link(context, mailed_token(context), OTHER_BROWSER)

    assert isinstance(followed, ProvenByLink)
    assert followed.signup.franceconnect is None
    assert followed.signup.pending_id is None
    assert signup.waiting(context, begun.handle, BROWSER) is None
    assert signup.proven(context, begun.handle, BROWSER) is None
    assert complete(context, begun.handle) == Gone()
    assert signup.proven(context, followed.handle, BROWSER) is None
    assert signup.proven(context, followed.handle, OTHER_BROWSER) is not None


@pytest.mark.rule("ACC-1", "ACC-2")
def test_link_followed_in_the_same_browser_keeps_what_was_prepared(context: Context) -> None:
    """The request that waits, and the identity that FranceConnect certified, go on with their owner."""
    begun = signup.begin(
        context,
        address_of("zoe@example.fr"),
        browser_hash=BROWSER,
        address=HOME,
        language="fr",
        pending_id="demande",
        franceconnect='{"given_name": "Zoé"}',
    )
    assert isinstance(begun, Begun)

    followed = signup.prove_by_link(context, mailed_token(context), BROWSER)

    assert isinstance(followed, ProvenByLink)
    assert followed.signup.pending_id == "demande"
    assert followed.signup.franceconnect == '{"given_name": "Zoé"}'


@pytest.mark.rule("PRI-3")
def test_row_that_waits_holds_neither_code_nor_link_nor_identity(context: Context) -> None:
    """At rest there are hashes, and the identity is sealed."""
    signup.begin(
        context,
        address_of("zoe@example.fr"),
        browser_hash=BROWSER,
        address=HOME,
        language="fr",
        franceconnect="Angela Claire Louise",
    )

    with context.database.read() as connection:
        row = str(connection.execute(select(signups)).one())

    assert mailed_code(context) not in row
    assert mailed_token(context) not in row
    assert "Angela" not in row


@pytest.mark.rule("ACC-2", "ACC-5")
def test_address_given_after_franceconnect_that_has_an_account_is_told_to_its_owner(context: Context) -> None:
    """Its owner is told how to link the two; the visitor sees the same page as ever."""
    an_account(context)

    signup.begin(
        context,
        address_of("zoe@example.fr"),
        browser_hash=BROWSER,
        address=HOME,
        language="fr",
        franceconnect="{}",
    )

    assert last_mail(context).event == "email_existing_franceconnect"


@pytest.mark.rule("ACC-4")
def test_no_account_exists_before_the_last_step(context: Context) -> None:
    """Neither the address nor its proof makes an account, and the second page needs the proof."""
    handle = begin(context)

    assert complete(context, handle) == Gone()
    assert accounts_in(context) == 0

    signup.prove_by_code(context, handle, BROWSER, mailed_code(context))

    assert accounts_in(context) == 0


@pytest.mark.rule("ACC-3")
def test_without_the_tick_nothing_is_created_and_the_form_can_be_sent_again(context: Context) -> None:
    """The person corrects what is wrong and goes on with the same sign-up."""
    handle = proven_handle(context)

    refused = complete(context, handle, replace(DETAILS, accepts_terms=False))

    assert refused == Incomplete((), {}, "terms_required")
    assert accounts_in(context) == 0
    assert isinstance(complete(context, handle), Arrived)


@pytest.mark.rule("ACC-3", "CGU-2")
def test_tick_under_another_version_than_the_one_in_force_is_asked_again(
    context: Context, clock: SettableClock
) -> None:
    """A page left open while the terms change does not accept what was not shown."""
    some_terms(context, "2026-03-03", effective_at=clock() + timedelta(hours=1))
    handle = proven_handle(context)
    clock.advance(hours=1)

    refused = complete(context, handle)

    assert refused == Incomplete((), {}, "terms_required_again")
    assert isinstance(complete(context, handle, replace(DETAILS, terms_version="2026-03-03")), Arrived)


@pytest.mark.rule("PWD-3", "ACC-3")
def test_every_fault_is_told_at_once(context: Context) -> None:
    """Password, names, date and terms: one answer names them all."""
    handle = proven_handle(context)
    wrong = Details(
        password="abc&",
        identity={"given_name": "2", "family_name": "R2D2", "gender": "robot", "birthdate": "2999-01-01"},
        accepts_terms=False,
    )

    refused = complete(context, handle, wrong)

    assert isinstance(refused, Incomplete)
    assert {rule.kind for rule in refused.password} == {
        BrokenRuleKind.TOO_SHORT,
        BrokenRuleKind.NO_UPPERCASE,
        BrokenRuleKind.NO_DIGIT,
        BrokenRuleKind.NO_SPECIAL,
        BrokenRuleKind.REFUSED_CHARACTERS,
    }
    assert refused.identity == {
        "given_name": IdentityFault.NAME_MALFORMED,
        "family_name": IdentityFault.NAME_MALFORMED,
        "gender": IdentityFault.GENDER_UNKNOWN,
        "birthdate": IdentityFault.BIRTHDATE_FUTURE,
    }
    assert refused.terms == "terms_required"


@pytest.mark.rule("PWD-6")
@pytest.mark.parametrize(
    "typed",
    ["Zoe.est.la.2027", "Oeuvre!d.Art.77", "Claire-de-lune.8"],
    ids=["address", "birth name", "given name"],
)
def test_password_that_holds_the_person_is_refused(context: Context, typed: str) -> None:
    """What everybody knows of a person protects nothing."""
    handle = proven_handle(context)

    refused = complete(context, handle, replace(DETAILS, password=typed))

    assert isinstance(refused, Incomplete)
    assert [rule.kind for rule in refused.password] == [BrokenRuleKind.PERSONAL]


@pytest.mark.rule("ACC-1", "ACC-3", "CGU-3", "FC-6")
def test_complete_opens_the_account_with_all_that_belongs_to_it(
    context: Context, clock: SettableClock
) -> None:
    """Account, declared identity, proof of the terms, session, device and trail, of one moment."""
    handle = proven_handle(context, "Zoe@example.fr")

    arrived = complete(context, handle)

    assert isinstance(arrived, Arrived)
    account_id = arrived.account.account_id
    with context.database.read() as connection:
        account = connection.execute(select(accounts)).one()
        known = connection.execute(select(account_attributes)).all()
        acceptance = connection.execute(select(ledger_entries)).one()
        trail = set(connection.scalars(select(audit_events.c.name)))
    assert (account.account_id, account.email, account.terms_version) == (
        account_id,
        "Zoe@example.fr",
        TERMS_VERSION,
    )
    assert account.last_sign_in_at == clock()
    assert {row.name: (row.value, row.level, row.source) for row in known} == {
        "given_name": ("Zoé Claire", 100, "declared"),
        "family_name": ("Œuvré", 100, "declared"),
        "gender": ("female", 100, "declared"),
        "birthdate": ("1990-02-03", 100, "declared"),
    }
    assert (acceptance.document["version"], acceptance.channel, acceptance.at) == (
        TERMS_VERSION,
        "sign_up",
        clock(),
    )
    assert {"account.created", "terms.accepted", "sign_in.succeeded"} <= trail
    assert sessions.find(context, arrived.opened.cookie) is not None


@pytest.mark.rule("LOG-5")
def test_first_sign_in_from_the_browser_of_the_sign_up_is_no_new_device(context: Context) -> None:
    """Who has just opened an account is not told of an unknown browser."""
    arrived = complete(context, proven_handle(context))
    assert isinstance(arrived, Arrived)
    assert arrived.new_device is not None

    again = password.sign_in(
        context,
        "zoe@example.fr",
        PASSWORD,
        address=HOME,
        visit=Visit("Firefox sur Windows", digest(arrived.new_device)),
    )

    assert isinstance(again, Arrived)
    assert [mail.event for mail in mails(context)] == ["signup_code"]


@pytest.mark.rule("ACC-5")
def test_address_that_got_an_account_meanwhile_gets_no_second_one(context: Context) -> None:
    """Who proved the address is sent to sign in; the first account stays as it was."""
    first, second = proven_handle(context), proven_handle(context)
    with_first = complete(context, first)
    assert isinstance(with_first, Arrived)

    assert complete(context, second) in (AddressTaken(), Gone())
    assert accounts_in(context) == 1


@pytest.mark.rule("ACC-5")
def test_account_created_between_proof_and_end_leaves_one_account(context: Context) -> None:
    """The unique address decides, whatever made the other account."""
    handle = proven_handle(context)
    an_account(context, "ZOE@example.fr")

    assert complete(context, handle) == AddressTaken()
    assert accounts_in(context) == 1


@pytest.mark.rule("ACC-5")
def test_account_ends_every_other_sign_up_of_its_address(context: Context) -> None:
    """What somebody else began for the address does not survive its owner's arrival."""
    other = begin(context, browser=OTHER_BROWSER)
    token = mailed_token(context)

    complete(context, proven_handle(context))

    assert signup.waiting(context, other, OTHER_BROWSER) is None
    assert signup.prove_by_link(context, token, OTHER_BROWSER) == Gone()


@pytest.mark.rule("ACC-4")
def test_second_click_on_a_step_goes_on(context: Context) -> None:
    """The code of a proven address is not compared again, and no mail is sent."""
    handle = proven_handle(context)

    assert signup.prove_by_code(context, handle, BROWSER, "000000") == AlreadyProven()
    assert signup.resend(context, handle, BROWSER) == AlreadyProven()
    assert isinstance(complete(context, handle), Arrived)
    assert complete(context, handle) == Gone()
    assert accounts_in(context) == 1


@pytest.mark.rule("ACC-1", "UX-1")
def test_mail_is_in_the_language_of_the_page_and_names_the_service(context: Context) -> None:
    """The code comes with its limits, the link from the configured address."""
    begin(context)

    mail = last_mail(context)

    assert (mail.to, mail.event, mail.language) == ("zoe@example.fr", "signup_code", "fr")
    assert (mail.variables["code_minutes"], mail.variables["link_hours"]) == (10, 24)
    assert mail.variables["service_name"] == "Parking"
    assert mail.variables["link"].startswith("https://compte.example.org/sign-up/link?token=mpl_")
