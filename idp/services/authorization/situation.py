"""What was read to decide an authorization request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.domain.minimum_age import AgeGate
from idp.domain.purposes import unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.domain.consent import Consent
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.domain.purposes import Choice, Purpose
    from idp.protocol.authorization.request import AuthorizationRequest
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.repositories.attributes import StoredAttribute


@dataclass(frozen=True, slots=True)
class Situation:
    """What was read to decide: who is there, what they allow, what is known of them, whether they are old enough."""

    request: AuthorizationRequest
    signed_in: SignedIn | None
    consent: Consent | None
    known: Mapping[str, StoredAttribute]
    pending: PendingAuthorization | None
    terms_are_accepted: bool = True
    age: AgeGate = AgeGate.OPEN
    choices: tuple[Choice, ...] = ()
    #: The parent's permission that the age stands on; held until the answer is written.
    permission_id: str | None = None

    @property
    def client(self) -> Client:
        """Who asks."""
        return self.request.client

    @property
    def open_purposes(self) -> tuple[Purpose, ...]:
        """What needs a yes or no and has none in its present wording (CON-3)."""
        return unanswered(self.client.purposes, self.choices)
