"""A device that waits for a person to answer elsewhere (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: RFC 8628 section 3.2: what a device waits between two requests, unless it is told to slow down.
FIRST_INTERVAL = timedelta(seconds=5)
#: RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests".
SLOWER_BY = timedelta(seconds=5)
#: A network brings two requests a little nearer to each other than they were sent.
_JITTER = timedelta(seconds=1)


class DeviceState(StrEnum):
    """What the person said."""

    PENDING = "pending"
    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """What a device asks for, and where its request stands.

    Attributes:
        device_hash: Digest of the device code.
        client_id: The device's client.
        parameters: The authorization request that stands for what it asks.
        created_at: When it asked.
        expires_at: Until when the codes may be used.
        state: What the person said.
        family_id: What the tokens are born of, once allowed.
        interval: How long the device has to wait between two requests.
        polled_at: When it asked for tokens last.
        consumed_at: When it got them.
    """

    device_hash: bytes
    client_id: str
    parameters: dict[str, str]
    created_at: datetime
    expires_at: datetime
    state: DeviceState = DeviceState.PENDING
    family_id: str | None = None
    interval: timedelta = FIRST_INTERVAL
    polled_at: datetime | None = None
    consumed_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the codes are past their time."""
        return now >= self.expires_at

    def can_be_answered(self, now: datetime) -> bool:
        """Tell whether the person may still say yes or no."""
        return self.state is DeviceState.PENDING and not self.is_expired(now)

    def is_polled_too_soon(self, now: datetime) -> bool:
        """Tell whether a request of this moment comes sooner than the device was told (RFC 8628 section 3.5)."""
        return self.polled_at is not None and now + _JITTER < self.polled_at + self.interval
