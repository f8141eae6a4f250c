"""Faults that /control sets, to see what a service does when FranceConnect misbehaves.

This is the one part that FranceConnect does not have. A person sets them on the page /control; a program
posts a JSON object there:

    {"fault": "wrong_key", "on": "userinfo", "times": 1}

`times` is how many answers it spoils; without it, the fault stays until it is cleared. `on` is one of
`PLACES`; without it, the fault acts wherever it can. Some faults need a detail, under the name that
`DETAILS` says. `rotate_keys` is no fault in force: it makes new signing keys at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from idp.demo.franceconnect.errors import IDENTITY_ERRORS

_TOKENS = frozenset({"id_token", "userinfo"})
_DOCUMENTS = frozenset({"discovery", "jwks", "token", "userinfo"})
#: "interaction" stands for every page that the person sees.
_ENDPOINTS = _DOCUMENTS | {"authorize", "interaction", "end_session"}
_CALLBACK = frozenset({"callback"})

#: Where each fault may act.
PLACES: dict[str, frozenset[str]] = {
    "down": _ENDPOINTS,
    "error_500": _ENDPOINTS,
    "slow": _ENDPOINTS,
    "bad_json": _DOCUMENTS,
    "wrong_key": _TOKENS,
    "wrong_issuer": _TOKENS | _CALLBACK,
    "wrong_audience": _TOKENS,
    "wrong_nonce": frozenset({"id_token"}),
    "wrong_state": _CALLBACK,
    "wrong_subject": frozenset({"userinfo"}),
    "lower_acr": frozenset({"id_token"}),
    "at_hash": frozenset({"id_token"}),
    "wrong_at_hash": frozenset({"id_token"}),
    "expired": _TOKENS,
    "clock_ahead": _TOKENS,
    "missing_claim": _TOKENS,
    "unsigned_id_token": frozenset({"id_token"}),
    "unsigned_userinfo": frozenset({"userinfo"}),
    "unencrypted": _TOKENS,
    "wrong_encryption_key": _TOKENS,
    "callback_error": _CALLBACK,
    "identity_error": frozenset({"interaction"}),
}

#: What each fault does, for the page.
DESCRIPTIONS = {
    "down": "en panne : réponse 503",
    "error_500": "erreur 500, en HTML",
    "slow": "lent : répond après un délai",
    "bad_json": "réponse coupée, illisible",
    "wrong_key": "jeton signé par une clé inconnue",
    "wrong_issuer": "autre émetteur (iss)",
    "wrong_audience": "jeton destiné à un autre service (aud)",
    "wrong_nonce": "autre nonce",
    "wrong_state": "state « undefined »",
    "wrong_subject": "autre sub que dans le jeton d’identité",
    "lower_acr": "niveau inférieur à la demande (acr)",
    "at_hash": "jeton d’identité avec at_hash, juste",
    "wrong_at_hash": "jeton d’identité avec un at_hash faux",
    "expired": "jeton expiré depuis une heure",
    "clock_ahead": "horloge en avance",
    "missing_claim": "donnée manquante",
    "unsigned_id_token": "jeton d’identité sans signature (alg none)",
    "unsigned_userinfo": "userinfo en JSON, sans signature",
    "unencrypted": "jeton signé mais pas chiffré (FranceConnect+)",
    "wrong_encryption_key": "jeton chiffré pour un autre (FranceConnect+)",
    "callback_error": "retour au service avec une erreur",
    "identity_error": "page d’erreur après le choix de l’identité",
}

#: The member that says more about a fault, for those that need it.
DETAILS = {"missing_claim": "claim", "callback_error": "error", "identity_error": "code"}

MAX_SECONDS = 120.0


@dataclass
class Fault:
    """A fault in force.

    Attributes:
        name: One of `PLACES`.
        places: Where it acts.
        remaining: Answers still to spoil; None for all.
        seconds: Of `slow` and `clock_ahead`.
        detail: The claim, the error or the code that `DETAILS` asks for.
        number: Names it, to clear it.
    """

    name: str
    places: frozenset[str]
    remaining: int | None = None
    seconds: float = 0.0
    detail: str = ""
    number: int = 0


def read(body: Mapping[str, object]) -> Fault:
    """Make a fault of what was posted to /control.

    Raises:
        ValueError: When a member is missing or wrong.
    """
    name, place, times = body.get("fault"), body.get("on"), body.get("times")
    seconds = body.get("seconds", 0.0)
    if not isinstance(name, str) or name not in PLACES:
        raise ValueError(f"fault must be one of {', '.join(sorted([*PLACES, 'rotate_keys']))}")
    if place is not None and place not in PLACES[name]:
        raise ValueError(f"on must be one of {', '.join(sorted(PLACES[name]))}")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times must be a positive whole number")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"seconds must be between 0 and {MAX_SECONDS:.0f}")
    places = PLACES[name] if place is None else frozenset({str(place)})
    return Fault(name, places, times, float(seconds), _detail(name, body))


def _detail(name: str, body: Mapping[str, object]) -> str:
    """Read the detail that a fault needs, and refuse one that it does not.

    Raises:
        ValueError: It is missing, or in the wrong place, or no code of FranceConnect's.
    """
    needed = DETAILS.get(name)
    for member in DETAILS.values():
        if member != needed and body.get(member):
            raise ValueError(f"{member} is not for {name}")
    if needed is None:
        return ""
    detail = body.get(needed)
    if not isinstance(detail, str) or not detail:
        raise ValueError(f"{needed} is needed for {name}")
    if needed == "code" and detail not in IDENTITY_ERRORS:
        raise ValueError(f"code must be one of {', '.join(IDENTITY_ERRORS)}")
    return detail


@dataclass
class Faults:
    """The faults in force, in the order in which they were set."""

    _lock: Lock = field(default_factory=Lock)
    _faults: list[Fault] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def set(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            fault.number = next(self._numbers)
            self._faults.append(fault)

    def clear(self, number: int) -> None:
        """End one fault; one that is over already is no error."""
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.number != number]

    def reset(self) -> None:
        """Answer faithfully again."""
        with self._lock:
            self._faults.clear()

    def in_force(self) -> list[Fault]:
        """Return what is in force."""
        with self._lock:
            return list(self._faults)

    def listed(self) -> list[dict[str, object]]:
        """Describe what is in force."""
        return [
            {"fault": fault.name, "on": sorted(fault.places), "remaining": fault.remaining}
            for fault in self.in_force()
        ]

    def take(self, name: str, place: str) -> Fault | None:
        """Return the fault to apply here and now, if any; this counts as one time."""
        with self._lock:
            for fault in self._faults:
                if fault.name == name and place in fault.places:
                    self._count(fault)
                    return fault
        return None

    def _count(self, fault: Fault) -> None:
        """Count one answer; a fault whose times are over goes away."""
        if fault.remaining is None:
            return
        fault.remaining -= 1
        if fault.remaining == 0:
            self._faults.remove(fault)
