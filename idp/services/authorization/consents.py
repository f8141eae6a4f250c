"""Asks, keeps and withdraws consents (CON-2, CON-4, CON-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import new_id
from idp.domain.consent import Consent
from idp.domain.events import ConsentGiven, ConsentRefused, ConsentWithdrawn
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.protocol.claims.subject import subject_of
from idp.protocol.claims.values import claim_values
from idp.protocol.errors import ErrorCode
from idp.services import ledger
from idp.services.audit import record
from idp.services.authorization import access, conditions, grants
from idp.services.authorization.purposes import withdraw_all_within
from idp.services.authorization.requests import Answered, levels_of
from idp.services.authorization.responses import bring_error
from idp.storage.repositories import clients, consents, sessions

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from idp.domain.client import ClaimUse, Client
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.repositories.consents import ListedConsent


#: Where a consent is withdrawn, as the ledger says it.
_CHANNEL: Final = "account"


@dataclass(frozen=True, slots=True)
class Shown:
    """The exact words that a person answered to, without a value of theirs, and their language."""

    words: str
    language: str


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """One datum of the consent screen: what it is, why it is wanted, who vouches for it."""

    use: ClaimUse
    value: Any
    level: int | None
    certified_at: datetime | None
    is_new: bool


def question(situation: Situation, signed_in: SignedIn) -> list[AskedClaim]:
    """List what the service asks for, with what it would receive; new is what an earlier answer did not see."""
    consent = situation.consent
    unseen = frozenset[str]()
    if consent is not None:
        unseen = situation.request.asked.names - consent.claims - consent.refused_claims
    uses = (situation.client.claim_use(name) for name in _names(situation))
    return [_asked(situation, signed_in, use, is_new=use.name in unseen) for use in uses if use is not None]


def allow(
    context: Context, situation: Situation, signed_in: SignedIn, chosen: frozenset[str], *, language: str
) -> Answered | None:
    """Keep the person's yes and answer with a code, in one transaction.

    Args:
        context: The parts.
        situation: The request and the person.
        signed_in: Who answers.
        chosen: Optional claims that were ticked.
        language: Of the screen that was shown.

    Returns:
        The answer; None when the session ended or a parent's permission was withdrawn meanwhile, and nothing was kept.
    """
    now = context.clock()
    client, account_id = situation.client, signed_in.account.account_id
    with context.database.write() as connection:
        # Read anew: a consent withdrawn, or given in another tab, since the screen was shown.
        before = consents.live_alone(connection, account_id, client.client_id)
        if not sessions.hold(connection, signed_in.session.session_id):
            return None
        if not conditions.hold(connection, situation):
            return None
        consent = _answer(situation, before, chosen, consent_id=new_id(now), now=now)
        consents.replace(
            connection,
            account_id,
            client.client_id,
            consent,
            subject=subject_of(client, account_id, context.derived.pairwise),
            language=language,
        )
        event = ConsentGiven(tuple(sorted(consent.scopes)), tuple(sorted(consent.claims)))
        record(connection, event, now, account_id=account_id, client_id=client.client_id)
        granted = grants.grant(context, connection, situation, signed_in, consent)
    return Answered(grants.answer(context, situation, granted), client)


def refuse(context: Context, situation: Situation, signed_in: SignedIn) -> Answered:
    """Keep the person's no and tell the service (CON-2): `access_denied`, nothing else."""
    now = context.clock()
    with context.database.write() as connection:
        record(
            connection,
            ConsentRefused(),
            now,
            account_id=signed_in.account.account_id,
            client_id=situation.client.client_id,
        )
    grants.use_up(context, situation.request)
    refusal = situation.request.refusal(ErrorCode.ACCESS_DENIED, reason="the person refused")
    return Answered(bring_error(context, refusal), situation.client)


def withdraw(context: Context, account_id: str, client_id: str, shown: Shown) -> bool:
    """End a consent at once: every token that stands on it dies in the same transaction (CON-4, S-434).

    The answers to the service's purposes end with it, the service is told, and the ledger keeps it. A service that
    needs no consent loses its tokens all the same.

    Args:
        context: The parts.
        account_id: Whose consent.
        client_id: Which service.
        shown: The confirmation that was answered.

    Returns:
        False when there was none.
    """
    now = context.clock()
    with context.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return False
        # Other answers of the person wait: the entry tells what was withdrawn, and not what was before.
        consent = consents.live_alone(connection, account_id, client_id)
        access.end_within(
            connection, account_id, client, now, reason="consent_withdrawn", sealer=context.sealer
        )
        withdraw_all_within(
            context, connection, account_id, client, language=shown.language, channel=_CHANNEL, now=now
        )
        if consent is not None:
            subject = subject_of(client, account_id, context.pairwise)
            ledger.enter(connection, _withdrawal(account_id, client, subject, consent, shown), now)
            record(connection, ConsentWithdrawn(), now, account_id=account_id, client_id=client_id)
    return consent is not None


def list_consents(context: Context, account_id: str) -> list[tuple[Client, ListedConsent]]:
    """List each service with what it may receive (CON-4); services that are gone are left out."""
    with context.database.read() as connection:
        listed = consents.of_account(connection, account_id)
        found = [(context.clients.find(connection, one.client_id), one) for one in listed]
    return [(client, one) for client, one in found if client is not None]


def _withdrawal(account_id: str, client: Client, subject: str, consent: Consent, shown: Shown) -> Entry:
    return Entry(
        matter=Matter.CONSENT,
        act=Act.WITHDRAWN,
        account_id=account_id,
        subject=subject,
        client_id=client.client_id,
        document=Document("policy", consent.policy_version, client.policy_uri),
        words=shown.words,
        language=shown.language,
        channel=_CHANNEL,
        details={
            "consent_id": consent.consent_id,
            "scopes": sorted(consent.scopes),
            "claims": sorted(consent.claims),
            "refused_claims": sorted(consent.refused_claims),
        },
    )


def _answer(
    situation: Situation, before: Consent | None, chosen: frozenset[str], *, consent_id: str, now: datetime
) -> Consent:
    asked = situation.request.asked
    claims = frozenset(asked.required) | (chosen & frozenset(asked.optional))
    refused = frozenset(asked.optional) - claims
    scopes = situation.request.scopes
    if before is not None:
        # What was answered before and is not asked now stays as it was.
        claims |= before.claims - asked.names
        refused |= before.refused_claims - asked.names
        scopes |= before.scopes
    return Consent(consent_id, scopes, claims, refused, situation.client.policy_version, now)


def _names(situation: Situation) -> tuple[str, ...]:
    return situation.request.asked.required + situation.request.asked.optional


def _asked(situation: Situation, signed_in: SignedIn, use: ClaimUse, *, is_new: bool) -> AskedClaim:
    known = situation.known
    values: dict[str, Any] = {name: attribute.value for name, attribute in known.items()}
    values |= {"email": signed_in.account.email, "language": signed_in.account.language}
    value = claim_values(values, (use.name,)).get(use.name)
    attribute = known.get(use.name)
    level = levels_of(known).get(use.name)
    return AskedClaim(use, value, level, None if attribute is None else attribute.recorded_at, is_new)
