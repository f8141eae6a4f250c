"""Faults that POST /control sets, to see what a service does when FranceConnect misbehaves.

This is the one part that FranceConnect does not have. A fault is a JSON object:

    {"fault": "wrong_key", "on": "userinfo", "times": 1}

`times` is how many answers it spoils; without it, the fault stays until DELETE /control.

| fault              | on                                    | what happens                              |
|--------------------|---------------------------------------|-------------------------------------------|
| `down`             | (every endpoint)                      | 503                                       |
| `slow`             | `token`, `userinfo`, `jwks`, `discovery`, or all of them | answers after `seconds` |
| `bad_json`         | `token` or `userinfo`                 | a body that does not parse                |
| `wrong_key`        | `id_token` or `userinfo`              | signed by a key that is not published     |
| `wrong_issuer`     | `id_token`, `userinfo` or `callback`  | another `iss`                             |
| `wrong_audience`   | `id_token` or `userinfo`              | another `aud`                             |
| `wrong_nonce`      | `id_token`                            | another `nonce`                           |
| `wrong_state`      | `callback`                            | another `state`                           |
| `wrong_subject`    | `userinfo`                            | another `sub` than in the ID token        |
| `lower_acr`        | `id_token`                            | `acr` below what was asked                |
| `expired`          | `id_token` or `userinfo`              | `exp` an hour ago                         |
| `missing_claim`    | `id_token` or `userinfo`              | without `claim`                           |
| `unsigned_id_token`| `id_token`                            | `alg` none                                |
| `unsigned_userinfo`| `userinfo`                            | plain JSON                                |
| `unencrypted`      | `id_token` or `userinfo`              | signed only, at FranceConnect+            |
| `wrong_encryption_key` | `id_token` or `userinfo`          | encrypted to somebody else's key          |
| `rotate_keys`      | (at once)                             | new keys, new identifiers                 |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

_TOKENS = frozenset({"id_token", "userinfo"})
_BACK_CHANNEL = frozenset({"discovery", "jwks", "token", "userinfo"})
_EVERY = frozenset({"every"})

#: Where each fault may act; the first of an unnamed place is every one of them.
PLACES: dict[str, frozenset[str]] = {
    "down": _EVERY,
    "slow": _BACK_CHANNEL,
    "bad_json": frozenset({"token", "userinfo"}),
    "wrong_key": _TOKENS,
    "wrong_issuer": _TOKENS | {"callback"},
    "wrong_audience": _TOKENS,
    "wrong_nonce": frozenset({"id_token"}),
    "wrong_state": frozenset({"callback"}),
    "wrong_subject": frozenset({"userinfo"}),
    "lower_acr": frozenset({"id_token"}),
    "expired": _TOKENS,
    "missing_claim": _TOKENS,
    "unsigned_id_token": frozenset({"id_token"}),
    "unsigned_userinfo": frozenset({"userinfo"}),
    "unencrypted": _TOKENS,
    "wrong_encryption_key": _TOKENS,
}

MAX_SECONDS = 120.0


@dataclass
class Fault:
    """A fault in force.

    Attributes:
        name: One of `PLACES`.
        places: Where it acts.
        remaining: Answers still to spoil; None for all.
        seconds: Of `slow`.
        claim: Of `missing_claim`.
    """

    name: str
    places: frozenset[str]
    remaining: int | None = None
    seconds: float = 0.0
    claim: str = ""


def read(body: Mapping[str, object]) -> Fault:
    """Make a fault of the body of POST /control.

    Raises:
        ValueError: When a member is missing or wrong.
    """
    name, place, times = body.get("fault"), body.get("on"), body.get("times")
    seconds, claim = body.get("seconds", 0.0), body.get("claim", "")
    if not isinstance(name, str) or name not in PLACES:
        raise ValueError(f"fault must be one of {', '.join(sorted([*PLACES, 'rotate_keys']))}")
    if place is not None and place not in PLACES[name]:
        raise ValueError(f"on must be one of {', '.join(sorted(PLACES[name]))}")
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError("times must be a positive whole number")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"seconds must be between 0 and {MAX_SECONDS:.0f}")
    if not isinstance(claim, str) or (name == "missing_claim") != bool(claim):
        raise ValueError("claim names the claim to leave out, for missing_claim only")
    places = PLACES[name] if place is None else frozenset({str(place)})
    return Fault(name, places, times, float(seconds), claim)


class Faults:
    """The faults in force, in the order in which they were set."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []

    def set(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)

    def reset(self) -> None:
        """Answer faithfully again."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[dict[str, object]]:
        """Describe what is in force."""
        with self._lock:
            return [
                {"fault": fault.name, "on": sorted(fault.places), "remaining": fault.remaining}
                for fault in self._faults
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
