"""FranceConnect and FranceConnect+, the State's two portals: which are on, which one reaches a level (FC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain.authentication import ACR_PASSWORD, ACR_VALUES, levels_up_to, rank

if TYPE_CHECKING:
    from idp.federation.upstream import UpstreamProvider
    from idp.services.context import Context

FRANCECONNECT: Final = "franceconnect"
FRANCECONNECT_PLUS: Final = "franceconnect_plus"


def portals(context: Context) -> dict[str, UpstreamProvider]:
    """Give the portals that are on by name, the ordinary one first."""
    known = {FRANCECONNECT: context.franceconnect, FRANCECONNECT_PLUS: context.franceconnect_plus}
    return {name: portal for name, portal in known.items() if portal is not None}


def provider(context: Context, name: str) -> UpstreamProvider:
    """Give a portal by its name.

    Raises:
        LookupError: It is off; no page leads here then.
    """
    found = portals(context).get(name)
    if found is None:
        raise LookupError(f"{name} is off")
    return found


def reachable_levels(context: Context) -> tuple[str, ...]:
    """Give every level that a person can reach here: a surer login satisfies the weaker ones too."""
    reached = [level for portal in portals(context).values() for level in portal.levels]
    return levels_up_to(max((ACR_PASSWORD, *reached), key=rank))


def portal_for(context: Context, acr_values: tuple[str, ...] = ()) -> str:
    """Name the portal that reaches what is asked for: the ordinary one where it does.

    Args:
        context: The parts.
        acr_values: Levels any of which will do; those that nobody reaches here are left out, as are unknown ones.

    Raises:
        LookupError: None is on; no page leads here then.
    """
    on = portals(context)
    for name, portal in on.items():
        if level_for(portal, acr_values) is not None:
            return name
    if not on:
        raise LookupError("FranceConnect is off")
    return next(iter(on))


@dataclass(frozen=True, slots=True)
class Choice:
    """Where somebody is sent, and what it is asked for.

    Attributes:
        name: The portal.
        level: Of assurance; None for its lowest.
    """

    name: str
    level: str | None = None


def choice_for(context: Context, acr_values: tuple[str, ...] = (), *, name: str | None = None) -> Choice:
    """Choose the portal that reaches what is asked for, or keep to a given one, and say what to ask it for.

    Raises:
        LookupError: It is off, or none is on.
    """
    chosen = portal_for(context, acr_values) if name is None else name
    return Choice(chosen, level_for(provider(context, chosen), acr_values))


def level_for(portal: UpstreamProvider, acr_values: tuple[str, ...]) -> str | None:
    """Give the lowest level that a portal may be asked for and that satisfies one of these; None when none does.

    Args:
        portal: Which one.
        acr_values: Levels any of which will do; none known asks for nothing more than the portal's lowest.
    """
    least = min((rank(value) for value in acr_values if value in ACR_VALUES), default=0)
    return next((level for level in portal.levels if rank(level) >= least), None)
