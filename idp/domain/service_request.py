"""Requests that people made to services, as the page "Mes demandes" shows them (PRO-6).

A service writes what became of a request: short texts and a link, never the file itself, which stays with the
service. A request is known by its type, its person and its identifier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.domain.faults import Fault, Problem

#: What a portal keeps of a request once it is over: three months (CNIL, local e-services).
KEPT_AFTER_CLOSING: Final = timedelta(days=90)
#: A service's clock may run ahead of ours by so much.
CLOCK_SKEW: Final = timedelta(minutes=5)
#: One service, one person: more would be a fault of the service's.
MOST_OF_A_PERSON: Final = 500
#: How many steps a request may have.
MOST_STEPS: Final = 20
_LONGEST_URL: Final = 2000
#: Before and after these no clock of a service is right, and no calendar of ours goes.
FIRST_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = datetime(2200, 1, 1, tzinfo=UTC)

#: How a service names the person: what OIDC Core 2 lets a `sub` be.
SUBJECT: Final = re.compile(r"[!-~]{1,255}")
#: The code of a type and the identifier of a request, in their addresses.
TYPE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Controls, line separators, and signs that turn the direction of what stands around them (Unicode UAX 9).
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
#: A message may have lines, and columns.
_LINES: Final = str.maketrans("", "", "\n\t")
#: Nothing to be seen: blanks, and signs of no width.
_INVISIBLE: Final = re.compile(r"[\s\u00ad\u200b-\u200d\u2060]*")
#: What a URI is made of (RFC 3986 section 2).
_URI: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
#: RFC 3339 section 5.6, with the zone that it requires.
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Status(StrEnum):
    """Where a request stands."""

    ONGOING = "ongoing"
    TO_COMPLETE = "to_complete"
    TO_PAY = "to_pay"
    PAID = "paid"
    CLOSED = "closed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self in _FINAL

    @property
    def awaits_person(self) -> bool:
        """Tell whether the person has something to do."""
        return self in _AWAITS


_FINAL: Final = frozenset({Status.PAID, Status.CLOSED, Status.CANCELED})
_AWAITS: Final = frozenset({Status.TO_COMPLETE, Status.TO_PAY})


@dataclass(frozen=True, slots=True)
class Update:
    """What a service says of a request.

    Attributes:
        title: What the request is, such as "Stationnement résidentiel".
        status: Where it stands.
        status_text: The same in the service's own words; None for ours.
        message: What the person should know, plain text, line breaks kept; None for nothing.
        url: Where the person goes on, at an address of the service; None for its home.
        due_at: Until when the person has to act, or when an appointment is; None for no date.
        step: Of how many steps the request has passed; None when it has none.
        steps: How many there are.
        updated_at: When this became true, by the service's clock: an older update changes nothing.
    """

    title: str
    status: Status
    updated_at: datetime
    status_text: str | None = None
    message: str | None = None
    url: str | None = None
    due_at: datetime | None = None
    step: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A request as it is kept.

    Attributes:
        request_id: Ours, in the address of its page.
        client_id: Which service.
        type: The code of its type, the service's own.
        reference: Its identifier there.
        update: What the service said last.
        created_at: When we first heard of it.
        changed_at: When we last did.
        read_at: When the person put it away as read; None when something is new.
        closed_at: Since when it is over; None while it goes on.
    """

    request_id: str
    client_id: str
    type: str
    reference: str
    update: Update
    created_at: datetime
    changed_at: datetime
    read_at: datetime | None
    closed_at: datetime | None

    @property
    def is_unread(self) -> bool:
        """Tell whether the person has not seen what the service said last."""
        return self.read_at is None


#: Tells whether an address is the service's own.
Owns = Callable[[str], bool]
#: How long each text may be, in characters.
LENGTHS: Final = {"title": 150, "status_text": 80, "message": 1000, "url": _LONGEST_URL}
MEMBERS: Final = (
    "title",
    "status",
    "status_text",
    "message",
    "url",
    "due_at",
    "step",
    "steps",
    "updated_at",
)
_REQUIRED: Final = ("title", "status", "updated_at")


def read(body: Mapping[str, Any], *, is_own: Owns, now: datetime) -> Update | tuple[Fault, ...]:
    """Read what a service sent.

    Args:
        body: A JSON object.
        is_own: Tells whether an address is the service's own: a link leads nowhere else.
        now: The present moment.

    Returns:
        The update; or all that is wrong with it.
    """
    faults = [Fault(name, Problem.UNKNOWN) for name in sorted(body.keys() - set(MEMBERS))]
    given = {name: value for name, value in body.items() if value is not None and name in MEMBERS}
    faults += [Fault(name, Problem.MISSING) for name in _REQUIRED if name not in given]
    for name, value in given.items():
        problem = _CHECKS[name](name, value, is_own, now)
        if problem is not None:
            faults.append(Fault(name, problem))
    faults += _step_faults(given, {fault.member for fault in faults})
    return tuple(faults) if faults else _update(given)


def _step_faults(given: Mapping[str, Any], faulty: set[str]) -> list[Fault]:
    """Check that a step has its number of steps, and comes not after the last one."""
    if ("step" in given) != ("steps" in given):
        return [Fault("steps" if "step" in given else "step", Problem.MISSING)]
    if "step" in given and not faulty & {"step", "steps"} and given["step"] > given["steps"]:
        return [Fault("step", Problem.OUT_OF_RANGE)]
    return []


def _update(given: Mapping[str, Any]) -> Update:
    texts = {
        name: _lines(given[name]).strip() for name in ("title", "status_text", "message") if name in given
    }
    due = given.get("due_at")
    return Update(
        title=texts["title"],
        status=Status(given["status"]),
        updated_at=_moment(given["updated_at"]),
        status_text=texts.get("status_text") or None,
        message=texts.get("message") or None,
        url=given.get("url"),
        due_at=None if due is None else _moment(due),
        step=given.get("step"),
        steps=given.get("steps"),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.upper())


def _lines(text: str) -> str:
    """End lines in one way, whatever machine wrote them."""
    return text.replace("\r\n", "\n")


def _text(name: str, value: Any, _is_own: Owns, _now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    if not isinstance(value, str):
        return Problem.WRONG_TYPE
    if len(value) > LENGTHS[name]:
        return Problem.TOO_LONG
    if _CONTROL.search(_lines(value).translate(_LINES) if name == "message" else value):
        return Problem.CONTROL_CHARACTER
    return Problem.EMPTY if name == "title" and _INVISIBLE.fullmatch(value) else None


def _status(_name: str, value: Any, _is_own: Owns, _now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    return None if isinstance(value, str) and value in set(Status) else Problem.NOT_ONE_OF


def _link(name: str, value: Any, is_own: Owns, now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    problem = _text(name, value, is_own, now)
    if problem is not None:
        return problem
    return None if _URI.fullmatch(value) and is_own(value) else Problem.NOT_YOUR_ADDRESS


def _any_moment(_name: str, value: Any, _is_own: Owns, _now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        return Problem.NOT_A_MOMENT
    try:
        moment = _moment(value)
    except ValueError:
        return Problem.NOT_A_MOMENT
    return None if FIRST_MOMENT <= moment < LAST_MOMENT else Problem.OUT_OF_RANGE


def _past_moment(name: str, value: Any, is_own: Owns, now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    problem = _any_moment(name, value, is_own, now)
    if problem is not None:
        return problem
    return Problem.IN_THE_FUTURE if _moment(value) > now + CLOCK_SKEW else None


def _count(_name: str, value: Any, _is_own: Owns, _now: datetime) -> Problem | None:  # noqa: ANN401 - any JSON
    if not isinstance(value, int) or isinstance(value, bool):
        return Problem.WRONG_TYPE
    return None if 1 <= value <= MOST_STEPS else Problem.OUT_OF_RANGE


_CHECKS: Final = {
    "title": _text,
    "status": _status,
    "status_text": _text,
    "message": _text,
    "url": _link,
    "due_at": _any_moment,
    "step": _count,
    "steps": _count,
    "updated_at": _past_moment,
}
