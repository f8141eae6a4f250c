"""Favourite services and rubriques: what a person wants at hand (PRO-4, PRO-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain import favourites
from idp.services.account.overview import open_services
from idp.storage.repositories import accounts, space

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from idp.domain.client import Client
    from idp.domain.favourites import Direction
    from idp.services.context import Context


def favourites_of(context: Context, account_id: str) -> list[Client]:
    """List the favourite services of a person, in their order; those that are closed are left out, and kept."""
    with context.database.read() as connection:
        wanted = space.favourites_of(connection, account_id)
    if not wanted:
        return []
    known = {client.client_id: client for client in open_services(context)}
    return [known[client_id] for client_id in wanted if client_id in known]


def add(context: Context, account_id: str, client_id: str) -> bool:
    """Put a service at hand; False when there is no such open service, or the list is full."""
    if all(client.client_id != client_id for client in open_services(context)):
        return False
    changed = _change(context, account_id, lambda present: favourites.added(present, client_id))
    return client_id in changed


def remove(context: Context, account_id: str, client_id: str) -> None:
    """Take a service away."""
    _change(context, account_id, lambda present: favourites.without(present, client_id))


def move(context: Context, account_id: str, client_id: str, direction: Direction) -> None:
    """Move a service by one place."""
    _change(context, account_id, lambda present: favourites.moved(present, client_id, direction))


def reorder(context: Context, account_id: str, wanted: Sequence[str]) -> None:
    """Bring the list into an order."""
    _change(context, account_id, lambda present: favourites.reordered(present, wanted))


def rubriques(context: Context) -> list[str]:
    """List the rubriques that there are: those of the open services."""
    return sorted({client.rubrique for client in open_services(context) if client.rubrique})


def rubriques_of(context: Context, account_id: str) -> frozenset[str]:
    """List the rubriques that a person chose."""
    with context.database.read() as connection:
        return space.rubriques_of(connection, account_id)


def choose_rubriques(
    context: Context, account_id: str, chosen: Iterable[str], *, shown: Iterable[str]
) -> None:
    """Keep which rubriques stand in the menu; those that there are not are left out.

    Args:
        context: The parts.
        account_id: Whose menu.
        chosen: The boxes that are ticked now.
        shown: Those that were ticked when the page was shown: what another tab chose since then stays.
    """
    ticked, before = set(chosen) & set(rubriques(context)), set(shown)
    with context.database.write() as connection:
        if accounts.hold(connection, account_id):
            present = space.rubriques_of(connection, account_id)
            space.put_rubriques(connection, account_id, (present - (before - ticked)) | (ticked - before))


def _change(context: Context, account_id: str, change: Callable[[Sequence[str]], list[str]]) -> list[str]:
    """Read, change and write the list while nobody else does."""
    with context.database.write() as connection:
        if not accounts.hold(connection, account_id):
            return []
        present = space.favourites_of(connection, account_id)
        changed = change(present)
        if changed != present:
            space.put_favourites(connection, account_id, changed)
    return changed
