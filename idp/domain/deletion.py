"""The end of an account: who asked, what was erased, who was told, and the certificate that says so (LIF-4, PRO-9)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from idp.domain.controller import Controller

#: Of the form of the certificate, for whoever reads one in ten years.
CERTIFICATE_VERSION: Final = 1
#: What stays, in the certificate's own words: a number of the account that names nobody, for restored backups, and
#: a line of the audit trail without a person.
KEPT: Final = ("identifier_for_restored_backups", "anonymous_audit_line")


class Way(StrEnum):
    """How an account came to its end."""

    PERSON = "person"
    ADMINISTRATOR = "administrator"
    LIFE_CYCLE = "life_cycle"
    #: A backup brought an account back that was erased before (S-442).
    RESTORE = "restore"

    @property
    def actor(self) -> str:
        """Say who acted, as the audit trail does."""
        return self.value if self in {Way.PERSON, Way.ADMINISTRATOR} else "system"


class Category(StrEnum):
    """What is erased, as the person knows it; in the order in which it is told."""

    ACCOUNT = "account"
    IDENTITY = "identity"
    FRANCECONNECT = "franceconnect"
    DEVICES = "devices"
    SERVICES = "services"
    DISCLOSURES = "disclosures"
    REQUESTS = "requests"
    PREFERENCES = "preferences"
    PROOFS = "proofs"
    AUDIT = "audit"
    MESSAGES = "messages"
    OTHER = "other"


class Told(StrEnum):
    """How a service learns that an account is gone."""

    #: A signed event, sent again until it is acknowledged (RFC 8935).
    EVENT = "event"
    #: A logout notice, for the sessions that were open.
    LOGOUT = "logout"
    #: It gave no address to tell it at: the person may have to ask it.
    NOT_TOLD = "not_told"


@dataclass(frozen=True, slots=True)
class ConcernedService:
    """A service that knew the person.

    Attributes:
        name: As people read it.
        told: How it learns of the deletion.
    """

    name: str
    told: Told


def by_category(counts: Mapping[Category, int]) -> dict[str, int]:
    """Order what was erased as it is told; categories without a row are left out."""
    return {category.value: counts[category] for category in Category if counts.get(category)}


def certificate(
    *,
    number: str,
    at: datetime,
    way: Way,
    controller: Controller,
    erased: Mapping[str, int],
    services: Sequence[ConcernedService],
    keys_url: str,
) -> dict[str, Any]:
    """Write what the certificate of a deletion says: nothing by which the person could be found.

    It holds no hash of a chain of ours either: the line of the deletion is chained after this is signed, and says the
    number.

    Args:
        number: Of the certificate, drawn for it.
        at: When everything was gone.
        way: How it came to it.
        controller: Who erased.
        erased: How many rows, by category.
        services: Who was told, and who could not be.
        keys_url: Where the keys are read that verify it.
    """
    return {
        "version": CERTIFICATE_VERSION,
        "jti": number,
        "deleted_at": int(at.timestamp()),
        "requested_by": way.value,
        "controller": asdict(controller),
        "erased": dict(erased),
        "services": [{"name": service.name, "told_by": service.told.value} for service in services],
        "kept": list(KEPT),
        "keys": keys_url,
    }
