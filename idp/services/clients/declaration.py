"""Brings the registered services in line with a file that describes them: a plan first, then all of it or nothing.

The file is the whole of each service that it names: what it leaves out goes back to the default (ADM-1, CON-1).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.protocol.clients.contract import missing
from idp.protocol.clients.metadata import MetadataProblem
from idp.services.clients import registry
from idp.services.clients.registry import Changed, ChangedMeanwhile, Invalid
from idp.services.clients.secrets import has_secret, issue, needs_secret
from idp.storage.repositories import clients

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from idp.domain.client import Client
    from idp.services.clients.secrets import IssuedSecret
    from idp.services.tools import Tools
    from idp.storage.engine import Connection
    from idp.storage.repositories.logos import StoredLogo

#: What the file does not say.
_OURS = ("version", "secrets", "created_at", "disabled_at")
#: Members of these are told by their name, not by their place.
_NAMED = frozenset({"claims", "purposes", "newsletters"})
#: "purposes.NAME": one that comes or goes as a whole.
_WHOLE_PURPOSE: Final = 2


@dataclass(frozen=True, slots=True)
class Declared:
    """One service of the file.

    Attributes:
        client: What it says, without secrets.
        logo: An image, as it was read; None to leave the one that is there.
    """

    client: Client
    logo: bytes | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that changes; a list tells its members one by one.

    Attributes:
        name: Of the attribute, with dots for what is inside of it.
        before: None for what was not there.
        after: None for what goes away.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one service.

    Attributes:
        client: As it shall be.
        present: As it is; None for a new one.
        image: Its new logo.
        differences: What changes; empty for a new one, and for one that stays as it is.
    """

    client: Client
    present: Client | None
    image: StoredLogo | None
    differences: tuple[Difference, ...] = ()

    @property
    def is_new(self) -> bool:
        """Tell whether the service is not registered yet."""
        return self.present is None

    @property
    def is_nothing(self) -> bool:
        """Tell whether the service stays as it is."""
        return self.present is not None and not self.differences

    @property
    def takes_away(self) -> bool:
        """Tell whether something that works today ends: an address, a claim, a way to prove itself."""
        changes_proof = any(one.name == "authentication_method" for one in self.differences)
        return changes_proof or any(one.after is None for one in self.differences)

    @property
    def keeps_policy_version(self) -> bool:
        """Tell whether what people agreed to changes, and nobody will be asked again (CON-8)."""
        told = {"policy_uri", "legal_basis", "retention", "recipients", "storage_location"}
        names = {one.name.partition(".")[0] for one in self.differences}
        return not names.isdisjoint(told) and "policy_version" not in names

    @property
    def reworded(self) -> tuple[str, ...]:
        """Name the purposes whose words change while their version stays: earlier answers hold for the new words."""
        parts = [one.name.split(".") for one in self.differences if one.name.startswith("purposes.")]
        changed = [part for part in parts if len(part) > _WHOLE_PURPOSE]
        raised = {name for _, name, member, *_ in changed if member == "version"}
        return tuple(dict.fromkeys(name for _, name, *_ in changed if name not in raised))


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file would do.

    Attributes:
        steps: One for each service of the file, in its order.
        absent: Services that an administrator registered, that are open, and that the file does not name.
    """

    steps: tuple[Step, ...]
    absent: tuple[Client, ...]

    def is_nothing(self, *, prune: bool) -> bool:
        """Tell whether everything is as the file says."""
        return all(step.is_nothing for step in self.steps) and not (prune and self.absent)

    def takes_away(self, *, prune: bool) -> bool:
        """Tell whether something that works today ends."""
        return any(step.takes_away for step in self.steps) or (prune and bool(self.absent))


@dataclass(frozen=True, slots=True)
class Faulty:
    """Nothing can be applied: what is wrong, by service, all at once."""

    problems: tuple[tuple[str, MetadataProblem], ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """Everything is as the file says.

    Attributes:
        secrets: New ones by client, in clear for the only time.
    """

    secrets: dict[str, str] = field(repr=False)


class _Overtaken(Exception):
    """Undoes the transaction; seen by nobody."""


def plan(tools: Tools, declared: Sequence[Declared]) -> Plan | Faulty:
    """Compare a file with what is registered, and check all of it; nothing is written."""
    present = {client.client_id: client for client in registry.every(tools)}
    faults: list[tuple[str, MetadataProblem]] = []
    steps: list[Step] = []
    for one in declared:
        known = present.pop(one.client.client_id, None)
        candidate = _candidate(one.client, known)
        outcome = _looked_at(tools, candidate, known, one.logo)
        if isinstance(outcome, Step):
            steps.append(outcome)
        else:
            faults += ((one.client.client_id, problem) for problem in outcome)
    if faults:
        return Faulty(tuple(faults))
    # One that registered itself is nobody's to declare; one that is closed is out of the way already.
    left = (client for client in present.values() if client.is_verified and client.disabled_at is None)
    return Plan(tuple(steps), tuple(left))


def apply(tools: Tools, planned: Plan, *, prune: bool) -> Applied | ChangedMeanwhile:
    """Do what a plan says in one transaction: all of it, or nothing when anybody else changed a service meanwhile.

    Args:
        tools: The parts.
        planned: As it was shown.
        prune: Close the services that the file does not name; their tokens die. Nothing is erased.
    """
    now = tools.clock()
    issued = {step.client.client_id: _secret_for(tools, step.client, now) for step in planned.steps}
    try:
        with tools.database.write() as connection:
            for step in planned.steps:
                _write(connection, step, issued[step.client.client_id], now)
            for client in planned.absent if prune else ():
                _close(connection, client, now)
    except _Overtaken:
        return ChangedMeanwhile()
    return Applied({client_id: secret.clear for client_id, secret in issued.items() if secret is not None})


def differences(before: Client, after: Client) -> tuple[Difference, ...]:
    """Say what changes, in the order of the attributes."""
    found = zip(_flat(before).items(), _flat(after).items(), strict=True)
    return tuple(difference for (name, old), (_, new) in found for difference in _compared(name, old, new))


def _candidate(wanted: Client, known: Client | None) -> Client:
    if known is None:
        return wanted
    kept = {name: getattr(known, name) for name in _OURS}
    candidate = replace(wanted, logo_uri=known.logo_uri, **kept)
    return candidate if needs_secret(candidate) else replace(candidate, secrets=())


def _looked_at(
    tools: Tools, candidate: Client, known: Client | None, logo: bytes | None
) -> Step | tuple[MetadataProblem, ...]:
    checked = registry.checked_with_logo(tools, candidate, logo)
    lacks = tuple(MetadataProblem(name, message) for name, message in missing(candidate))
    if isinstance(checked, Invalid):
        return checked.problems + lacks
    candidate, image = checked
    found = lacks + registry.changed_sector_problems(tools, known, candidate)
    if found:
        return found
    changes = () if known is None else differences(known, candidate)
    return Step(candidate, known, image, changes)


def _secret_for(tools: Tools, client: Client, now: datetime) -> IssuedSecret | None:
    is_needed = needs_secret(client) and not has_secret(client, now)
    return issue(tools.sealer, client, now) if is_needed else None


def _write(connection: Connection, step: Step, secret: IssuedSecret | None, now: datetime) -> None:
    if step.present is None:
        if clients.version(connection, step.client.client_id) is not None:
            raise _Overtaken
        secrets = () if secret is None else (secret.kept,)
        client = replace(step.client, version=1, created_at=now, secrets=secrets)
        registry.write_new(connection, client, step.image, now)
    elif not step.is_nothing or secret is not None:
        change = Changed(step.present, step.client, step.image, secret)
        if not registry.write_changed(connection, change, now):
            raise _Overtaken


def _close(connection: Connection, client: Client, now: datetime) -> None:
    if registry.write_disabled(connection, client, now) is None:
        raise _Overtaken


def _flat(client: Client) -> dict[str, Any]:
    plain = msgspec.to_builtins(client, order="deterministic")
    return {name: value for name, value in plain.items() if name not in {*_OURS, "client_id"}}


def _compared(name: str, before: Any, after: Any) -> Iterator[Difference]:  # noqa: ANN401 - plain values of every kind
    if before == after:
        return
    if name in _NAMED:
        before, after = _by_name(before), _by_name(after)
        if before == after:
            # In another order: that of the screen.
            yield Difference(name, list(before), list(after))
            return
    if isinstance(before, dict) and isinstance(after, dict) and name != "jwks":
        yield from _compared_members(name, before, after)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and set(before) != set(after):
        yield from (Difference(name, one, None) for one in before if one not in after)
        yield from (Difference(name, None, one) for one in after if one not in before)
    else:
        yield Difference(name, before, after)


def _compared_members(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        inner = f"{name}.{key}"
        if key in before and key in after:
            yield from _compared(inner, before[key], after[key])
        else:
            yield Difference(inner, before.get(key), after.get(key))


def _by_name(members: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in members}
