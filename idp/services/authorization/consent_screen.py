"""Asks: which data, which purposes, in which words, with what the service would receive (CON-1, CON-2, CON-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from idp.domain.consent_notice import Occasion, Screen, notice_of
from idp.protocol.authorization.interaction import Reason
from idp.protocol.authorization.request import Prompt
from idp.protocol.claims.values import claim_values
from idp.protocol.scope import OFFLINE_ACCESS, SUPPORTED_SCOPES
from idp.services.authorization.requests import levels_of

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from idp.domain.client import ClaimUse
    from idp.domain.consent_notice import Notice
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn

#: Which occasion of the screen a reason is; the others ask the whole question again.
_OCCASIONS: Final = {
    Reason.FIRST_CONSENT: Occasion.FIRST,
    Reason.CONSENT_OUTGROWN: Occasion.GROWN,
    Reason.POLICY_CHANGED: Occasion.POLICY_CHANGED,
    Reason.PURPOSE_UNANSWERED: Occasion.PURPOSES,
}


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """One datum of the consent screen: what it is, why it is wanted, who vouches for it."""

    use: ClaimUse
    value: Any
    level: int | None
    certified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at one screen.

    Attributes:
        screen: What the words are made from.
        notice: The words, exactly as they are shown and proven.
        asked: The data to answer about, with what the service would receive.
    """

    screen: Screen
    notice: Notice
    asked: list[AskedClaim]

    @property
    def is_about_purposes_alone(self) -> bool:
        """Tell whether the consent itself stands, and only purposes are open."""
        return self.screen.occasion is Occasion.PURPOSES


def question(
    context: Context, situation: Situation, signed_in: SignedIn, reason: Reason, *, language: str
) -> Question:
    """Say what the screen asks: all of it, or only what an earlier answer did not see (CON-2, CON-8)."""
    screen = _screen(context, situation, _occasion(situation, reason), language)
    asked = [_asked(situation, signed_in, use) for use in screen.uses]
    return Question(screen, notice_of(screen), asked)


def _occasion(situation: Situation, reason: Reason) -> Occasion:
    occasion = _OCCASIONS.get(reason, Occasion.AGAIN)
    request = situation.request
    is_asked_again = (
        Prompt.CONSENT in request.prompt or request.client.consent_always or request.client.is_public
    )
    if occasion is Occasion.GROWN and is_asked_again:
        return Occasion.AGAIN
    return Occasion.FIRST if occasion is Occasion.AGAIN and situation.consent is None else occasion


def _screen(context: Context, situation: Situation, occasion: Occasion, language: str) -> Screen:
    client, request, consent = situation.client, situation.request, situation.consent
    names = request.asked.required + request.asked.optional
    unseen = (
        frozenset[str]() if consent is None else frozenset(names) - consent.claims - consent.refused_claims
    )
    due = _due(situation, occasion, names, unseen)
    is_partial = occasion in {Occasion.GROWN, Occasion.PURPOSES}
    allowed = consent.claims if consent is not None and is_partial else frozenset[str]()
    target = urlsplit(request.redirect_target.uri)
    return Screen(
        client,
        occasion,
        language,
        host=target.hostname or target.scheme,
        uses=tuple(use for name in due if (use := client.claim_use(name)) is not None),
        new=frozenset(due) if occasion is Occasion.GROWN else unseen & frozenset(due),
        kept=tuple(name for name in names if name in allowed and name not in due),
        purposes=situation.open_purposes,
        in_absence=OFFLINE_ACCESS in request.scopes,
        in_absence_is_new=consent is not None and OFFLINE_ACCESS not in consent.scopes,
        interfaces=tuple(sorted(request.scopes - frozenset(SUPPORTED_SCOPES))),
        for_device=request.origin.device is not None,
        city_contact=context.controller.contact,
    )


def _due(
    situation: Situation, occasion: Occasion, names: tuple[str, ...], unseen: frozenset[str]
) -> tuple[str, ...]:
    """Name the data that the person answers about."""
    if occasion is Occasion.PURPOSES:
        return ()
    if occasion is not Occasion.GROWN or situation.consent is None:
        return names
    # What was optional and refused may have become required.
    needed = frozenset(situation.request.asked.required) - situation.consent.claims
    return tuple(name for name in names if name in unseen | needed)


def _asked(situation: Situation, signed_in: SignedIn, use: ClaimUse) -> AskedClaim:
    known = situation.known
    values: dict[str, Any] = {name: attribute.value for name, attribute in known.items()}
    values |= {"email": signed_in.account.email, "language": signed_in.account.language}
    value = claim_values(values, (use.name,)).get(use.name)
    attribute = known.get(use.name)
    level = levels_of(known).get(use.name)
    return AskedClaim(use, value, level, None if attribute is None else attribute.recorded_at)
