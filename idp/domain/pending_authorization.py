"""An authorization request waiting for the person; one row each, so tabs do not collide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

#: RGAA 13.1: a person is not hurried; the request waits 20 hours, as the session does.
PENDING_LIFETIME = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """How a request came, which its parameters don't say.

    Attributes:
        pushed: Digest of its `request_uri`, when it was pushed (RFC 9126); used up with the answer.
        is_signed: It came in a request object that the client signed (RFC 9101).
        device: Digest of the device code that it answers (RFC 8628); None for any other flow.
    """

    pushed: bytes | None = None
    is_signed: bool = False
    device: bytes | None = None


#: A plain request, by query or form.
DIRECT = RequestOrigin()


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """What was asked, and what the person did since.

    Attributes:
        pending_id: Carried by every page of the way; worthless without the browser's cookie.
        client_id: Who asked.
        parameters: The request as it was received, re-parsed at each step.
        created_at: When it arrived; an authentication after this moment satisfies `prompt=login`.
        expires_at: Past it, the person is sent back to the service.
        origin: How it came, beside the parameters.
        authenticated_at: When the person signed in or confirmed the session for this very request.
        consented_at: When consent was given for this very request.
        step_up_declined_at: When the person chose to go on without the level that the client would like.
    """

    pending_id: str
    client_id: str
    parameters: dict[str, str]
    created_at: datetime
    expires_at: datetime
    origin: RequestOrigin = DIRECT
    authenticated_at: datetime | None = None
    account_selected_at: datetime | None = None
    consented_at: datetime | None = None
    step_up_declined_at: datetime | None = None
