"""Asks, keeps and withdraws consents (CON-2, CON-4, CON-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import new_id
from idp.domain.consent import Consent
from idp.domain.consent_notice import Occasion
from idp.domain.events import ConsentGiven, ConsentRefused, ConsentWithdrawn
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.protocol.claims.subject import subject_of
from idp.protocol.errors import ErrorCode
from idp.services import ledger
from idp.services.audit import record
from idp.services.authorization import access, conditions, grants, purposes
from idp.services.authorization.purposes import withdraw_all_within
from idp.services.authorization.requests import Answered
from idp.services.authorization.responses import bring_error
from idp.storage.repositories import clients, consents, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from idp.domain.client import Client
    from idp.services.authorization.consent_screen import Question
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.services.tools import Tools
    from idp.storage.engine import Connection


#: Where a consent is given and where it is withdrawn, as the ledger says it.
_SCREEN: Final = "consent"
_CHANNEL: Final = "account"


@dataclass(frozen=True, slots=True)
class Shown:
    """The exact words that a person answered to, without a value of theirs, and where, as the ledger says it."""

    words: str
    language: str
    channel: str = "account"


def allow(
    context: Context,
    situation: Situation,
    signed_in: SignedIn,
    asked: Question,
    *,
    chosen: frozenset[str],
    choices: Mapping[str, bool],
) -> Answered | None:
    """Keep the person's yes with its proof, and answer with a code, in one transaction.

    Args:
        context: The parts.
        situation: The request and the person.
        signed_in: Who answers.
        asked: The screen that was shown.
        chosen: Optional claims that were ticked.
        choices: Yes or no by the name of each purpose that was asked.

    Returns:
        The answer; None when the request is to be decided anew: only purposes were asked, or the session, a parent's
        permission or an earlier answer ended meanwhile, and nothing was kept.
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
        if _adds_to_another(asked, situation, before):
            return None
        purposes.choose_within(
            context,
            connection,
            account_id,
            client,
            choices,
            language=asked.screen.language,
            channel=_SCREEN,
            now=now,
        )
        if asked.is_about_purposes_alone:
            return None
        consent = _answer(situation, asked, before, chosen, consent_id=new_id(now), now=now)
        consents.replace(
            connection,
            account_id,
            client.client_id,
            consent,
            subject=subject_of(client, account_id, context.derived.pairwise),
            language=asked.screen.language,
        )
        event = ConsentGiven(tuple(sorted(consent.scopes)), tuple(sorted(consent.claims)))
        record(connection, event, now, account_id=account_id, client_id=client.client_id)
        _prove(context, connection, asked, account_id, consent, now=now)
        granted = grants.grant(context, connection, situation, signed_in, consent)
    return Answered(grants.answer(context, situation, granted), client)


def refuse(context: Context, situation: Situation, signed_in: SignedIn, asked: Question) -> Answered:
    """Keep the person's no with its proof and tell the service (CON-2): `access_denied`, nothing else."""
    now = context.clock()
    client, account_id = situation.client, signed_in.account.account_id
    with context.database.write() as connection:
        record(connection, ConsentRefused(), now, account_id=account_id, client_id=client.client_id)
        # Of whoever is gone meanwhile nothing more is proven; and where only purposes were open the consent stands.
        if not asked.is_about_purposes_alone and consents.one_at_a_time(connection, account_id):
            _prove(context, connection, asked, account_id, None, now=now)
    grants.use_up(context, situation.request)
    refusal = situation.request.refusal(ErrorCode.ACCESS_DENIED, reason="the person refused")
    return Answered(bring_error(context, refusal), client)


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
    with context.database.write() as connection:
        client = clients.by_id(connection, client_id)
        return client is not None and withdraw_within(context, connection, account_id, client, shown)


def withdraw_within(
    tools: Tools,
    connection: Connection,
    account_id: str,
    client: Client,
    shown: Shown,
    *,
    reason: str = "consent_withdrawn",
    actor: str = "person",
) -> bool:
    """End a consent in a transaction that does more.

    Args:
        tools: The parts.
        connection: Of the transaction.
        account_id: Whose consent.
        client: Which service.
        shown: What was answered.
        reason: Kept with the tokens.
        actor: Who does it, for the trail.

    Returns:
        False when there was none.
    """
    now = tools.clock()
    # Other answers of the person wait: the entry tells what was withdrawn, and not what was before.
    consent = consents.live_alone(connection, account_id, client.client_id)
    access.end_within(connection, account_id, client, now, reason=reason, sealer=tools.sealer)
    withdraw_all_within(
        tools,
        connection,
        account_id,
        client,
        language=shown.language,
        channel=shown.channel,
        now=now,
        actor=actor,
    )
    if consent is not None:
        subject = subject_of(client, account_id, tools.pairwise)
        ledger.enter(connection, _withdrawal(account_id, client, subject, consent, shown), now)
        record(
            connection,
            ConsentWithdrawn(),
            now,
            actor=actor,
            account_id=account_id,
            client_id=client.client_id,
        )
    return consent is not None


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
        channel=shown.channel,
        details={
            "consent_id": consent.consent_id,
            "scopes": sorted(consent.scopes),
            "claims": sorted(consent.claims),
            "refused_claims": sorted(consent.refused_claims),
        },
    )


def _adds_to_another(asked: Question, situation: Situation, before: Consent | None) -> bool:
    """Tell whether the earlier answer, to which the screen asked for an addition, is not the one that lives."""
    shown = None if situation.consent is None else situation.consent.consent_id
    lives = None if before is None else before.consent_id
    return asked.screen.occasion is Occasion.GROWN and shown != lives


def _answer(
    situation: Situation,
    asked: Question,
    before: Consent | None,
    chosen: frozenset[str],
    *,
    consent_id: str,
    now: datetime,
) -> Consent:
    names = frozenset(use.name for use in asked.screen.uses)
    claims = frozenset(use.name for use in asked.screen.uses if use.required or use.name in chosen)
    refused, scopes = names - claims, situation.request.scopes
    if before is not None:
        # What was answered before and is not asked now stays as it was.
        claims |= before.claims - names
        refused |= before.refused_claims - names
        scopes |= before.scopes
    return Consent(consent_id, scopes, claims, refused, situation.client.policy_version, now)


def _prove(
    tools: Tools,
    connection: Connection,
    asked: Question,
    account_id: str,
    consent: Consent | None,
    *,
    now: datetime,
) -> None:
    """Enter the answer into the ledger, with the very words of the screen (CON-5); no consent is a no."""
    screen = asked.screen
    client = screen.client
    details: dict[str, Any] = {
        "asked": [use.name for use in screen.uses],
        "new": sorted(screen.new),
        "purposes": [one.name for one in screen.purposes],
        "legal_basis": client.legal_basis.value,
    }
    if consent is not None:
        details |= {
            "consent_id": consent.consent_id,
            "scopes": sorted(consent.scopes),
            "claims": sorted(consent.claims),
            "refused_claims": sorted(consent.refused_claims),
        }
    entry = Entry(
        matter=Matter.CONSENT,
        act=Act.REFUSED if consent is None else Act.GIVEN,
        account_id=account_id,
        subject=subject_of(client, account_id, tools.pairwise),
        client_id=client.client_id,
        document=Document("policy", client.policy_version, client.policy_uri),
        words=asked.notice.words,
        language=screen.language,
        channel=_SCREEN,
        details=details,
    )
    ledger.enter(connection, entry, now)
