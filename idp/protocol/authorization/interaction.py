"""What the person must still do: prompt, max_age, id_token_hint, acr_values (OIDC Core 3.1.2; LOG-4).

`CHECKS` is the whole order. `decide` asks the first thing that is missing; after each answer it is
asked again, from the beginning, so that nothing done in between is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain.authentication import ACR_PASSWORD, ACR_VALUES, rank
from idp.domain.consent import Consent
from idp.domain.minimum_age import AgeGate
from idp.domain.pending_authorization import PendingAuthorization
from idp.domain.session import Session
from idp.protocol.authorization.redirect_uri import scheme
from idp.protocol.authorization.request import AuthorizationRequest, Prompt
from idp.protocol.claims.requested import NO_SHORTFALL, Shortfall
from idp.protocol.claims.standard import CONTACT_CLAIMS
from idp.protocol.errors import ErrorCode
from idp.protocol.scope import OFFLINE_ACCESS


class Step(StrEnum):
    """A page of the way between the request and its answer."""

    SIGN_IN = "sign_in"
    SELECT_ACCOUNT = "select_account"
    REAUTHENTICATE = "reauthenticate"
    STEP_UP = "step_up"
    TERMS = "terms"
    COMPLETE_PROFILE = "complete_profile"
    COMPLETE_CONTACT_DETAILS = "complete_contact_details"
    PARENTAL_PERMISSION = "parental_permission"
    CONSENT = "consent"


class Reason(StrEnum):
    """Why the page is shown; it may say so."""

    NO_SESSION = "no_session"
    ANOTHER_PERSON = "another_person"
    PROMPT_SELECT_ACCOUNT = "prompt_select_account"
    PROMPT_LOGIN = "prompt_login"
    MAX_AGE = "max_age"
    LEVEL_ESSENTIAL = "level_essential"
    LEVEL_VOLUNTARY = "level_voluntary"
    NEW_TERMS = "new_terms"
    CLAIM_MISSING = "claim_missing"
    CLAIM_UNCERTIFIED = "claim_uncertified"
    CLAIM_UNVERIFIED = "claim_unverified"
    FIRST_CONSENT = "first_consent"
    CONSENT_OUTGROWN = "consent_outgrown"
    PROMPT_CONSENT = "prompt_consent"
    PUBLIC_CLIENT = "public_client"
    CONSENT_ALWAYS = "consent_always"
    POLICY_CHANGED = "policy_changed"
    PURPOSE_UNANSWERED = "purpose_unanswered"
    BIRTHDATE_MISSING = "birthdate_missing"
    BELOW_MINIMUM_AGE = "below_minimum_age"
    PERMISSION_PENDING = "permission_pending"
    PERMISSION_REFUSED = "permission_refused"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the person when the question is asked.

    Attributes:
        now: The present moment.
        session: The live session of the browser, of an account that may sign in; else None.
        subject: How the client knows that session's account.
        hinted_subject: The `sub` of the verified `id_token_hint`. A hint that does not verify is
            refused before (`invalid_request`), never dropped.
        consent: What the person allowed this client.
        pending: The kept request, when this is not its first step.
        terms_accepted: The version of the terms in force was accepted.
        shortfall: Required claims that are missing or not certified enough.
        reachable_levels: What a person can reach here, with the portals that are on; a password's at least.
        is_limited: Nothing may be told to services about the person (PRI-4).
        age: Whether the person's age lets them go on (CON-7).
        purposes_open: Something needs a yes or no and has none in its present wording (CON-3).
    """

    now: datetime
    session: Session | None = None
    subject: str | None = None
    hinted_subject: str | None = None
    consent: Consent | None = None
    pending: PendingAuthorization | None = None
    terms_accepted: bool = True
    shortfall: Shortfall = NO_SHORTFALL
    reachable_levels: tuple[str, ...] = (ACR_PASSWORD,)
    is_limited: bool = False
    age: AgeGate = AgeGate.OPEN
    purposes_open: bool = False

    @property
    def can_step_up(self) -> bool:
        """Tell whether a portal of the State is on, whatever its level."""
        return any(rank(level) > rank(ACR_PASSWORD) for level in self.reachable_levels)


@dataclass(frozen=True, slots=True)
class Proceed:
    """Nothing is missing: answer with a code."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Show a page first."""

    step: Step
    reason: Reason


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error: `request.refusal(refuse.code, reason=refuse.reason)`."""

    code: ErrorCode
    reason: str


Decision = Proceed | Ask | Refuse

PROCEED: Final = Proceed()
#: Reasons for FranceConnect that the person may pass over: the service gets what there is.
PASSABLE: Final = frozenset({Reason.LEVEL_VOLUNTARY, Reason.CLAIM_UNVERIFIED})
#: What `prompt=none` answers where a page would have been shown (OIDC Core 3.1.2.6).
SILENT_ERRORS: Final = {
    Step.SIGN_IN: ErrorCode.LOGIN_REQUIRED,
    Step.SELECT_ACCOUNT: ErrorCode.ACCOUNT_SELECTION_REQUIRED,
    Step.REAUTHENTICATE: ErrorCode.LOGIN_REQUIRED,
    Step.STEP_UP: ErrorCode.INTERACTION_REQUIRED,
    Step.TERMS: ErrorCode.INTERACTION_REQUIRED,
    Step.COMPLETE_PROFILE: ErrorCode.INTERACTION_REQUIRED,
    Step.COMPLETE_CONTACT_DETAILS: ErrorCode.INTERACTION_REQUIRED,
    # CON-7: until the parent has said yes the service gets nothing else.
    Step.PARENTAL_PERMISSION: ErrorCode.ACCESS_DENIED,
    Step.CONSENT: ErrorCode.CONSENT_REQUIRED,
}
_AGE_REASONS: Final = {
    AgeGate.NEEDS_PERMISSION: Reason.BELOW_MINIMUM_AGE,
    AgeGate.WAITING: Reason.PERMISSION_PENDING,
    AgeGate.REFUSED: Reason.PERMISSION_REFUSED,
}


def decide(request: AuthorizationRequest, facts: Facts) -> Decision:
    """Say what comes next.

    Args:
        request: As parsed, at this very step.
        facts: As read, at this very step.

    Returns:
        `Proceed`, the first page to show, or the error for the client. A silent request never gets
        a page: OIDC Core 3.1.2.1, "MUST NOT display any authentication or consent user interface
        pages".
    """
    for check in CHECKS:
        answer = check(request, facts)
        if isinstance(answer, Ask) and request.is_silent:
            return Refuse(SILENT_ERRORS[answer.step], f"prompt=none: {answer.reason}")
        if answer is not None:
            return answer
    return PROCEED


def demanded_levels(request: AuthorizationRequest) -> tuple[tuple[str, ...], ...]:
    """List what a login must be worth: one level of each of these (OIDC Core 5.5.1.1; CON-1, `required_acr`)."""
    contract = request.client.required_acr
    demands = (request.essential_acr_values, () if contract is None else (contract,))
    return tuple(wanted for wanted in demands if wanted)


def wanted_levels(request: AuthorizationRequest) -> tuple[str, ...]:
    """List the levels any of which will do, of those that are demanded, or else that the client would like.

    Where the request and the contract both demand something, what satisfies both is left: it is never empty, for
    a surer login satisfies the weaker demand.
    """
    demands = demanded_levels(request)
    known = [[rank(value) for value in wanted if value in ACR_VALUES] for wanted in demands]
    floor = max((min(ranks) for ranks in known if ranks), default=None)
    return request.acr_values if floor is None else ACR_VALUES[floor:]


def reported_acr(request: AuthorizationRequest, session: Session) -> str:
    """Give the level to put in the ID Token.

    OIDC Core 5.5.1.1: asked for as essential with values, the `acr` "MUST match one of the
    requested values"; a session that is worth more is told as the best of those it reaches.
    """
    level = session.authentication.level
    reached = [value for value in request.essential_acr_values if _reaches(session, value)]
    if level in reached or not reached:
        return level
    return max(reached, key=rank)


def essential_level_is_known(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Refuse at once a level that nobody can reach here, before any page.

    What the contract demands of every login counts as what a request demands of one (CON-1).
    """
    for wanted in demanded_levels(request):
        is_reachable = not set(wanted).isdisjoint(facts.reachable_levels)
        is_reached = facts.session is not None and _is_level_reached(facts.session, wanted)
        if not is_reachable and not is_reached:
            return Refuse(ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, "essential acr out of reach")
    return None


def person_is_signed_in(_: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Ask who is there."""
    return Ask(Step.SIGN_IN, Reason.NO_SESSION) if facts.session is None else None


def person_is_the_one_meant(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Answer about the person of `id_token_hint` or of the `sub` claim, or about nobody.

    OIDC Core 3.1.2.1: "Otherwise, it MUST return an error, such as login_required"; the person
    gets one chance to sign in as that one.
    """
    meant = {facts.hinted_subject, request.requested_claims.subject} - {None}
    if meant <= {facts.subject}:
        return None
    if facts.pending is not None and facts.pending.authenticated_at is not None:
        return Refuse(ErrorCode.LOGIN_REQUIRED, "somebody else than the person hinted at signed in")
    return Ask(Step.SIGN_IN, Reason.ANOTHER_PERSON)


def account_is_chosen(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Let the person say under which account they go on (`prompt=select_account`)."""
    if Prompt.SELECT_ACCOUNT not in request.prompt or _is_fresh(facts):
        return None
    if facts.pending is not None and facts.pending.account_selected_at is not None:
        return None
    return Ask(Step.SELECT_ACCOUNT, Reason.PROMPT_SELECT_ACCOUNT)


def authentication_is_recent(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Have the person prove their presence again for `prompt=login` and `max_age`.

    Only an authentication after the request arrived does: counting by age alone would ask for
    ever with `max_age=0`, and not at all for `prompt=login` in another tab.
    """
    session, most = facts.session, request.max_age
    if session is None or _is_fresh(facts):
        return None
    if Prompt.LOGIN in request.prompt:
        return Ask(Step.REAUTHENTICATE, Reason.PROMPT_LOGIN)
    if most is not None and (most == 0 or _age(session, facts.now) > most):
        return Ask(Step.REAUTHENTICATE, Reason.MAX_AGE)
    return None


def level_is_reached(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Raise the level by FranceConnect when more is asked than the session is worth (FC-6).

    A voluntary level that can't be had does not stop the answer, and nobody is sent anywhere for it: the
    client reads `acr`.
    """
    session = facts.session
    if session is None or not facts.can_step_up:
        return None
    if not all(_is_level_reached(session, wanted) for wanted in demanded_levels(request)):
        return Ask(Step.STEP_UP, Reason.LEVEL_ESSENTIAL)
    has_declined = facts.pending is not None and facts.pending.step_up_declined_at is not None
    wished = tuple(value for value in request.acr_values if value in facts.reachable_levels)
    if request.is_silent or has_declined or session.authentication.satisfies(wished):
        return None
    return Ask(Step.STEP_UP, Reason.LEVEL_VOLUNTARY)


def account_is_not_limited(_: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Tell services nothing while the processing is limited (PRI-4)."""
    return Refuse(ErrorCode.ACCESS_DENIED, "the processing is limited") if facts.is_limited else None


def terms_are_accepted(_: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Have the terms in force accepted (CGU-2)."""
    return None if facts.terms_accepted else Ask(Step.TERMS, Reason.NEW_TERMS)


def verified_claims_are_certified(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Offer FranceConnect for what the service wants as `verified_claims` and is not certified (FC-6).

    Never an error: OIDC IDA 5.7 has what is not there left out, whatever is essential.
    """
    has_declined = facts.pending is not None and facts.pending.step_up_declined_at is not None
    if request.is_silent or has_declined or not facts.can_step_up:
        return None
    # What the contract itself demands certified comes first, and can't be passed over.
    if facts.shortfall.uncertified or not facts.shortfall.unverified:
        return None
    return Ask(Step.STEP_UP, Reason.CLAIM_UNVERIFIED)


def required_claims_are_held(_: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Have the person give, or certify, what the service can't do without (CON-1, FC-6)."""
    if facts.shortfall.uncertified:
        if facts.can_step_up:
            return Ask(Step.STEP_UP, Reason.CLAIM_UNCERTIFIED)
        return Refuse(ErrorCode.ACCESS_DENIED, "a required claim can't be certified")
    if not facts.shortfall.missing:
        return None
    # What both pages have to give is asked for on one after the other.
    is_contact = CONTACT_CLAIMS.issuperset(facts.shortfall.missing)
    return Ask(Step.COMPLETE_CONTACT_DETAILS if is_contact else Step.COMPLETE_PROFILE, Reason.CLAIM_MISSING)


def age_is_sufficient(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Have a parent asked below the age that the service sets; no birth date, no access (CON-7)."""
    if facts.age is AgeGate.OPEN:
        return None
    if facts.age is AgeGate.UNKNOWN:
        if request.is_silent:
            return Refuse(ErrorCode.ACCESS_DENIED, "prompt=none: no birth date")
        return Ask(Step.COMPLETE_PROFILE, Reason.BIRTHDATE_MISSING)
    return Ask(Step.PARENTAL_PERMISSION, _AGE_REASONS[facts.age])


def consent_is_given(request: AuthorizationRequest, facts: Facts) -> Ask | Refuse | None:
    """Ask for consent when what is asked grew, when the client wants it, and of public clients.

    Anybody can start a public client's request, so that its person is asked at each one (ASVS
    v5.0.0-10.7.1), except in silence: `prompt=none` with a consent that covers it and an https
    redirect URI, for then the code can only reach the holder of that host (RFC 8252 section 8.6;
    OID-10). A loopback address or an app's own scheme proves nobody, and gets consent_required.
    """
    client = request.client
    if not _is_covered(request, facts) and (client.consent_required or OFFLINE_ACCESS in request.scopes):
        return Ask(Step.CONSENT, _why_consent(request, facts))
    again = _why_consent_again(request, facts)
    if again is not None:
        return Ask(Step.CONSENT, again)
    # Last: the page that asks for more asks this too, and one that asks nothing else is about this alone.
    return Ask(Step.CONSENT, Reason.PURPOSE_UNANSWERED) if facts.purposes_open else None


Check = Callable[[AuthorizationRequest, Facts], Ask | Refuse | None]
#: Every check, in the order of the steps.
CHECKS: Final[tuple[Check, ...]] = (
    essential_level_is_known,
    person_is_signed_in,
    person_is_the_one_meant,
    account_is_chosen,
    authentication_is_recent,
    level_is_reached,
    account_is_not_limited,
    terms_are_accepted,
    verified_claims_are_certified,
    required_claims_are_held,
    age_is_sufficient,
    consent_is_given,
)


def _is_fresh(facts: Facts) -> bool:
    # True when the person authenticated after this request arrived.
    pending, session = facts.pending, facts.session
    if pending is None or session is None:
        return False
    if pending.authenticated_at is not None and pending.authenticated_at >= pending.created_at:
        return True
    return session.authentication.at >= pending.created_at


def _age(session: Session, now: datetime) -> int:
    # In whole seconds of the wire, as the client will count from `auth_time`.
    return int(now.timestamp()) - int(session.authentication.at.timestamp())


def _is_level_reached(session: Session, wanted: tuple[str, ...]) -> bool:
    return not wanted or any(_reaches(session, value) for value in wanted)


def _reaches(session: Session, value: str) -> bool:
    return value in ACR_VALUES and session.authentication.satisfies((value,))


def _is_covered(request: AuthorizationRequest, facts: Facts) -> bool:
    consent, asked = facts.consent, request.asked
    return (
        consent is not None
        and consent.covers(
            scopes=request.scopes,
            claims=asked.names,
            policy_version=request.client.policy_version,
        )
        # What was optional and refused may have become required.
        and consent.claims.issuperset(asked.required)
    )


def _why_consent(request: AuthorizationRequest, facts: Facts) -> Reason:
    consent = facts.consent
    if consent is None:
        return Reason.FIRST_CONSENT
    # CON-8: the same data under another policy.
    has_changed = consent.policy_version != request.client.policy_version
    return Reason.POLICY_CHANGED if has_changed else Reason.CONSENT_OUTGROWN


def _why_consent_again(request: AuthorizationRequest, facts: Facts) -> Reason | None:
    if facts.pending is not None and facts.pending.consented_at is not None:
        return None
    if Prompt.CONSENT in request.prompt:
        return Reason.PROMPT_CONSENT
    if request.client.consent_always and not request.is_silent:
        return Reason.CONSENT_ALWAYS
    if request.client.is_public and not (request.is_silent and _has_proven_host(request)):
        return Reason.PUBLIC_CLIENT
    return None


def _has_proven_host(request: AuthorizationRequest) -> bool:
    return scheme(request.redirect_target.uri) == "https"
