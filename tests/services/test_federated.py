"""Coming in through FranceConnect: known, unknown, linked, refused; nothing half-made is ever left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.account import AccountState
from idp.domain.civil_identity import Level, Source
from idp.outbound.http import Failure, Unreachable
from idp.services.account import franceconnect_link, profile, signup
from idp.services.account.mailed_code import WrongCode
from idp.services.account.profile import Locked, Saved
from idp.services.sign_in import federated, linking, password, sessions, upstream_logout
from idp.services.sign_in.arrival import Arrived
from idp.services.sign_in.federated import (
    Doubled,
    FirstTime,
    LinkComparison,
    Purpose,
    Reason,
    Refused,
    Way,
)
from idp.services.sign_in.journeys import OpenSession
from idp.storage.models import (
    account_attribute_changes,
    accounts,
    audit_events,
    franceconnect_journeys,
    franceconnect_links,
    ledger_entries,
)
from idp.storage.models import sessions as session_table
from idp.storage.repositories import accounts as account_queries
from idp.storage.repositories import attributes
from tests.support.builders import HOME, OTHER_PASSWORD, PASSWORD, an_account, last_mail, mails
from tests.support.franceconnect import SUBJECT
from tests.support.journeys import BROWSER, OTHER_BROWSER, Journeys, journeys_on

if TYPE_CHECKING:
    from sqlalchemy import Table

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

OTHER_SUBJECT = "d" * 64 + "v1"


@pytest.fixture
def journeys(database: Database, clock: SettableClock) -> Journeys:
    """The use cases, with a FranceConnect that answers what the test says."""
    return journeys_on(database, clock)


def rows(journeys: Journeys, table: Table) -> int:
    """Count the rows of a table."""
    with journeys.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def values(journeys: Journeys, account: Account) -> dict[str, str]:
    """Read the attributes of a person."""
    with journeys.context.database.read() as connection:
        known = attributes.read(connection, account.account_id)
    return {name: attribute.value for name, attribute in known.items()}


def events(journeys: Journeys) -> list[str]:
    """Read the names of the trail."""
    with journeys.context.database.read() as connection:
        return list(connection.scalars(select(audit_events.c.name)))


def link_with_password(
    journeys: Journeys, email: str = "zoe@example.fr", secret: str = PASSWORD, browser: bytes = BROWSER
) -> object:
    """Try to link the identity that waits."""
    return linking.link_with_password(
        journeys.context, email, secret, address=HOME, browser_hash=browser, visit=journeys.visit
    )


# The state


@pytest.mark.rule("FC-1")
@pytest.mark.spec("RFC 6749", "10.12", "MUST")
@pytest.mark.parametrize("state", ["", "undefined", "0" * 64, "é" * 64, "5" * 65, "Z" * 64])
def test_callback_with_an_unknown_state_changes_nothing(journeys: Journeys, state: str) -> None:
    """A forged callback is refused before FranceConnect is asked (S-60)."""
    journeys.leave()
    asked = len(journeys.forged.asked)

    outcome = journeys.come_back(state)

    assert outcome == Refused(Reason.EXPIRED, Way(), "callback.state")
    assert len(journeys.forged.asked) == asked
    assert rows(journeys, session_table) == 0


@pytest.mark.rule("FC-1")
def test_callback_in_another_browser_is_refused(journeys: Journeys) -> None:
    """A code that somebody else brought does not sign this browser in (S-59)."""
    state = journeys.leave()

    outcome = journeys.come_back(state, browser=OTHER_BROWSER)

    assert isinstance(outcome, Refused)
    assert isinstance(journeys.come_back(state), FirstTime)


@pytest.mark.rule("FC-1")
def test_state_serves_once(journeys: Journeys) -> None:
    """A callback that comes twice does its work once, and the second one says so (franceconnect.md 9)."""
    journeys.person()
    state = journeys.leave()
    first = journeys.come_back(state)
    tokens = journeys.forged.asked.count("/token")

    second = journeys.come_back(state)

    assert isinstance(first, federated.SignedIn)
    assert isinstance(second, Doubled)
    assert journeys.forged.asked.count("/token") == tokens


@pytest.mark.rule("FC-1")
def test_state_expires(journeys: Journeys, clock: SettableClock) -> None:
    """Who never came back left nothing that works."""
    state = journeys.leave()
    clock.advance(hours=3)

    assert isinstance(journeys.come_back(state), Refused)


@pytest.mark.rule("FC-1")
def test_state_and_nonce_stand_hashed(journeys: Journeys) -> None:
    """Whoever reads the table can't finish the journey."""
    state = journeys.leave()

    with journeys.context.database.read() as connection:
        row = connection.execute(select(franceconnect_journeys)).one()
    assert row.state_hash == digest(state)
    assert state not in str(row)
    assert journeys.forged.nonces[f"code-{state}"] not in str(row)


@pytest.mark.rule("FC-1")
def test_nonce_of_another_journey_is_refused(journeys: Journeys) -> None:
    """An ID token of another journey does not fit this one (S-82)."""
    state, other = journeys.leave(), journeys.leave()
    journeys.forged.nonces[f"code-{state}"] = journeys.forged.nonces[f"code-{other}"]

    outcome = journeys.come_back(state)

    assert isinstance(outcome, Refused)
    assert outcome.detail == "id_token.nonce"
    assert "franceconnect.refused" in events(journeys)


# Errors


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize(
    "error,reason",
    [
        ("access_denied", Reason.REFUSED),
        ("server_error", Reason.UNAVAILABLE),
        ("temporarily_unavailable", Reason.UNAVAILABLE),
        ("invalid_scope", Reason.MISBEHAVED),
        ("invalid_request", Reason.MISBEHAVED),
        ("invalid_acr", Reason.MISBEHAVED),
        ("invalid_idp_hint", Reason.MISBEHAVED),
        ("unsupported_response_type", Reason.MISBEHAVED),
        ("Y500006", Reason.MISBEHAVED),
        ("nimporte quoi", Reason.MISBEHAVED),
    ],
)
def test_each_error_leads_to_a_page_that_helps(journeys: Journeys, error: str, reason: Reason) -> None:
    """All errors of franceconnect.md 2.1, and those that no document has."""
    way = Way(None, "/account")
    outcome = journeys.come_back(journeys.leave(way=way), error=error)

    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.way, outcome.may_retry) == (reason, way, True)
    assert rows(journeys, accounts) == 0


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize("error", ["access_denied", "server_error"])
def test_error_with_a_lost_state_leads_to_the_same_page(journeys: Journeys, error: str) -> None:
    """One path of FranceConnect sends the word "undefined" for a state."""
    outcome = journeys.come_back("undefined", error=error)

    assert isinstance(outcome, Refused)
    assert outcome.reason in {Reason.REFUSED, Reason.UNAVAILABLE}


@pytest.mark.rule("FC-7")
def test_outage_leaves_nothing_behind_and_password_login_works(journeys: Journeys) -> None:
    """FranceConnect dies between the browser's return and our question: nothing is half-made."""
    account = an_account(journeys.context)
    state = journeys.leave()
    journeys.forged.answers["/token"] = Unreachable(Failure.TIMED_OUT)

    outcome = journeys.come_back(state)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.UNAVAILABLE
    assert rows(journeys, session_table) == rows(journeys, franceconnect_links) == 0
    signed_in = password.sign_in(
        journeys.context, account.email, PASSWORD, address=HOME, visit=journeys.visit
    )
    assert isinstance(signed_in, Arrived)


@pytest.mark.rule("FC-7")
def test_dead_franceconnect_is_told_at_the_button(journeys: Journeys) -> None:
    """Nobody is sent to a FranceConnect that does not answer, and no journey is kept."""
    journeys.forged.answers["/jwks"] = Unreachable(Failure.NOT_CONNECTED)

    outcome = federated.begin(
        journeys.context, purpose=Purpose.SIGN_IN, browser_hash=BROWSER, account_id=None, way=Way()
    )

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.UNAVAILABLE
    assert rows(journeys, franceconnect_journeys) == 0


# First time


@pytest.mark.rule("FC-3")
def test_unknown_identity_creates_nothing(journeys: Journeys) -> None:
    """Who is unknown here is asked; the identity waits sealed."""
    outcome = journeys.go()

    assert isinstance(outcome, FirstTime)
    assert rows(journeys, accounts) == rows(journeys, session_table) == 0
    with journeys.context.database.read() as connection:
        kept = connection.scalar(select(franceconnect_journeys.c.identity))
    assert kept is not None
    assert "DUBOIS" not in kept


@pytest.mark.rule("FC-3", "FC-4")
def test_address_of_franceconnect_never_links_an_account(journeys: Journeys) -> None:
    """Two people may share an address: it opens no account (franceconnect.md 0.8, S-83)."""
    an_account(journeys.context, "wossewodda-3728@yopmail.com")

    outcome = journeys.go()

    assert isinstance(outcome, FirstTime)
    assert rows(journeys, franceconnect_links) == rows(journeys, session_table) == 0


@pytest.mark.rule("FC-3")
def test_identity_that_waits_belongs_to_its_browser(journeys: Journeys) -> None:
    """Another browser finds nothing to choose about."""
    journeys.go()

    assert federated.held(journeys.context, Purpose.SIGN_IN, None, BROWSER) is not None
    assert federated.held(journeys.context, Purpose.SIGN_IN, None, OTHER_BROWSER) is None
    assert federated.held(journeys.context, Purpose.LINK, None, BROWSER) is None


@pytest.mark.rule("FC-3")
def test_identity_that_waits_expires(journeys: Journeys, clock: SettableClock) -> None:
    """What was certified does not lie about for ever."""
    journeys.go()
    clock.advance(hours=3)

    assert federated.held(journeys.context, Purpose.SIGN_IN, None, BROWSER) is None


# Opening an account


@pytest.mark.rule("ACC-2", "PWD-7", "FC-2")
def test_account_opens_with_everything_at_once(journeys: Journeys) -> None:
    """Certified identity, confirmed address, terms, generated password, link and session, in one transaction."""
    arrived = journeys.finish(journeys.waiting_signup("Angela@example.fr"))

    assert isinstance(arrived, Arrived)
    account = arrived.account
    assert account.email == "Angela@example.fr"
    assert account.password_is_generated
    assert values(journeys, account) == {
        "given_name": "Angela Claire Louise",
        "given_name_array": '["Angela", "Claire", "Louise"]',
        "family_name": "DUBOIS",
        "gender": "female",
        "birthdate": "1962-08-24",
        "birthplace": "75107",
        "birthcountry": "99100",
    }
    with journeys.context.database.read() as connection:
        known = attributes.read(connection, account.account_id)
    assert {(one.level, one.source) for one in known.values()} == {
        (Level.FRANCECONNECT, Source.FRANCECONNECT)
    }
    assert rows(journeys, ledger_entries) == rows(journeys, franceconnect_links) == 1
    session = arrived.opened.session
    assert (session.upstream, session.authentication.level) == ("franceconnect", "eidas1")
    assert last_mail(journeys.context).event == "franceconnect_account_created"


@pytest.mark.rule("ACC-2")
def test_unproven_address_opens_nothing(journeys: Journeys) -> None:
    """FranceConnect's own address is proven by code like any other."""
    journeys.go()
    handle = new_secret(SecretKind.SIGNUP)

    assert isinstance(journeys.finish(handle), signup.Gone)
    assert rows(journeys, accounts) == 0


@pytest.mark.rule("ACC-2")
def test_proven_signup_opens_one_account(journeys: Journeys) -> None:
    """A double click opens one account."""
    handle = journeys.waiting_signup("angela@example.fr")
    journeys.finish(handle)

    assert isinstance(journeys.finish(handle), signup.Gone)
    assert rows(journeys, accounts) == 1


@pytest.mark.rule("ACC-2")
def test_signup_finishes_in_its_own_browser(journeys: Journeys) -> None:
    """A stolen handle is worth nothing elsewhere."""
    handle = journeys.waiting_signup("angela@example.fr")

    assert isinstance(journeys.finish(handle, browser=OTHER_BROWSER), signup.Gone)


@pytest.mark.rule("ACC-5")
def test_known_address_is_told_to_its_owner_only(journeys: Journeys) -> None:
    """The screen says nothing; the owner gets a mail, at the stored address."""
    an_account(journeys.context, "angela@example.fr")
    journeys.go()
    begun = journeys.begin_signup("ANGELA@example.fr")

    assert isinstance(begun, signup.Begun)
    mail = last_mail(journeys.context)
    assert (mail.event, mail.to) == ("email_existing_franceconnect", "angela@example.fr")
    tried = signup.prove_by_code(journeys.context, begun.handle, BROWSER, "000000")
    assert isinstance(tried, WrongCode)


@pytest.mark.rule("ACC-5", "ACC-6")
def test_address_that_got_an_account_meanwhile_undoes_nothing(journeys: Journeys) -> None:
    """The unique address decides; the person is led to link the account that they hold."""
    handle = journeys.waiting_signup("angela@example.fr")
    an_account(journeys.context, "angela@example.fr")

    outcome = journeys.finish(handle)

    assert isinstance(outcome, signup.AddressTaken)
    assert rows(journeys, accounts) == 1
    assert rows(journeys, franceconnect_links) == rows(journeys, session_table) == 0


@pytest.mark.rule("ACC-6")
def test_identity_that_got_an_account_meanwhile_enters_it(journeys: Journeys) -> None:
    """Two tabs, one person: one account, and both tabs end in it."""
    first = journeys.waiting_signup("angela@example.fr")
    second = journeys.waiting_signup("angela@example.org", browser=OTHER_BROWSER)
    opened = journeys.finish(first)

    again = journeys.finish(second, browser=OTHER_BROWSER)

    assert isinstance(opened, Arrived)
    assert isinstance(again, Arrived)
    assert again.account.account_id == opened.account.account_id
    assert rows(journeys, accounts) == rows(journeys, franceconnect_links) == 1


@pytest.mark.rule("FC-3", "ACC-6")
def test_pivot_certified_elsewhere_stops_and_merges_nothing(journeys: Journeys) -> None:
    """The same person under another subject is never guessed to be the same person."""
    journeys.person(sub=SUBJECT)
    journeys.answers(sub=OTHER_SUBJECT)

    outcome = journeys.go()

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.IDENTITY_TAKEN
    assert not outcome.may_retry
    assert rows(journeys, accounts) == 1


@pytest.mark.rule("FC-3")
def test_pivot_is_compared_whatever_its_spelling(journeys: Journeys) -> None:
    """Accents, case and hyphens do not make another person."""
    journeys.person(sub=SUBJECT, given_name_array=["Zoé-Anne"], family_name="Œuvré")
    journeys.answers(sub=OTHER_SUBJECT, given_name_array=["ZOE", "ANNE"], family_name="OEUVRE")

    outcome = journeys.go()

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.IDENTITY_TAKEN


@pytest.mark.rule("PWD-7", "PWD-8")
def test_generated_password_opens_nothing_until_one_is_set(journeys: Journeys) -> None:
    """Nobody knows it: no login by password, and "J'ai oublié mon mot de passe" gives one."""
    account = journeys.person("angela@example.fr")

    tried = password.sign_in(
        journeys.context, account.email, OTHER_PASSWORD, address=HOME, visit=journeys.visit
    )

    assert isinstance(tried, password.Refused)
    assert all(PASSWORD not in str(mail.variables) for mail in mails(journeys.context))


# Known


@pytest.mark.rule("FC-1", "FC-3")
def test_known_subject_signs_in(journeys: Journeys) -> None:
    """The person is recognised by subject, and nothing else."""
    account = journeys.person()

    outcome = journeys.go()

    assert isinstance(outcome, federated.SignedIn)
    assert outcome.arrived.account.account_id == account.account_id
    assert outcome.arrived.opened.session.authentication.methods == ("fc",)


@pytest.mark.rule("FC-1")
def test_raw_id_token_stands_sealed_in_the_session(journeys: Journeys) -> None:
    """Its logout wants it back; a stolen table does not show it (S-58)."""
    account = journeys.person()
    outcome = journeys.go()

    assert isinstance(outcome, federated.SignedIn)
    session_id = outcome.arrived.opened.session.session_id
    with journeys.context.database.read() as connection:
        stored = connection.scalar(
            select(session_table.c.upstream_id_token).where(session_table.c.session_id == session_id)
        )
    raw = sessions.end(journeys.context, account.account_id, session_id).upstream_id_token
    assert raw is not None
    assert raw.count(".") == 2
    assert stored is not None
    assert raw not in stored


@pytest.mark.rule("LOG-6")
def test_locked_account_does_not_open(journeys: Journeys) -> None:
    """A locked account is locked for FranceConnect too."""
    account = journeys.person()
    with journeys.context.database.write() as connection:
        account_queries.set_state(connection, account.account_id, AccountState.LOCKED, "vol")
    before = rows(journeys, session_table)

    outcome = journeys.go()

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.LOCKED
    assert rows(journeys, session_table) == before


@pytest.mark.rule("FC-3", "FC-6")
def test_login_refreshes_certified_values(journeys: Journeys) -> None:
    """A changed name is taken over, kept in the history, audited, and told by mail."""
    account = journeys.person()
    changes = rows(journeys, account_attribute_changes)
    journeys.answers(family_name="DURAND")

    outcome = journeys.go()

    assert isinstance(outcome, federated.SignedIn)
    assert values(journeys, account)["family_name"] == "DURAND"
    assert rows(journeys, account_attribute_changes) == changes + 1
    assert "franceconnect.refreshed" in events(journeys)
    mail = next(one for one in mails(journeys.context) if one.event == "franceconnect_identity_changed")
    assert mail.variables["changed"] == ["family_name"]


@pytest.mark.rule("FC-3")
def test_login_without_a_change_tells_nothing(journeys: Journeys, clock: SettableClock) -> None:
    """The same values again: their date moves, nobody gets a mail."""
    account = journeys.person()
    sent, clock_before = len(mails(journeys.context)), clock()
    clock.advance(days=1)

    journeys.go()

    with journeys.context.database.read() as connection:
        known = attributes.read(connection, account.account_id)
    assert known["family_name"].recorded_at == clock_before + timedelta(days=1)
    assert [one.event for one in mails(journeys.context)[sent:]] in ([], ["new_device"])


@pytest.mark.rule("FC-3")
def test_other_birth_data_for_the_same_subject_is_blocked(journeys: Journeys) -> None:
    """FranceConnect gives another subject to who is born otherwise: this is not the same person."""
    account = journeys.person()
    journeys.answers(birthdate="1963-08-24")

    outcome = journeys.go()

    assert isinstance(outcome, Refused)
    assert outcome.detail == "birth_data_changed"
    assert values(journeys, account)["birthdate"] == "1962-08-24"


@pytest.mark.rule("FC-3")
def test_usage_name_that_the_person_wrote_stays(journeys: Journeys) -> None:
    """The identity provider's usage name is not the register's: the person's own wins."""
    account = journeys.person(preferred_username="MARTIN")
    saved = profile.declare(journeys.context, account.account_id, {"preferred_username": "Lovelace"})
    journeys.answers(preferred_username="DUPOND")

    journeys.go()

    assert isinstance(saved, Saved)
    assert values(journeys, account)["preferred_username"] == "Lovelace"


@pytest.mark.rule("FC-1")
def test_journey_of_a_request_marks_it(journeys: Journeys) -> None:
    """The waiting request learns in the same transaction that the person has proven who they are."""
    journeys.person()
    way = Way("mpq_unknown", None)

    outcome = journeys.come_back(journeys.leave(way=way))

    assert isinstance(outcome, federated.SignedIn)
    assert outcome.way == way


# Linking by password, from the first-time page


@pytest.mark.rule("FC-4", "ACC-6")
def test_password_links_the_identity_that_waits(journeys: Journeys) -> None:
    """Proof of both sides: FranceConnect's, and the account's own password."""
    account = an_account(journeys.context)
    journeys.go()

    outcome = link_with_password(journeys)

    assert isinstance(outcome, federated.SignedIn)
    assert outcome.arrived.opened.session.authentication.level == "eidas1"
    assert values(journeys, account)["family_name"] == "DUBOIS"
    assert last_mail(journeys.context).event in {"franceconnect_linked", "new_device"}
    assert "franceconnect.linked" in events(journeys)


@pytest.mark.rule("FC-4")
def test_wrong_password_links_nothing_and_the_identity_goes_on_waiting(journeys: Journeys) -> None:
    """A typo costs a try, not the journey."""
    an_account(journeys.context)
    journeys.go()

    refused = link_with_password(journeys, secret=OTHER_PASSWORD)

    assert isinstance(refused, password.Refused)
    assert rows(journeys, franceconnect_links) == 0
    assert isinstance(link_with_password(journeys), federated.SignedIn)


@pytest.mark.rule("LOG-2", "FC-4")
def test_guessing_on_the_link_page_is_braked(journeys: Journeys) -> None:
    """The page is no way around the throttle of the sign-in page."""
    an_account(journeys.context)
    journeys.go()

    outcomes = [link_with_password(journeys, secret=OTHER_PASSWORD) for _ in range(6)]

    assert isinstance(outcomes[-1], password.Throttled)
    assert isinstance(link_with_password(journeys), password.Throttled)


@pytest.mark.rule("FC-4")
def test_linking_without_an_identity_checks_no_password(journeys: Journeys) -> None:
    """Without an identity that waits, the page is no oracle for passwords."""
    an_account(journeys.context)

    outcome = link_with_password(journeys)

    assert outcome == Refused(Reason.EXPIRED, Way())


@pytest.mark.rule("ACC-6")
def test_account_of_somebody_else_is_not_linked_again(journeys: Journeys) -> None:
    """An account has one identity: another person's does not replace it, password or not."""
    an_account(journeys.context)
    journeys.answers(sub=SUBJECT)
    journeys.go()
    link_with_password(journeys)
    journeys.answers(sub=OTHER_SUBJECT, birthdate="1990-01-01", family_name="AUTRE")
    journeys.go()

    outcome = link_with_password(journeys)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.ALREADY_LINKED
    assert rows(journeys, franceconnect_links) == 1


@pytest.mark.rule("FC-3")
def test_changed_subject_is_linked_again_after_a_password_login(journeys: Journeys) -> None:
    """Civil status changed: the same birth, another name and subject; compared first, the old link stays as history."""
    account = an_account(journeys.context)
    journeys.answers(sub=SUBJECT)
    journeys.go()
    link_with_password(journeys)
    journeys.answers(sub=OTHER_SUBJECT, family_name="DURAND")
    journeys.go()

    came_in = link_with_password(journeys)
    compared = franceconnect_link.comparison(journeys.context, account.account_id, None, BROWSER) or []
    outcome = franceconnect_link.confirm_link(journeys.context, account, None, BROWSER, visit=journeys.visit)

    assert isinstance(came_in, linking.ToCompare)
    assert came_in.arrived.opened.session.authentication.methods == ("pwd",)
    assert [(one.name, one.ours, one.theirs) for one in compared if one.changes] == [
        ("family_name", "DUBOIS", "DURAND")
    ]
    assert isinstance(outcome, federated.SignedIn)
    assert values(journeys, account)["family_name"] == "DURAND"
    with journeys.context.database.read() as connection:
        links = connection.execute(
            select(franceconnect_links.c.upstream_subject, franceconnect_links.c.ended_reason)
        )
        assert {tuple(link) for link in links} == {(SUBJECT, "subject_changed"), (OTHER_SUBJECT, None)}


# Linking from the identity page


@pytest.mark.rule("FC-4")
def test_comparison_shows_what_would_change_and_changes_nothing(journeys: Journeys) -> None:
    """Ours beside FranceConnect's, before anything is replaced."""
    account = an_account(journeys.context)
    profile.declare(
        journeys.context, account.account_id, {"given_name": "Angela Claire Louise", "family_name": "Dupont"}
    )

    outcome = journeys.go(Purpose.LINK, account)

    assert isinstance(outcome, LinkComparison)
    compared = franceconnect_link.comparison(journeys.context, account.account_id, None, BROWSER) or []
    by_name = {one.name: (one.ours, one.theirs, one.changes) for one in compared}
    assert by_name["family_name"] == ("Dupont", "DUBOIS", True)
    assert by_name["given_name"] == ("Angela Claire Louise", "Angela Claire Louise", False)
    assert by_name["birthdate"] == (None, "1962-08-24", True)
    assert values(journeys, account)["family_name"] == "Dupont"


@pytest.mark.rule("FC-4")
def test_confirmed_comparison_links_and_certifies(journeys: Journeys) -> None:
    """Confirmed: the account is linked, and the session as sure as FranceConnect."""
    account = an_account(journeys.context)
    journeys.go(Purpose.LINK, account)

    outcome = franceconnect_link.confirm_link(journeys.context, account, None, BROWSER, visit=journeys.visit)

    assert isinstance(outcome, federated.SignedIn)
    assert outcome.arrived.opened.session.authentication.level == "eidas1"
    again = franceconnect_link.confirm_link(journeys.context, account, None, BROWSER, visit=journeys.visit)
    assert again == Refused(Reason.EXPIRED, Way())


@pytest.mark.rule("FC-4")
def test_cancelled_comparison_links_nothing(journeys: Journeys) -> None:
    """Cancelled: nothing changed, and nothing waits any more."""
    account = an_account(journeys.context)
    journeys.go(Purpose.LINK, account)

    franceconnect_link.cancel(journeys.context, Purpose.LINK, None, BROWSER)

    assert franceconnect_link.comparison(journeys.context, account.account_id, None, BROWSER) is None
    assert rows(journeys, franceconnect_links) == 0


@pytest.mark.rule("FC-4", "ACC-6")
def test_identity_of_another_account_is_not_offered_for_comparison(journeys: Journeys) -> None:
    """An identity that has an account is refused before anybody is asked to confirm."""
    journeys.person()
    account = an_account(journeys.context)

    outcome = journeys.go(Purpose.LINK, account)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.LINKED_ELSEWHERE


@pytest.mark.rule("FC-4")
def test_link_that_comes_back_to_another_session_is_refused(journeys: Journeys) -> None:
    """Who signed out on the way, or signed in as somebody else, links nothing."""
    account, other = an_account(journeys.context), an_account(journeys.context, "leo@example.fr")
    state = journeys.leave(Purpose.LINK, account)
    outcome = journeys.come_back(state, account=other)
    signed_out = journeys.come_back(journeys.leave(Purpose.LINK, account))

    for refused in (outcome, signed_out):
        assert isinstance(refused, Refused)
        assert refused.detail == "session_changed"
    journeys.go(Purpose.LINK, account)
    assert franceconnect_link.comparison(journeys.context, other.account_id, None, BROWSER) is None
    stolen = franceconnect_link.confirm_link(journeys.context, other, None, BROWSER, visit=journeys.visit)
    assert isinstance(stolen, Refused)


@pytest.mark.rule("PWD-9")
def test_proof_for_a_password_must_be_of_the_same_person(journeys: Journeys) -> None:
    """A fresh FranceConnect login of somebody else proves nothing for this account."""
    account = journeys.person(sub=SUBJECT)
    same = journeys.go(Purpose.REAUTHENTICATE, account)
    journeys.answers(sub=OTHER_SUBJECT, family_name="AUTRE")
    other = journeys.go(Purpose.REAUTHENTICATE, account)

    assert isinstance(same, federated.SignedIn)
    assert isinstance(other, Refused)


# Logout


@pytest.mark.rule("LOG-7")
def test_logout_goes_through_franceconnect_and_comes_back(journeys: Journeys) -> None:
    """The raw ID token waits sealed; the state brings the person back to where they were going."""
    state = upstream_logout.begin_logout(
        journeys.context,
        OpenSession("franceconnect", "le.jeton.brut"),
        browser_hash=BROWSER,
        continue_to="https://service.example/fin",
    )

    assert state is not None
    departure = upstream_logout.logout_departure(journeys.context, state, browser_hash=BROWSER)
    assert departure is not None
    assert "id_token_hint=le.jeton.brut" in departure
    assert upstream_logout.logout_departure(journeys.context, state, browser_hash=OTHER_BROWSER) is None
    assert upstream_logout.end_logout(journeys.context, state, browser_hash=OTHER_BROWSER) is None
    back = upstream_logout.end_logout(journeys.context, state, browser_hash=BROWSER)
    assert back == Way(None, "https://service.example/fin")
    assert upstream_logout.end_logout(journeys.context, state, browser_hash=BROWSER) is None


@pytest.mark.rule("LOG-7")
def test_state_of_a_logout_signs_nobody_in(journeys: Journeys) -> None:
    """States of one kind serve that kind only."""
    left_open = OpenSession("franceconnect", "t")
    state = upstream_logout.begin_logout(journeys.context, left_open, browser_hash=BROWSER, continue_to=None)
    assert state is not None

    outcome = journeys.come_back(state)

    assert isinstance(outcome, Refused)
    assert rows(journeys, session_table) == 0


# The identity page's use case


@pytest.mark.rule("FC-2", "PRO-3")
def test_certified_value_is_refused_by_the_use_case(journeys: Journeys) -> None:
    """Whatever a form sends, a locked value stays; all of the form or nothing."""
    account = journeys.person()

    outcome = profile.declare(
        journeys.context, account.account_id, {"preferred_username": "Lovelace", "family_name": "Dupont"}
    )

    assert outcome == Locked("family_name")
    assert values(journeys, account)["family_name"] == "DUBOIS"
    assert "preferred_username" not in values(journeys, account)
