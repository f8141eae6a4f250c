"""People and both portals of the State: FranceConnect and FranceConnect+, one account, nothing guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from idp.services.account import franceconnect_link
from idp.services.sign_in import federated, linking, sessions, upstream_logout
from idp.services.sign_in.federated import FirstTime, LinkComparison, Purpose, Reason, Refused
from idp.services.sign_in.journeys import OpenSession
from idp.services.sign_in.portals import FRANCECONNECT, FRANCECONNECT_PLUS, Choice
from idp.storage.models import accounts, audit_events, franceconnect_links
from idp.storage.models import sessions as session_table
from tests.support.builders import HOME, PASSWORD, an_account, mails
from tests.support.franceconnect import SUBJECT, ForgedFranceConnect
from tests.support.journeys import BROWSER, Journeys, journeys_on

if TYPE_CHECKING:
    from sqlalchemy import Table

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

PLUS_SUBJECT = "e" * 64 + "v1"
PLUS = Choice(FRANCECONNECT_PLUS, "eidas2")


@pytest.fixture
def journeys(database: Database, clock: SettableClock) -> Journeys:
    """Both portals; the same person has another subject at each."""
    made = journeys_on(database, clock)
    plus = ForgedFranceConnect(clock, issuer="https://fcplus.example/api/v2")
    context = replace(made.context, franceconnect_plus=plus.client(acr_values="eidas2 eidas3"))
    both = Journeys(context, made.forged, made.visit, plus)
    both.answers()
    at_plus(both)
    return both


def at_plus(journeys: Journeys, acr: str = "eidas2", sub: str = PLUS_SUBJECT, **claims: Any) -> None:
    """Say who FranceConnect+ will send from now on."""
    assert journeys.plus is not None
    journeys.plus.id_token = {"acr": acr, "sub": sub}
    journeys.plus.userinfo = {"sub": sub, **claims}


def rows(journeys: Journeys, table: Table, *conditions: Any) -> int:
    """Count the rows of a table."""
    with journeys.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def links(journeys: Journeys) -> set[tuple[str, str, str, str | None]]:
    """Tell every link: portal, subject, level, why it ended."""
    columns = franceconnect_links.c
    with journeys.context.database.read() as connection:
        found = connection.execute(
            select(columns.provider, columns.upstream_subject, columns.level, columns.ended_reason)
        )
        return {tuple(row) for row in found}


def link_with_password(journeys: Journeys) -> linking.Outcome:
    """Link the identity that waits to the account of the tests."""
    return linking.link_with_password(
        journeys.context,
        "zoe@example.fr",
        PASSWORD,
        address=HOME,
        browser_hash=BROWSER,
        visit=journeys.visit,
    )


# Nothing is guessed, and nothing is crossed


@pytest.mark.rule("FC-3", "ACC-6")
def test_person_known_at_the_other_portal_is_led_there_and_never_guessed(journeys: Journeys) -> None:
    """Not signed in, the same pivot under another portal: no session, no link, no account; where to begin is said."""
    journeys.person()
    before = rows(journeys, session_table)

    outcome = journeys.go(portal=PLUS)

    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.provider) == (Reason.OTHER_PORTAL, FRANCECONNECT_PLUS)
    assert not outcome.may_retry
    assert rows(journeys, session_table) == before
    assert rows(journeys, accounts) == rows(journeys, franceconnect_links) == 1


@pytest.mark.rule("FC-1")
def test_callback_of_the_other_portal_is_refused(journeys: Journeys) -> None:
    """A state serves at the callback of its own portal: an answer can't be passed off as another's."""
    journeys.person()
    state = journeys.leave()

    crossed = journeys.come_back(state, portal=PLUS)
    right = journeys.come_back(state)

    assert isinstance(crossed, Refused | federated.Doubled)
    assert isinstance(right, federated.SignedIn)


@pytest.mark.rule("FC-1", "ACC-6")
def test_subject_of_one_portal_means_nobody_at_the_other(journeys: Journeys) -> None:
    """Subjects are per portal: one that happens to be equal is somebody else's."""
    journeys.person(sub=SUBJECT)
    at_plus(journeys, sub=SUBJECT, family_name="AUTRE", birthdate="1990-01-01")

    assert isinstance(journeys.go(portal=PLUS), FirstTime)


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "asked, answered", [("eidas2", "eidas1"), ("eidas3", "eidas2"), ("eidas3", "eidas1")]
)
def test_level_below_the_one_that_the_journey_asked_for_is_refused(
    journeys: Journeys, asked: str, answered: str
) -> None:
    """What was asked for goes with the journey, and nobody comes in below it."""
    at_plus(journeys, acr=answered)

    outcome = journeys.go(portal=Choice(FRANCECONNECT_PLUS, asked))

    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.detail) == (Reason.MISBEHAVED, "id_token.acr")


@pytest.mark.rule("ACC-6", "FC-3")
def test_identity_of_another_account_is_not_linked_through_the_other_portal(journeys: Journeys) -> None:
    """One person, one account, whichever portals they use."""
    journeys.person()
    account = an_account(journeys.context)

    outcome = journeys.go(Purpose.LINK, account, portal=PLUS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.IDENTITY_TAKEN
    assert outcome.left_open is not None
    assert rows(journeys, franceconnect_links) == 1


@pytest.mark.rule("ACC-6", "FC-4")
def test_somebody_else_is_not_linked_through_the_other_portal(journeys: Journeys) -> None:
    """An account has one identity: another person's of the other portal does not come beside it."""
    account = journeys.person()
    at_plus(journeys, birthdate="1990-01-01", given_name_array=["Autre"])

    outcome = journeys.go(Purpose.LINK, account, portal=PLUS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.ALREADY_LINKED
    assert rows(journeys, franceconnect_links) == 1


@pytest.mark.rule("FC-3")
def test_login_that_takes_the_name_of_another_account_is_refused(journeys: Journeys) -> None:
    """A changed civil status that makes two accounts one person's, at two portals: stopped, nothing merged."""
    first = journeys.person()
    at_plus(journeys, family_name="AUTRE")
    second = an_account(journeys.context)
    assert isinstance(journeys.go(portal=PLUS), FirstTime)
    assert isinstance(link_with_password(journeys), federated.SignedIn)
    at_plus(journeys)

    outcome = journeys.go(portal=PLUS)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.IDENTITY_TAKEN
    assert first.account_id != second.account_id
    assert links(journeys) == {
        (FRANCECONNECT, SUBJECT, "eidas1", None),
        (FRANCECONNECT_PLUS, PLUS_SUBJECT, "eidas2", None),
    }


# Linked at both


@pytest.mark.rule("FC-3", "FC-4", "FC-6")
def test_same_identity_is_linked_at_once_when_signed_in(journeys: Journeys) -> None:
    """Proven on both sides, and certified alike: nothing to compare; the session rises to what was said."""
    account = journeys.person()

    outcome = journeys.go(Purpose.LINK, account, portal=PLUS)

    assert isinstance(outcome, federated.SignedIn)
    session = outcome.arrived.opened.session
    assert (session.authentication.level, session.upstream) == ("eidas2", FRANCECONNECT_PLUS)
    assert links(journeys) == {
        (FRANCECONNECT, SUBJECT, "eidas1", None),
        (FRANCECONNECT_PLUS, PLUS_SUBJECT, "eidas2", None),
    }
    assert "franceconnect_linked" in {mail.event for mail in mails(journeys.context)}
    assert franceconnect_link.linked_portals(journeys.context, account.account_id) in {
        (FRANCECONNECT, FRANCECONNECT_PLUS),
        (FRANCECONNECT_PLUS, FRANCECONNECT),
    }


@pytest.mark.rule("FC-3")
@pytest.mark.parametrize(
    "ordinary, plus",
    [
        ({"birthdate": "1992-11-01"}, {"birthdate": "1992-11-00"}),
        ({"birthdate": "1992-01-01"}, {"birthdate": "1992-00-00"}),
        ({"birthplace": "", "birthcountry": "99352"}, {"birthplace": "Alger", "birthcountry": "99352"}),
        ({"birthplace": None, "birthcountry": "99352"}, {"birthplace": "Alger", "birthcountry": "99352"}),
    ],
    ids=str,
)
def test_what_the_portals_write_in_two_ways_is_one_person(
    journeys: Journeys, ordinary: dict[str, Any], plus: dict[str, Any]
) -> None:
    """Unknown days and places abroad: the same person, who signs in at both afterwards, and is never blocked."""
    account = journeys.person(**ordinary)
    at_plus(journeys, **plus)

    linked = journeys.go(Purpose.LINK, account, portal=PLUS)

    assert isinstance(linked, federated.SignedIn)
    for portal in (None, PLUS, None):
        assert isinstance(journeys.go(portal=portal), federated.SignedIn)


@pytest.mark.rule("FC-3", "FC-4")
def test_changed_name_at_the_other_portal_is_compared_first(journeys: Journeys) -> None:
    """Signed in, the same birth, another name: the person sees what would change."""
    account = journeys.person()
    at_plus(journeys, family_name="DURAND")

    outcome = journeys.go(Purpose.LINK, account, portal=PLUS)
    confirmed = franceconnect_link.confirm_link(
        journeys.context, account, None, BROWSER, visit=journeys.visit
    )

    assert isinstance(outcome, LinkComparison)
    assert isinstance(confirmed, federated.SignedIn)
    assert confirmed.arrived.opened.session.authentication.level == "eidas2"
    assert len(links(journeys)) == 2


@pytest.mark.rule("FC-6")
def test_each_login_is_worth_what_its_portal_said(journeys: Journeys) -> None:
    """A session never has the level of an earlier one; a link keeps that of its latest login."""
    account = journeys.person()
    journeys.go(Purpose.LINK, account, portal=PLUS)
    at_plus(journeys, acr="eidas3")

    levels = [
        outcome.arrived.opened.session.authentication.level
        for outcome in (journeys.go(portal=PLUS), journeys.go())
        if isinstance(outcome, federated.SignedIn)
    ]

    assert levels == ["eidas3", "eidas1"]
    assert links(journeys) == {
        (FRANCECONNECT, SUBJECT, "eidas1", None),
        (FRANCECONNECT_PLUS, PLUS_SUBJECT, "eidas3", None),
    }


@pytest.mark.rule("FC-1", "ACC-2")
def test_account_may_begin_at_franceconnect_plus(journeys: Journeys) -> None:
    """The first time by FranceConnect+, alone or not: everything waits and is linked under its portal."""
    an_account(journeys.context)
    assert isinstance(journeys.go(portal=PLUS), FirstTime)

    outcome = link_with_password(journeys)

    assert isinstance(outcome, federated.SignedIn)
    assert links(journeys) == {(FRANCECONNECT_PLUS, PLUS_SUBJECT, "eidas2", None)}


# Leaving


@pytest.mark.rule("LOG-7")
def test_logout_goes_to_the_portal_that_the_session_came_from(journeys: Journeys) -> None:
    """Its own token to its own address."""
    account = journeys.person()
    outcome = journeys.go(Purpose.LINK, account, portal=PLUS)
    assert isinstance(outcome, federated.SignedIn)
    ended = sessions.end(journeys.context, account.account_id, outcome.arrived.opened.session.session_id)
    assert (ended.upstream, ended.upstream_id_token is not None) == (FRANCECONNECT_PLUS, True)
    left_open = OpenSession(str(ended.upstream), str(ended.upstream_id_token))

    state = upstream_logout.begin_logout(journeys.context, left_open, browser_hash=BROWSER, continue_to=None)
    assert state is not None
    departure = upstream_logout.logout_departure(journeys.context, state, browser_hash=BROWSER)

    assert departure is not None
    assert departure.startswith("https://fcplus.example/api/v2/session/end?")
    assert upstream_logout.end_logout(journeys.context, state, browser_hash=BROWSER) is not None


@pytest.mark.rule("LOG-7")
def test_portal_that_was_switched_off_is_not_gone_to(journeys: Journeys) -> None:
    """An administrator turned it off since: the logout ends here."""
    off = replace(journeys.context, franceconnect_plus=None)
    left_open = OpenSession(FRANCECONNECT_PLUS, "le.jeton.brut")
    state = upstream_logout.begin_logout(journeys.context, left_open, browser_hash=BROWSER, continue_to=None)

    assert upstream_logout.begin_logout(off, left_open, browser_hash=BROWSER, continue_to=None) is None
    assert upstream_logout.logout_departure(off, str(state), browser_hash=BROWSER) is None


@pytest.mark.rule("FC-4", "ACC-6")
@pytest.mark.parametrize("portal", [None, PLUS], ids=["ordinary", "plus"])
def test_whoever_is_turned_away_leaves_their_session_at_the_portal(
    journeys: Journeys, portal: Choice | None
) -> None:
    """Linked elsewhere, or declined by the person: what is to be ended there is told, and never shown."""
    owner = journeys.person()
    if portal is not None:
        journeys.go(Purpose.LINK, owner, portal=PLUS)
    other = an_account(journeys.context)

    refused = journeys.go(Purpose.LINK, other, portal=portal)

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.LINKED_ELSEWHERE
    assert refused.left_open is not None
    assert refused.left_open.provider == (FRANCECONNECT if portal is None else FRANCECONNECT_PLUS)
    assert refused.left_open.id_token not in repr(refused)


@pytest.mark.rule("FC-4")
def test_declined_comparison_tells_what_to_end(journeys: Journeys) -> None:
    """Cancelled: nothing waits any more, and the session there is to end; a second click ends nothing."""
    account = an_account(journeys.context)
    journeys.go(Purpose.LINK, account, portal=PLUS)

    left_open = franceconnect_link.cancel(journeys.context, Purpose.LINK, None, BROWSER)

    assert left_open is not None
    assert left_open.provider == FRANCECONNECT_PLUS
    assert franceconnect_link.cancel(journeys.context, Purpose.LINK, None, BROWSER) is None
    assert franceconnect_link.comparison(journeys.context, account.account_id, None, BROWSER) is None


# Other birth data


@pytest.mark.rule("FC-3")
@pytest.mark.parametrize(
    "claims",
    [
        {"birthdate": "1963-08-24"},
        {"birthplace": "75108"},
        {"birthplace": "", "birthcountry": "99352"},
    ],
    ids=str,
)
@pytest.mark.parametrize("portal", [None, PLUS], ids=["ordinary", "plus"])
def test_other_birth_data_are_blocked_told_and_recorded(
    journeys: Journeys, claims: dict[str, Any], portal: Choice | None
) -> None:
    """The same subject, born otherwise: nothing is written, the resident gets a mail without a value."""
    owner = journeys.person()
    journeys.go(Purpose.LINK, owner, portal=PLUS)
    journeys.answers(**claims)
    at_plus(journeys, **claims)
    before = (links(journeys), rows(journeys, session_table))

    outcome = journeys.go(portal=portal)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.BIRTH_DATA_CHANGED
    assert outcome.left_open is not None
    assert (links(journeys), rows(journeys, session_table)) == before
    told = [mail for mail in mails(journeys.context) if mail.event == "franceconnect_blocked"]
    assert [(mail.to, set(mail.variables)) for mail in told] == [(owner.email, {"at"})]
    assert rows(journeys, audit_events, audit_events.c.name == "franceconnect.refused") == 1


@pytest.mark.rule("FC-1")
def test_answer_of_the_other_issuer_is_refused(journeys: Journeys) -> None:
    """An answer that names another portal than the one that was left for (RFC 9207)."""
    state = journeys.leave(portal=PLUS)
    assert journeys.plus is not None
    journeys.plus.issuer = journeys.forged.issuer

    outcome = journeys.come_back(state, portal=PLUS)

    assert isinstance(outcome, Refused)
    assert outcome.detail == "callback.iss"
