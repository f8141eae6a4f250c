"""What the person must still do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.domain.authentication import ACR_EIDAS1, ACR_EIDAS2, ACR_EIDAS3, ACR_PASSWORD, levels_up_to
from idp.domain.client import Client
from idp.protocol.authorization.interaction import (
    PROCEED,
    SILENT_ERRORS,
    Ask,
    Decision,
    Facts,
    Reason,
    Refuse,
    Step,
    authentication_is_recent,
    decide,
    level_is_reached,
    reported_acr,
    wanted_levels,
)
from idp.protocol.claims.requested import Shortfall
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import (
    NOW,
    PARKING,
    a_client,
    a_consent,
    a_pending,
    a_public_client,
    a_session,
    read,
)

EARLIER = NOW - timedelta(hours=1)
LATER = NOW + timedelta(seconds=30)
ALL_WELL = Facts(now=NOW, session=a_session(EARLIER), subject="sub-1", consent=a_consent())
PASSWORD_ONLY = levels_up_to(ACR_PASSWORD)
WITH_FRANCECONNECT = levels_up_to(ACR_EIDAS1)
WITH_FRANCECONNECT_PLUS = levels_up_to(ACR_EIDAS2)
ESSENTIAL = '{"id_token": {"acr": {"essential": true, "value": "%s"}}}'


def decided(
    client: Client = PARKING,
    request: dict[str, str] | None = None,
    **facts: object,
) -> Decision:
    """Decide a request when all is well but for some facts."""
    return decide(read(client, **(request or {})), replace(ALL_WELL, **facts))


def code_of(decision: Decision) -> ErrorCode:
    """Give the error of a refusal."""
    assert isinstance(decision, Refuse)
    assert decision.reason
    return decision.code


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize(
    "request_, facts, step, reason",
    [
        ({}, {"session": None}, Step.SIGN_IN, Reason.NO_SESSION),
        ({}, {"hinted_subject": "sub-2"}, Step.SIGN_IN, Reason.ANOTHER_PERSON),
        ({"prompt": "select_account"}, {}, Step.SELECT_ACCOUNT, Reason.PROMPT_SELECT_ACCOUNT),
        ({"prompt": "login"}, {}, Step.REAUTHENTICATE, Reason.PROMPT_LOGIN),
        ({"max_age": "3599"}, {}, Step.REAUTHENTICATE, Reason.MAX_AGE),
        ({"max_age": "0"}, {"session": a_session(NOW)}, Step.REAUTHENTICATE, Reason.MAX_AGE),
        (
            {"acr_values": "eidas1"},
            {"reachable_levels": WITH_FRANCECONNECT},
            Step.STEP_UP,
            Reason.LEVEL_VOLUNTARY,
        ),
        (
            {"claims": ESSENTIAL % "eidas1"},
            {"reachable_levels": WITH_FRANCECONNECT},
            Step.STEP_UP,
            Reason.LEVEL_ESSENTIAL,
        ),
        ({}, {"terms_accepted": False}, Step.TERMS, Reason.NEW_TERMS),
        (
            {},
            {"shortfall": Shortfall(missing=("email",))},
            Step.COMPLETE_PROFILE,
            Reason.CLAIM_MISSING,
        ),
        (
            {},
            {"shortfall": Shortfall(missing=("address", "phone_number"))},
            Step.COMPLETE_CONTACT_DETAILS,
            Reason.CLAIM_MISSING,
        ),
        (
            {},
            {"shortfall": Shortfall(missing=("address", "birthdate"))},
            Step.COMPLETE_PROFILE,
            Reason.CLAIM_MISSING,
        ),
        (
            {},
            {"shortfall": Shortfall(uncertified=("birthdate",)), "reachable_levels": WITH_FRANCECONNECT},
            Step.STEP_UP,
            Reason.CLAIM_UNCERTIFIED,
        ),
        ({}, {"consent": None}, Step.CONSENT, Reason.FIRST_CONSENT),
        ({}, {"consent": a_consent(policy_version="0")}, Step.CONSENT, Reason.POLICY_CHANGED),
        ({"prompt": "consent"}, {}, Step.CONSENT, Reason.PROMPT_CONSENT),
    ],
)
def test_each_thing_missing_asks_for_its_step(
    request_: dict[str, str], facts: dict[str, object], step: Step, reason: Reason
) -> None:
    """One thing missing gives one page, and the reason for it."""
    assert decided(PARKING, request_, **facts) == Ask(step, reason)


def test_nothing_missing_proceeds() -> None:
    """A session and a remembered consent are enough for a confidential client."""
    assert decided() is PROCEED


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize(
    "request_, facts, code",
    [
        ({}, {"session": None}, ErrorCode.LOGIN_REQUIRED),
        ({}, {"hinted_subject": "sub-2"}, ErrorCode.LOGIN_REQUIRED),
        ({"max_age": "60"}, {}, ErrorCode.LOGIN_REQUIRED),
        ({"max_age": "0"}, {}, ErrorCode.LOGIN_REQUIRED),
        ({}, {"terms_accepted": False}, ErrorCode.INTERACTION_REQUIRED),
        ({}, {"shortfall": Shortfall(missing=("email",))}, ErrorCode.INTERACTION_REQUIRED),
        (
            {"claims": ESSENTIAL % "eidas1"},
            {"reachable_levels": WITH_FRANCECONNECT},
            ErrorCode.INTERACTION_REQUIRED,
        ),
        ({}, {"consent": None}, ErrorCode.CONSENT_REQUIRED),
        (
            {"scope": "openid offline_access"},
            {"consent": a_consent(scopes=frozenset({"openid"}))},
            ErrorCode.CONSENT_REQUIRED,
        ),
    ],
)
def test_silent_request_gets_an_error_where_a_page_would_be(
    request_: dict[str, str], facts: dict[str, object], code: ErrorCode
) -> None:
    """`prompt=none` never shows a page: it says which one was needed."""
    assert code_of(decided(PARKING, {"prompt": "none", **request_}, **facts)) is code


def test_each_step_has_a_silent_error() -> None:
    """A new step can't forget what it answers in silence."""
    assert set(SILENT_ERRORS) == set(Step)


@pytest.mark.rule("LOG-4")
def test_silent_request_with_voluntary_level_proceeds_with_less() -> None:
    """A level that is only wished for does not stop a silent answer."""
    assert (
        decided(PARKING, {"prompt": "none", "acr_values": "eidas1"}, reachable_levels=WITH_FRANCECONNECT)
        is PROCEED
    )


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize("request_", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}])
def test_authentication_after_the_request_satisfies_it_once(request_: dict[str, str]) -> None:
    """A new login counts when it is later than the request, however long the person then takes."""
    after = NOW + timedelta(hours=2)
    pending = a_pending(authenticated_at=LATER)
    facts: dict[str, object] = {"pending": pending, "session": a_session(LATER), "now": after}

    assert decided(PARKING, request_, **facts) is PROCEED


@pytest.mark.rule("LOG-4")
def test_authentication_in_the_session_after_the_request_counts() -> None:
    """What the session says is enough: the kept request may not have been told."""
    decision = decided(PARKING, {"prompt": "login"}, pending=a_pending(), session=a_session(LATER))

    assert decision is PROCEED


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize("request_", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}])
def test_authentication_before_the_request_does_not_count(request_: dict[str, str]) -> None:
    """Coming back to the kept request without a new login asks again."""
    stale = a_pending(authenticated_at=EARLIER)

    for pending in (a_pending(), stale):
        decision = decided(PARKING, request_, pending=pending)
        assert isinstance(decision, Ask)
        assert decision.step is Step.REAUTHENTICATE


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize("age", ["3600", "9999999999"])
def test_max_age_that_is_not_past_proceeds(age: str) -> None:
    """A session as old as allowed is not too old."""
    assert decided(PARKING, {"max_age": age}) is PROCEED


@pytest.mark.rule("LOG-4")
def test_account_that_was_chosen_is_not_asked_again() -> None:
    """Choosing the account, or signing in for this request, answers `select_account`."""
    request = {"prompt": "select_account"}

    assert decided(PARKING, request, pending=a_pending(account_selected_at=LATER)) is PROCEED
    assert decided(PARKING, request, pending=a_pending(authenticated_at=LATER)) is PROCEED
    assert isinstance(decided(PARKING, request, pending=a_pending()), Ask)


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize(
    "request_, facts",
    [
        ({}, {"hinted_subject": "sub-2"}),
        ({"claims": '{"id_token": {"sub": {"value": "sub-2"}}}'}, {}),
        ({"claims": '{"userinfo": {"sub": {"value": "sub-2"}}}'}, {}),
        (
            {"claims": '{"id_token": {"sub": {"value": "sub-2"}}}'},
            {"hinted_subject": "sub-1"},
        ),
    ],
    ids=["hint", "claim in the ID Token", "claim at UserInfo", "hint and claim at odds"],
)
def test_another_person_gets_one_chance_then_login_required(
    request_: dict[str, str], facts: dict[str, object]
) -> None:
    """An answer about somebody else than the one meant is never given, and nobody loops."""
    first = decided(PARKING, request_, **facts)
    then = decided(PARKING, request_, **facts, pending=a_pending(authenticated_at=LATER))
    waiting = decided(PARKING, request_, **facts, pending=a_pending())

    assert first == waiting == Ask(Step.SIGN_IN, Reason.ANOTHER_PERSON)
    assert code_of(then) is ErrorCode.LOGIN_REQUIRED


@pytest.mark.rule("LOG-4")
def test_person_who_is_the_one_meant_proceeds() -> None:
    """A hint that names the person signed in changes nothing."""
    assert decided(PARKING, {}, hinted_subject="sub-1") is PROCEED


@pytest.mark.rule("LOG-4")
def test_wish_that_the_person_declined_is_not_asked_again() -> None:
    """A demand is: declining is no way around it."""
    pending = a_pending(step_up_declined_at=NOW)

    assert (
        decided(PARKING, {"acr_values": "eidas1"}, reachable_levels=WITH_FRANCECONNECT, pending=pending)
        is PROCEED
    )
    assert decided(
        PARKING, {"claims": ESSENTIAL % "eidas1"}, reachable_levels=WITH_FRANCECONNECT, pending=pending
    ) == Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL)


@pytest.mark.rule("LOG-4")
def test_voluntary_level_out_of_reach_proceeds() -> None:
    """With FranceConnect off, or a level we do not know, a wish does not stop the answer."""
    assert decided(PARKING, {"acr_values": "eidas1"}) is PROCEED
    assert decided(PARKING, {"acr_values": "eidas3"}, reachable_levels=WITH_FRANCECONNECT) is PROCEED


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize(
    "value, reachable",
    [
        (ACR_EIDAS1, PASSWORD_ONLY),
        (ACR_EIDAS2, PASSWORD_ONLY),
        (ACR_EIDAS2, WITH_FRANCECONNECT),
        (ACR_EIDAS3, WITH_FRANCECONNECT_PLUS),
        ("eidas4", levels_up_to(ACR_EIDAS3)),
    ],
)
@pytest.mark.parametrize("is_signed_in", [True, False])
@pytest.mark.parametrize("prompt", ["", "none"])
def test_essential_level_out_of_reach_is_refused_before_any_page(
    *, value: str, reachable: tuple[str, ...], is_signed_in: bool, prompt: str
) -> None:
    """Nobody signs in for nothing: a level that can't be had is refused at once."""
    decision = decided(
        PARKING,
        {"claims": ESSENTIAL % value, "prompt": prompt},
        reachable_levels=reachable,
        session=a_session(EARLIER) if is_signed_in else None,
    )

    assert code_of(decision) is ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize("reachable", [WITH_FRANCECONNECT, PASSWORD_ONLY])
@pytest.mark.parametrize("value", [ACR_EIDAS1, ACR_PASSWORD])
def test_essential_level_that_the_session_has_proceeds(value: str, *, reachable: tuple[str, ...]) -> None:
    """A session by FranceConnect satisfies what it is worth, FranceConnect being on or not."""
    session = a_session(EARLIER, ACR_EIDAS1)

    decision = decided(PARKING, {"claims": ESSENTIAL % value}, session=session, reachable_levels=reachable)

    assert decision is PROCEED


@pytest.mark.rule("LOG-4", "FC-6")
@pytest.mark.parametrize(
    "reachable, wish, expected",
    [
        (WITH_FRANCECONNECT, "eidas2", PROCEED),
        (WITH_FRANCECONNECT, "eidas2 eidas1", Ask(Step.STEP_UP, Reason.LEVEL_VOLUNTARY)),
        (WITH_FRANCECONNECT_PLUS, "eidas2", Ask(Step.STEP_UP, Reason.LEVEL_VOLUNTARY)),
        (WITH_FRANCECONNECT_PLUS, "eidas3", PROCEED),
        (WITH_FRANCECONNECT_PLUS, "unheard-of", PROCEED),
    ],
)
def test_wish_is_asked_for_where_a_portal_reaches_it(
    reachable: tuple[str, ...], wish: str, expected: Decision
) -> None:
    """Nobody is sent to a portal that can't give what the service would like."""
    assert decided(PARKING, {"acr_values": wish}, reachable_levels=reachable) == expected


@pytest.mark.rule("LOG-4", "FC-6")
@pytest.mark.parametrize("held", [ACR_PASSWORD, ACR_EIDAS1, "unheard-of"])
def test_demand_for_eidas2_is_asked_of_whoever_has_less(held: str) -> None:
    """FranceConnect+ is on: a session of the ordinary portal, or of a level that nobody knows, must rise."""
    session = a_session(EARLIER, held)

    decision = decided(
        PARKING,
        {"claims": ESSENTIAL % ACR_EIDAS2},
        session=session,
        reachable_levels=WITH_FRANCECONNECT_PLUS,
    )

    assert decision == Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL)


@pytest.mark.parametrize(
    "claims, level, expected",
    [
        (None, None, ACR_PASSWORD),
        (None, ACR_EIDAS1, ACR_EIDAS1),
        (ESSENTIAL % ACR_PASSWORD, ACR_EIDAS1, ACR_PASSWORD),
        (ESSENTIAL % ACR_EIDAS1, ACR_EIDAS1, ACR_EIDAS1),
        (ESSENTIAL % ACR_EIDAS1, ACR_EIDAS3, ACR_EIDAS1),
        (ESSENTIAL % ACR_EIDAS3, ACR_EIDAS2, ACR_EIDAS2),
        (ESSENTIAL % "eidas3", None, ACR_PASSWORD),
        (ESSENTIAL % ACR_EIDAS1, "unheard-of", "unheard-of"),
    ],
)
def test_reported_acr_is_one_of_those_demanded(claims: str | None, level: str | None, expected: str) -> None:
    """A session that is worth more is told at the level that was demanded."""
    assert reported_acr(read(claims=claims), a_session(NOW, level)) == expected


def test_required_claim_that_nothing_can_certify_is_refused() -> None:
    """Without FranceConnect nobody can certify: the service is told so."""
    decision = decided(shortfall=Shortfall(uncertified=("birthdate",)))

    assert code_of(decision) is ErrorCode.ACCESS_DENIED


@pytest.mark.rule("CON-2")
def test_consent_that_covers_is_remembered_until_what_is_asked_grows() -> None:
    """A claim or a scope more than what was answered asks again."""
    narrow = a_consent(claims=frozenset({"family_name", "given_name"}))

    assert decided(PARKING, {"scope": "openid profile"}, consent=narrow) is PROCEED
    assert decided(PARKING, {"scope": "openid profile email"}, consent=narrow) == Ask(
        Step.CONSENT, Reason.CONSENT_OUTGROWN
    )


@pytest.mark.rule("CON-2")
def test_optional_claim_that_was_refused_is_not_asked_again() -> None:
    """A no is remembered as a yes is."""
    consent = a_consent(claims=frozenset({"family_name", "given_name"}), refused_claims=frozenset({"email"}))

    assert decided(PARKING, {"scope": "openid profile email"}, consent=consent) is PROCEED


@pytest.mark.rule("CON-2")
def test_refused_claim_that_became_required_is_asked_again() -> None:
    """The contract may grow too: what the service can't do without is asked anew."""
    consent = a_consent(claims=frozenset({"given_name"}), refused_claims=frozenset({"family_name"}))

    assert decided(PARKING, {"scope": "openid profile"}, consent=consent) == Ask(
        Step.CONSENT, Reason.CONSENT_OUTGROWN
    )


def test_client_without_consent_screen_proceeds_without_one() -> None:
    """A service that stands on another legal basis is not asked for consent..."""
    client = a_client(consent_required=False)

    assert decided(client, {}, consent=None) is PROCEED
    assert decided(client, {"prompt": "consent"}, consent=None) == Ask(Step.CONSENT, Reason.PROMPT_CONSENT)


@pytest.mark.spec("OIDC Core", "11", "MUST")
def test_offline_access_always_needs_consent() -> None:
    """...but for access while the person is away."""
    client = a_client(consent_required=False)

    decision = decided(client, {"scope": "openid offline_access"}, consent=None)

    assert decision == Ask(Step.CONSENT, Reason.FIRST_CONSENT)


def test_prompt_consent_is_satisfied_by_consent_for_this_request() -> None:
    """The page is shown once, not for ever."""
    pending = a_pending(consented_at=LATER)

    assert decided(PARKING, {"prompt": "consent"}, pending=pending) is PROCEED


def test_consent_for_this_request_that_does_not_cover_asks_again() -> None:
    """A yes to less than what is asked is no yes."""
    decision = decided(PARKING, {}, consent=None, pending=a_pending(consented_at=LATER))

    assert decision == Ask(Step.CONSENT, Reason.FIRST_CONSENT)


@pytest.mark.rule("CON-2")
@pytest.mark.parametrize("consent_required", [True, False])
def test_public_client_is_asked_at_each_request(*, consent_required: bool) -> None:
    """Nothing proves who starts a public client's request: the person says so each time."""
    client = a_public_client(consent_required=consent_required)

    assert decided(client) == Ask(Step.CONSENT, Reason.PUBLIC_CLIENT)
    assert decided(client, {}, pending=a_pending()) == Ask(Step.CONSENT, Reason.PUBLIC_CLIENT)
    assert decided(client, {}, pending=a_pending(consented_at=LATER)) is PROCEED


@pytest.mark.rule("OID-10")
def test_public_client_in_silence_proceeds_when_its_host_is_proven() -> None:
    """A page of a known host may look for a session without a click, within a given consent."""
    client = a_public_client()

    assert decided(client, {"prompt": "none"}) is PROCEED
    assert code_of(decided(client, {"prompt": "none"}, consent=None)) is ErrorCode.CONSENT_REQUIRED


@pytest.mark.spec("RFC 8252", "8.6", "SHOULD NOT")
@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "com.example.app:/cb"])
def test_app_in_silence_gets_consent_required(uri: str) -> None:
    """Any program can listen at a loopback port or take a scheme: no answer without the person."""
    client = a_public_client(redirect_uris=(uri,))

    decision = decided(client, {"prompt": "none", "redirect_uri": uri})

    assert code_of(decision) is ErrorCode.CONSENT_REQUIRED


def test_steps_come_in_the_order_of_the_design() -> None:
    """With everything missing, the person is led step by step."""
    everything = {
        "prompt": "login select_account consent",
        "acr_values": "eidas1",
        "scope": "openid profile email",
    }
    facts = Facts(
        now=LATER,
        terms_accepted=False,
        shortfall=Shortfall(missing=("email",)),
        reachable_levels=WITH_FRANCECONNECT,
        pending=a_pending(),
    )
    old = replace(facts, session=a_session(EARLIER), subject="sub-1")
    chosen = replace(old, pending=a_pending(account_selected_at=LATER))
    fresh = replace(chosen, session=a_session(LATER))
    certain = replace(fresh, session=a_session(LATER, ACR_EIDAS1))
    bound = replace(certain, terms_accepted=True)
    whole = replace(bound, shortfall=Shortfall())
    agreed = replace(whole, consent=a_consent(), pending=a_pending(consented_at=LATER))

    decisions = [
        decide(read(**everything), stage)
        for stage in (facts, old, chosen, fresh, certain, bound, whole, agreed)
    ]

    assert [d.step if isinstance(d, Ask) else d for d in decisions] == [
        Step.SIGN_IN,
        Step.SELECT_ACCOUNT,
        Step.REAUTHENTICATE,
        Step.STEP_UP,
        Step.TERMS,
        Step.COMPLETE_PROFILE,
        Step.CONSENT,
        PROCEED,
    ]


def test_checks_of_a_session_have_nothing_to_say_without_one() -> None:
    """Signing in comes first: the others wait for it."""
    facts = Facts(now=NOW, reachable_levels=WITH_FRANCECONNECT)
    request = read(prompt="login", acr_values="eidas1")

    assert authentication_is_recent(request, facts) is None
    assert level_is_reached(request, facts) is None


UNVERIFIED = Shortfall(unverified=("family_name",))


@pytest.mark.rule("FC-6")
def test_verified_claims_that_are_not_certified_lead_to_franceconnect() -> None:
    """Inside the request, where FranceConnect is on."""
    asked = decided(shortfall=UNVERIFIED, reachable_levels=WITH_FRANCECONNECT)

    assert asked == Ask(Step.STEP_UP, Reason.CLAIM_UNVERIFIED)


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "request_, facts",
    [
        ({}, {"reachable_levels": PASSWORD_ONLY}),
        ({"prompt": "none"}, {"reachable_levels": WITH_FRANCECONNECT}),
        ({}, {"reachable_levels": WITH_FRANCECONNECT, "pending": a_pending(step_up_declined_at=NOW)}),
    ],
    ids=["FranceConnect is off", "in silence", "the person went on without"],
)
def test_verified_claims_that_can_not_be_had_are_no_error(
    request_: dict[str, str], facts: dict[str, object]
) -> None:
    """What is not there is left out of the answer."""
    assert decided(PARKING, request_, shortfall=UNVERIFIED, **facts) is PROCEED


@pytest.mark.rule("CON-1", "FC-6")
def test_what_the_contract_wants_certified_comes_before_what_can_be_passed_over() -> None:
    """One page, and it says that the service can't do without."""
    both = Shortfall(uncertified=("birthdate",), unverified=("birthdate",))

    assert decided(shortfall=both, reachable_levels=WITH_FRANCECONNECT) == Ask(
        Step.STEP_UP, Reason.CLAIM_UNCERTIFIED
    )


@pytest.mark.rule("CON-1", "LOG-4")
@pytest.mark.parametrize("prompt", ["", "none"])
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_level_of_the_contract_out_of_reach_is_refused_before_any_page(
    *, prompt: str, is_signed_in: bool
) -> None:
    """A contract that demands what nobody can have here lets nobody in, and says so at once."""
    client = a_client(required_acr=ACR_EIDAS2)

    decision = decided(
        client,
        {"prompt": prompt},
        session=a_session(EARLIER) if is_signed_in else None,
        reachable_levels=WITH_FRANCECONNECT,
    )

    assert code_of(decision) is ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS


@pytest.mark.rule("CON-1", "LOG-4")
@pytest.mark.parametrize(
    "request_, level, expected",
    [
        ({}, ACR_PASSWORD, Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL)),
        ({"acr_values": ACR_PASSWORD}, ACR_PASSWORD, Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL)),
        (
            {"claims": ESSENTIAL % ACR_PASSWORD},
            ACR_PASSWORD,
            Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL),
        ),
        (
            {"claims": ESSENTIAL % ACR_EIDAS2},
            ACR_EIDAS1,
            Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL),
        ),
        ({}, ACR_EIDAS1, PROCEED),
        ({}, ACR_EIDAS2, PROCEED),
        ({"claims": ESSENTIAL % ACR_PASSWORD}, ACR_EIDAS1, PROCEED),
    ],
)
def test_nobody_gets_in_with_less_than_the_contract_demands(
    request_: dict[str, str], level: str, expected: Decision
) -> None:
    """Whatever the request says, and even when the person turned the step-up down."""
    decision = decided(
        a_client(required_acr=ACR_EIDAS1),
        request_,
        session=a_session(EARLIER, level),
        reachable_levels=WITH_FRANCECONNECT_PLUS,
        pending=a_pending(step_up_declined_at=NOW),
    )

    assert decision == expected


@pytest.mark.rule("CON-1")
def test_silent_request_below_the_level_of_the_contract_is_refused() -> None:
    """Nobody is sent to FranceConnect in silence."""
    decision = decided(
        a_client(required_acr=ACR_EIDAS1), {"prompt": "none"}, reachable_levels=WITH_FRANCECONNECT
    )

    assert code_of(decision) is ErrorCode.INTERACTION_REQUIRED


@pytest.mark.rule("CON-1", "FC-6")
@pytest.mark.parametrize(
    "required, request_, lowest",
    [
        (None, {}, None),
        (None, {"acr_values": "eidas2"}, ACR_EIDAS2),
        (None, {"claims": ESSENTIAL % "eidas1"}, ACR_EIDAS1),
        (ACR_EIDAS1, {"acr_values": "eidas2"}, ACR_EIDAS1),
        (ACR_EIDAS2, {"claims": ESSENTIAL % "eidas1"}, ACR_EIDAS2),
        (ACR_EIDAS1, {"claims": ESSENTIAL % "eidas2"}, ACR_EIDAS2),
    ],
)
def test_portal_is_asked_for_what_satisfies_request_and_contract(
    required: str | None, request_: dict[str, str], lowest: str | None
) -> None:
    """The weakest level that satisfies both is the first of those that will do."""
    wanted = wanted_levels(read(a_client(required_acr=required), **request_))

    assert next(iter(wanted), None) == lowest
