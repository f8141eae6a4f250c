"""How surely FranceConnect vouches for a person: the level of the latest login through a live link (FC-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from idp.storage.models import franceconnect_links

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LINKS = franceconnect_links
_LEVEL = (
    select(_LINKS.c.level)
    .where(_LINKS.c.account_id == bindparam("id_"), _LINKS.c.ended_at.is_(None))
    .order_by(_LINKS.c.last_sign_in_at.desc())
    .limit(1)
)


def level_of_account(connection: Connection, account_id: str) -> str | None:
    """Read the level at which a person's identity was last certified; None without a live link.

    With a link at both portals the latest login counts, whatever its level: it wrote the values.
    """
    return connection.scalar(_LEVEL, {"id_": account_id})
