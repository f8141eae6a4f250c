"""What is written to the audit trail: one dataclass per event, no personal value in any (ADM-3, PRI-3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; its fields are the details kept with it."""

    name: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """Give the fields as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AccountCreated(Event):
    """An account was opened, by "email" or through "franceconnect"."""

    name: ClassVar[str] = "account.created"
    way: str


@dataclass(frozen=True, slots=True)
class AccountLocked(Event):
    """An account was locked (LOG-6)."""

    name: ClassVar[str] = "account.locked"
    reason: str


@dataclass(frozen=True, slots=True)
class AccountSecured(Event):
    """A person ended everything in their account: so many sessions, and the password (LOG-6)."""

    name: ClassVar[str] = "account.secured"
    sessions: int


@dataclass(frozen=True, slots=True)
class DeletionWarned(Event):
    """The owner of an unused account is warned that it will be deleted; how many days before, and when (LIF-2)."""

    name: ClassVar[str] = "life_cycle.warned"
    stage: int
    deletes_at: str


@dataclass(frozen=True, slots=True)
class WarningBounced(Event):
    """A warning was sent back by a mail server: it counts for nothing (LIF-3)."""

    name: ClassVar[str] = "life_cycle.bounced"


@dataclass(frozen=True, slots=True)
class AccountReactivated(Event):
    """A person kept an unused account by the link of a warning (LIF-2)."""

    name: ClassVar[str] = "life_cycle.reactivated"


@dataclass(frozen=True, slots=True)
class AccountUnlocked(Event):
    """An account was unlocked (LOG-6)."""

    name: ClassVar[str] = "account.unlocked"


@dataclass(frozen=True, slots=True)
class ProcessingLimited(Event):
    """Services are told nothing of a person any more (PRI-4); by which administrator, and why."""

    name: ClassVar[str] = "processing.limited"
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessingUnlimited(Event):
    """Services may be told again what a person allows; by which administrator, and why."""

    name: ClassVar[str] = "processing.unlimited"
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountExported(Event):
    """Everything kept about a person was given out, to the person or by an administrator (PRI-1, PRI-4, S-456)."""

    name: ClassVar[str] = "account.exported"
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class AttributesRectified(Event):
    """An administrator rectified what a person had declared (PRI-4, ACC-7); the names, never the values."""

    name: ClassVar[str] = "attributes.rectified"
    by: str
    reason: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataRequestChanged(Event):
    """A request of the RGPD was "received", "extended", "done", "refused", or "reminded" of (PRI-4, ACC-7)."""

    name: ClassVar[str] = "data_request.changed"
    request_id: str
    change: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AccountDeleted(Event):
    """An account was erased; the line names nobody, and says which lines of the trail lost a name by it (LIF-4).

    Attributes:
        way: "person", "administrator", "life_cycle", "restore"; "late" for lines that came while it was erased.
        certificate: Its number, which the person knows.
    """

    name: ClassVar[str] = "account.deleted"
    erased: tuple[int, ...]
    way: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class PurgesReapplied(Event):
    """After a restore: how many accounts a list named, and how many were here again and were erased (S-442)."""

    name: ClassVar[str] = "purges.reapplied"
    listed: int
    erased: int


@dataclass(frozen=True, slots=True)
class SignedInEvent(Event):
    """A person signed in."""

    name: ClassVar[str] = "sign_in.succeeded"
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignInRefused(Event):
    """A password was wrong, or a try came too early; the account is named when it exists."""

    name: ClassVar[str] = "sign_in.refused"
    reason: str


@dataclass(frozen=True, slots=True)
class SessionEnded(Event):
    """Sessions ended: "sign_out", "ended_by_person", "password_changed", "locked", "secured", "unlinked"."""

    name: ClassVar[str] = "session.ended"
    reason: str


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """A password was set: "change", "reset"."""

    name: ClassVar[str] = "password.changed"
    way: str


@dataclass(frozen=True, slots=True)
class EmailChanged(Event):
    """The login address is another one, proven by "code" or "link"; neither address is kept here (PRO-1)."""

    name: ClassVar[str] = "account.email_changed"
    way: str


@dataclass(frozen=True, slots=True)
class EmailChangeUndone(Event):
    """The old address took a change back: "restored", or "taken" when it belongs to another account by now."""

    name: ClassVar[str] = "account.email_change_undone"
    outcome: str


@dataclass(frozen=True, slots=True)
class IdentityEdited(Event):
    """A person changed declared identity; the names of the attributes, never their values."""

    name: ClassVar[str] = "identity.edited"
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactDetailsEdited(Event):
    """A person changed how to reach them (PRO-2); the names of the attributes, never their values."""

    name: ClassVar[str] = "contact_details.edited"
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FranceConnectLinked(Event):
    """A FranceConnect identity was linked to the account."""

    name: ClassVar[str] = "franceconnect.linked"


@dataclass(frozen=True, slots=True)
class FranceConnectRefreshed(Event):
    """A FranceConnect login changed certified attributes; their names."""

    name: ClassVar[str] = "franceconnect.refreshed"
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FranceConnectRefused(Event):
    """An answer of FranceConnect was refused; which check failed."""

    name: ClassVar[str] = "franceconnect.refused"
    reason: str


@dataclass(frozen=True, slots=True)
class UnlinkRequested(Event):
    """A person asked that the link to FranceConnect be ended (FC-5)."""

    name: ClassVar[str] = "unlink.requested"
    request_id: str


@dataclass(frozen=True, slots=True)
class UnlinkWithdrawn(Event):
    """A person withdrew that request."""

    name: ClassVar[str] = "unlink.withdrawn"
    request_id: str


@dataclass(frozen=True, slots=True)
class UnlinkApproved(Event):
    """A manager ended the links of an account; the names of the attributes that are declared again."""

    name: ClassVar[str] = "unlink.approved"
    request_id: str
    decided_by: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnlinkRefused(Event):
    """A manager refused; the reason stands with the request, and is erased with the account."""

    name: ClassVar[str] = "unlink.refused"
    request_id: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class TermsPublished(Event):
    """A version of the terms was published in one language, to take effect at a moment (CGU-1)."""

    name: ClassVar[str] = "terms.published"
    version: str
    language: str = ""
    effective_at: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class TermsAccepted(Event):
    """A person accepted a version of the terms (CGU-3)."""

    name: ClassVar[str] = "terms.accepted"
    version: str


@dataclass(frozen=True, slots=True)
class ConsentGiven(Event):
    """A person allowed a client scopes and claims (CON-2)."""

    name: ClassVar[str] = "consent.given"
    scopes: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentRefused(Event):
    """A person refused a client everything (CON-2)."""

    name: ClassVar[str] = "consent.refused"


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn(Event):
    """A person withdrew a consent; its tokens died in the same transaction (CON-4)."""

    name: ClassVar[str] = "consent.withdrawn"


@dataclass(frozen=True, slots=True)
class PurposeAnswered(Event):
    """A person said "yes" or "no" to a purpose of a service, or the answer ended with the consent (CON-3)."""

    name: ClassVar[str] = "purpose.answered"
    purpose: str
    version: str
    answer: str


@dataclass(frozen=True, slots=True)
class NewsletterSubscribed(Event):
    """A person confirmed a subscription to a list of a service (PRO-7)."""

    name: ClassVar[str] = "newsletter.subscribed"
    newsletter: str


@dataclass(frozen=True, slots=True)
class NewsletterUnsubscribed(Event):
    """A person ended a subscription to a list of a service (PRO-7)."""

    name: ClassVar[str] = "newsletter.unsubscribed"
    newsletter: str


@dataclass(frozen=True, slots=True)
class FamilyRevoked(Event):
    """Every token of one authorization died.

    "code_replayed", "refresh_reused", "revoked_by_client", "below_minimum_age".
    """

    name: ClassVar[str] = "tokens.revoked"
    reason: str


@dataclass(frozen=True, slots=True)
class ClientChanged(Event):
    """A client was changed, by an administrator or, as far as it may, by itself.

    "created", "updated", "secret_rotated", "disabled", "enabled", "deleted".
    """

    name: ClassVar[str] = "client.changed"
    change: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InitialTokenChanged(Event):
    """A token that lets a client register was made or ended: "created", "revoked" (RFC 7591)."""

    name: ClassVar[str] = "initial_token.changed"
    change: str
    token_id: str


@dataclass(frozen=True, slots=True)
class KeysRotated(Event):
    """Signing keys moved one step (OPS-4)."""

    name: ClassVar[str] = "keys.rotated"
    kids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PermissionChanged(Event):
    """A parent's permission moved: "asked", "canceled", "given", "refused", "withdrawn" (CON-7); never the address.

    An administrator who withdraws it says who and why (ACC-7).
    """

    name: ClassVar[str] = "permission.changed"
    change: str
    permission_id: str
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AccountViewed(Event):
    """An administrator looked at what is kept of a person (S-456); why, in their words."""

    name: ClassVar[str] = "account.viewed"
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class UnlinkViewed(Event):
    """An administrator read a request to end a link to FranceConnect, and what the person wrote."""

    name: ClassVar[str] = "unlink.viewed"
    request_id: str
    by: str


@dataclass(frozen=True, slots=True)
class UnlinkListed(Event):
    """An administrator read the queue of these requests, with the addresses of who asked."""

    name: ClassVar[str] = "unlink.listed"
    count: int
    by: str


@dataclass(frozen=True, slots=True)
class DatabaseUpgraded(Event):
    """An administrator brought the database to a newer migration (OPS-2)."""

    name: ClassVar[str] = "database.upgraded"
    before: str | None
    now: str


@dataclass(frozen=True, slots=True)
class TrailRead(Event):
    """An administrator read lines of the trail: "show", "export"; how many, and whether of one account."""

    name: ClassVar[str] = "audit.read"
    way: str
    count: int
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class MessagesRetried(Event):
    """An administrator had messages sent again that were given up."""

    name: ClassVar[str] = "outbox.retried"
    count: int
    message_id: str | None


@dataclass(frozen=True, slots=True)
class RowsPurged(Event):
    """What was past its retention was deleted; how many rows of each kind (PRI-3, S-430)."""

    name: ClassVar[str] = "retention.purged"
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class TrailCut(Event):
    """Lines of the trail itself were past their retention: the chain begins after this one now (ADM-3)."""

    name: ClassVar[str] = "audit.cut_off"
    through: int
    link: str
    count: int


@dataclass(frozen=True, slots=True)
class LinesTakenIn(Event):
    """Lines of before there was a chain took their places in it."""

    name: ClassVar[str] = "chain.taken_in"
    chain: str
    count: int
