"""A process that ends in the middle of a parent's act leaves what was before, or the whole (CON-7).

Every statement is tried, on both databases, by an error that nothing catches and by SIGKILL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.email_address import parse
from idp.services.authorization import parental_permission
from idp.services.authorization.consents import Shown
from idp.storage.engine import open_database
from idp.storage.models import ledger_entries, parental_permissions
from tests.support.builders import last_mail
from tests.support.children import PARENT, a_child
from tests.support.faults import ends_by_error, ends_by_kill, snapshot
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.services.context import Context
    from tests.support.children import Child
    from tests.support.clock import SettableClock

SHOWN = Shown("La question.", "fr", channel="mail")
#: What stands once each act is done: the permissions, and the acts in the ledger.
WHOLE = {
    "question": (["asked", "canceled"], []),
    "answer": (["given"], [("permission", "given")]),
    "withdrawal": (
        ["withdrawn"],
        [
            ("permission", "given"),
            ("consent", "given"),
            ("permission", "withdrawn"),
            ("consent", "withdrawn"),
        ],
    ),
}


@pytest.fixture
def child(database_url: str, clock: SettableClock) -> Iterator[Child]:
    """A child whose parent was asked, on each kind of database."""
    opened = open_database(database_url)
    made = a_child(a_provider(opened, clock), backchannel_logout_uri="https://parking.example.org/back")
    made.asks()
    yield made
    opened.dispose()


def acts(context: Context) -> tuple[list[str], list[tuple[str, str]]]:
    """Read where the permissions stand, and what the ledger has."""
    with context.database.read() as connection:
        states = sorted(connection.scalars(select(parental_permissions.c.state)))
        lines = select(ledger_entries.c.matter, ledger_entries.c.act).order_by(ledger_entries.c.sequence)
        return states, [(row.matter, row.act) for row in connection.execute(lines)]


@pytest.mark.rule("CON-7", "CON-5")
@pytest.mark.parametrize("way", ["error", "kill"])
@pytest.mark.parametrize("act", WHOLE)
def test_process_that_ends_at_any_statement_leaves_all_or_nothing(
    child: Child, database_url: str, act: str, way: str
) -> None:
    """No mail without its permission, no answer without its proof, no withdrawal that leaves a live token."""
    context, account, client = child.provider.context, child.account, child.service.client
    token = str(last_mail(context, PARENT).variables["link"]).partition("token=")[2]
    address = parse(PARENT)
    assert address is not None
    if act == "withdrawal":
        child.parent_says("yes")
        tokens = child.provider.redeem(child.service, child.gets_in()["code"]).json or {}
    asked = parental_permission.latest(context, account.account_id, client)
    assert asked is not None

    def run(parts: Context) -> object:
        if act == "question":
            contract = {"data": [], "retention": ""}
            return parental_permission.ask(parts, account, client, address, contract=contract, language="fr")
        if act == "answer":
            return parental_permission.answer(parts, token, is_given=True, shown=SHOWN)
        return parental_permission.withdraw(parts, asked.permission_id, shown=SHOWN)

    before = snapshot(context.database)
    endings = ends_by_error(context, run) if way == "error" else ends_by_kill(context, database_url, run)
    tried = 0
    for number in endings:
        assert snapshot(context.database) == before, f"half done at statement {number}"
        tried += 1

    assert tried > 3
    assert acts(context) == WHOLE[act]
    if act == "withdrawal":
        assert child.provider.userinfo(tokens["access_token"]).status_code == 401
