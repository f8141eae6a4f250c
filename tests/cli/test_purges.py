"""`idp accounts purges|reapply-purges` and `idp events list`: what was erased stays erased (S-369, S-442, S-443)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.services.account import deletion
from idp.storage.engine import open_database
from idp.storage.models import event_deliveries
from idp.storage.repositories import accounts
from idp.storage.repositories import event_deliveries as deliveries
from tests.support.backups import backup_of
from tests.support.builders import mails
from tests.support.provider import a_provider
from tests.support.purposes import EVENTS, events_waiting
from tests.support.whole_person import a_whole_person

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("LIF-4", "ADM-1")


@pytest.fixture
def provider(database_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application on the same database as the command line."""
    opened = open_database(database_url)
    yield a_provider(opened, clock)
    opened.dispose()


def here(provider: Provider, account_id: str) -> bool:
    """Tell whether an account is there."""
    with provider.context.database.read() as connection:
        return accounts.by_id(connection, account_id) is not None


@pytest.mark.parametrize(
    "line",
    ["x", "01kjpwd6m082v64wz705ef9fr7", "01kjpwd6m082v64wz705ef9fr7 2026-01-01 person",
     "01kjpwd6m082v64wz705ef9fr7 2026-01-01T00:00:00+00:00 nobody", "'; -- 2026-01-01T00:00:00+00:00 person"],
    ids=["no_list", "no_moment", "no_zone", "unknown_way", "no_identifier"],
)  # fmt: skip
def test_wrong_list_is_refused_and_nothing_done(
    idp: Run, provider: Provider, tmp_path: Path, line: str
) -> None:
    """A file that is not one of ours erases nobody, and says which line is wrong."""
    person = provider.an_account()
    file = tmp_path / "list"
    file.write_text(f"# kept since January\n{person.account_id} 2026-01-01T00:00:00+00:00 person\n{line}\n")

    ran = idp("accounts", "reapply-purges", str(file))

    assert ran.code == 1
    assert "line 3" in ran.err
    assert here(provider, person.account_id)


def test_list_names_nobody(idp: Run, provider: Provider) -> None:
    """What is kept outside of the database is an identifier that nothing points at, a moment and a way."""
    person = provider.an_account("zoe@example.org")
    deletion.delete(provider.context, person.account_id)

    ran = idp("accounts", "purges")
    today = idp("accounts", "purges", "--since", f"{provider.clock():%Y-%m-%d}", "--json").json
    later = idp("accounts", "purges", "--since", "2099-01-01")

    assert ran.out == f"{person.account_id} {provider.clock().isoformat()} administrator\n"
    assert [one["account_id"] for one in today] == [person.account_id]
    assert later.out == ""


def test_restored_backup_is_rid_of_the_erased_again(
    idp: Run, provider: Provider, database_url: str, config: Path, tmp_path: Path
) -> None:
    """Somebody who left after the backup was made is erased again in the restored one, with every row; others stay."""
    service = provider.a_client(events_uri=EVENTS)
    needles = a_whole_person(provider.context, service.client_id)
    other = provider.an_account()
    provider.context.database.dispose()
    with backup_of(database_url) as restored_url:
        deletion.delete(provider.context, needles.account_id)
        file = tmp_path / "purges"
        file.write_text(idp("accounts", "purges").out)
        config.write_text(config.read_text().replace(database_url, restored_url))
        restored = open_database(restored_url)
        after = a_provider(restored, provider.clock)
        assert here(after, needles.account_id)

        first = idp("accounts", "reapply-purges", str(file), "--json")
        again = idp("accounts", "reapply-purges", str(file), "--json")

        assert first.json == {"listed": 1, "erased": 1}
        assert again.json == {"listed": 1, "erased": 0}
        assert needles.found_in(restored) == []
        assert here(after, other.account_id)
        # Services are told once more; the person has the certificate of the first time.
        assert [notice.subject for notice in events_waiting(after.context)] == [needles.subject]
        assert [mail.event for mail in mails(after.context)] == []
        restored.dispose()


def test_list_in_the_database_alone_is_enough(idp: Run, provider: Provider) -> None:
    """Rows that came back beside their own erasure, by a partial restore, go without a file."""
    person = provider.an_account()
    deletion.delete(provider.context, person.account_id)
    with provider.context.database.write() as connection:
        accounts.create(connection, account=person, email_canonical=person.email, password_hash="x")

    ran = idp("accounts", "reapply-purges")

    assert "1 account(s) were here again and are erased; 0 were listed." in ran.out
    assert not here(provider, person.account_id)


def test_events_say_who_took_what_and_who_did_not(idp: Run, provider: Provider) -> None:
    """An administrator sees which service has not acknowledged, and never whom the event was about."""
    prompt, silent = (provider.a_client(name=name, events_uri=EVENTS) for name in ("Prompt", "Silent"))
    person = provider.an_account("zoe@example.org")
    browser = provider.signed_in(person)
    for service in (prompt, silent):
        provider.tokens(browser, service)
    deletion.delete(provider.context, person.account_id)
    with provider.context.database.write() as connection:
        (taken,) = connection.scalars(
            event_deliveries.select()
            .with_only_columns(event_deliveries.c.message_id)
            .where(event_deliveries.c.client_id == prompt.client_id)
        )
        deliveries.acknowledged(connection, taken, provider.clock())

    everything = idp("events", "list", "--json").json
    waiting = idp("events", "list", "--waiting").out
    of_one = idp("events", "list", "--client", prompt.client_id).out

    assert {one["client_id"] for one in everything} == {prompt.client_id, silent.client_id}
    assert "account-purged" in waiting
    assert silent.client_id in waiting
    assert prompt.client_id not in waiting
    assert f"taken {provider.clock():%Y-%m-%d}" in of_one
    assert person.account_id not in str(everything)
