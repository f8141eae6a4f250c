"""Whatever somebody prepares for an address that is not theirs does not outlive its owner's arrival (ACC-5).

Each case is one of the pre-hijacking attacks that are possible at a provider with sign-up by mail and by
federation: the attacker acts first, the owner opens the account, the attacker tries to use what was prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.crypto.opaque import digest
from idp.domain.email_address import EmailAddress
from idp.services.account import password, signup
from idp.services.account.mailed_code import WrongCode
from idp.services.account.signup import Begun, Details, Gone, ProvenByLink
from idp.services.sign_in import password as sign_in
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.password import Refused
from idp.storage.models import accounts, franceconnect_links
from tests.support.builders import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, TERMS_VERSION, mails
from tests.support.pages import mailed_token

if TYPE_CHECKING:
    from idp.services.context import Context

ADDRESS = EmailAddress("zoe@example.fr", "zoe@example.fr")
ATTACKER = b"\x66" * 32
OWNER = b"\x01" * 32
VISIT = Visit("Firefox (Windows)")
DETAILS = Details(
    password=PASSWORD,
    identity={"given_name": "Zoé", "family_name": "Martin"},
    accepts_terms=True,
    terms_version=TERMS_VERSION,
)


def attack(context: Context, *, franceconnect: str | None = None) -> str:
    """Begin a sign-up with the owner's address; gives back the attacker's handle."""
    begun = signup.begin(
        context,
        ADDRESS,
        browser_hash=ATTACKER,
        address=ELSEWHERE,
        language="fr",
        franceconnect=franceconnect,
    )
    assert isinstance(begun, Begun)
    return begun.handle


def owner_follows_the_link(context: Context) -> str:
    """The owner opens the mail that the attacker had sent, and goes on; gives back the owner's handle."""
    followed = signup.prove_by_link(context, mailed_token(context, ADDRESS.typed), OWNER)
    assert isinstance(followed, ProvenByLink)
    return followed.handle


def owner_opens_the_account(context: Context, handle: str) -> Arrived:
    """The owner fills in the second page."""
    arrived = signup.complete(context, handle, OWNER, DETAILS, language="fr", visit=VISIT)
    assert isinstance(arrived, Arrived)
    return arrived


@pytest.mark.rule("ACC-5", "ACC-4")
def test_password_chosen_before_the_owner_came_opens_nothing(context: Context) -> None:
    """Classic-federated merge: there is no account to give a password to before the address is proven."""
    handle = attack(context)

    chosen = signup.complete(
        context,
        handle,
        ATTACKER,
        Details(password=OTHER_PASSWORD, identity=DETAILS.identity, accepts_terms=True),
        language="fr",
        visit=VISIT,
    )
    owner_opens_the_account(context, owner_follows_the_link(context))

    assert chosen == Gone()
    assert (
        sign_in.sign_in(context, ADDRESS.typed, OTHER_PASSWORD, address=ELSEWHERE, visit=VISIT) == Refused()
    )


@pytest.mark.rule("ACC-5")
def test_browser_that_waited_is_not_let_in_with_the_owner(context: Context) -> None:
    """Unexpired session: the attacker's page stays open while the owner proves the address from the mail."""
    handle = attack(context)
    owners = owner_follows_the_link(context)

    during = signup.proven(context, handle, ATTACKER)
    owner_opens_the_account(context, owners)

    assert during is None
    assert signup.proven(context, owners, ATTACKER) is None
    assert signup.complete(context, handle, ATTACKER, DETAILS, language="fr", visit=VISIT) == Gone()
    assert signup.resend(context, handle, ATTACKER) == Gone()


@pytest.mark.rule("ACC-5", "ACC-6")
def test_identity_of_the_attacker_is_not_linked_to_the_account_of_the_owner(context: Context) -> None:
    """Trojan identifier: the attacker's own FranceConnect identity waited with the owner's address."""
    attack(context, franceconnect='{"sub": "the attacker"}')

    owner_opens_the_account(context, owner_follows_the_link(context))

    with context.database.read() as connection:
        assert connection.execute(select(franceconnect_links)).all() == []
        assert connection.scalar(select(accounts.c.password_is_generated)) is False


@pytest.mark.rule("ACC-5", "PWD-8")
def test_link_for_a_new_password_asked_before_the_account_exists_is_none(context: Context) -> None:
    """Unexpired reset: there is nothing to send, nothing is kept."""
    password.forgotten(context, ADDRESS.typed, language="fr")
    attack(context)

    owner_opens_the_account(context, owner_follows_the_link(context))

    assert [mail.event for mail in mails(context)] == ["signup_code"]


@pytest.mark.rule("ACC-5")
def test_sign_ups_that_still_wait_end_when_the_owner_arrives(context: Context) -> None:
    """Non-verifying provider: another sign-up, begun before or after, proves nothing once there is an account."""
    before = attack(context)
    begun = signup.begin(context, ADDRESS, browser_hash=OWNER, address=HOME, language="fr")
    assert isinstance(begun, Begun)
    code = str(mails(context)[-1].variables["code"])
    after = attack(context)
    signup.prove_by_code(context, begun.handle, OWNER, code)

    owner_opens_the_account(context, begun.handle)

    for handle in (before, after):
        assert signup.waiting(context, handle, ATTACKER) is None
        assert signup.prove_by_code(context, handle, ATTACKER, code) == Gone()


@pytest.mark.rule("ACC-5", "LOG-2")
def test_guesses_made_before_the_account_existed_do_not_keep_its_owner_out(context: Context) -> None:
    """The browser that opened the account is known to it: it has a counter of its own."""
    for index in range(30):
        sign_in.sign_in(context, ADDRESS.typed, "Faux", address=f"10.{index}.0.1", visit=VISIT)
    attack(context)

    arrived = owner_opens_the_account(context, owner_follows_the_link(context))

    assert arrived.new_device is not None
    known = Visit("Firefox (Windows)", digest(arrived.new_device))
    again = sign_in.sign_in(context, ADDRESS.typed, PASSWORD, address=HOME, visit=known)
    assert isinstance(again, Arrived)


@pytest.mark.rule("ACC-4", "ACC-5")
def test_code_of_the_attacker_s_mail_typed_by_the_owner_serves_the_owner_s_sign_up_only(
    context: Context,
) -> None:
    """Two sign-ups of one address: the code of one is wrong in the other."""
    attack(context)
    attackers_code = str(mails(context)[-1].variables["code"])
    begun = signup.begin(context, ADDRESS, browser_hash=OWNER, address=HOME, language="fr")
    assert isinstance(begun, Begun)
    own_code = str(mails(context)[-1].variables["code"])
    if attackers_code == own_code:
        return

    assert signup.prove_by_code(context, begun.handle, OWNER, attackers_code) == WrongCode(4)
