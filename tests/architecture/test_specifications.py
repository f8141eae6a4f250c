"""docs/specifications.md says what the provider serves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from idp.storage.engine import open_database
from tests.support.marks import ROOT
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import SettableClock

PAGE = ROOT / "docs" / "specifications.md"
ROW = re.compile(r"^\| (?P<cells>.+) \|$", re.MULTILINE)
VALUE = re.compile(r"`([^`]+)`")
MARK = re.compile(r'mark\.spec\(\s*"([^"]+)"')
MEMBER = re.compile(r"`(?P<name>[a-z_]+)`")
#: Told by the tables above, by other pages, or true by definition.
NOT_LISTED = frozenset(
    {
        "issuer",
        "claims_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "op_policy_uri",
        "op_tos_uri",
        "service_documentation",
        "request_object_encryption_alg_values_supported",
    }
)
#: Enough to switch FranceConnect on; nothing is asked of it here.
FRANCECONNECT = {
    "enabled": True,
    "issuer": "https://franceconnect.example.org/api/v2",
    "client_id": "a-client",
    "client_secret": "a-secret",
}


def rows(heading: str) -> list[list[str]]:
    """Read the table under a heading, without its first two lines."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    return [match["cells"].split(" | ") for match in ROW.finditer(section)][2:]


@pytest.fixture
def served(sqlite_url: str, clock: SettableClock) -> Iterator[dict[str, Any]]:
    """The discovery document of a new installation with FranceConnect on."""
    database = open_database(sqlite_url)
    provider = a_provider(database, clock, franceconnect=FRANCECONNECT)
    yield provider.back_channel.get("/.well-known/openid-configuration").get_json()
    database.dispose()


def test_page_lists_what_discovery_says(served: dict[str, Any]) -> None:
    """Every member of the discovery document that is no address stands on the page, with its values."""
    listed = {
        MEMBER.findall(member)[0]: VALUE.findall(values)
        for member, values in rows("What the discovery document says")
    }
    said = {
        name: [str(value).lower()] if isinstance(value, bool) else value
        for name, value in served.items()
        if name not in NOT_LISTED and not name.endswith(("_endpoint", "_uri", "_iframe"))
    }

    assert listed == said


@pytest.mark.parametrize("heading", ["Done", "Done in part"])
def test_what_is_done_names_its_files(heading: str) -> None:
    """A specification that is done, or partly, says where; that the files exist is proven with every other path."""
    assert [row[0] for row in rows(heading) if not VALUE.findall(row[-1])] == []


@pytest.mark.parametrize("heading, state", [("Done", "done"), ("Done in part", "partly"), ("Not yet", "not")])
def test_state_is_that_of_the_table(heading: str, state: str) -> None:
    """Who searches for one word finds every specification in that state."""
    assert rows(heading)
    assert {row[1] for row in rows(heading)} == {state}


def test_specifications_that_tests_prove_are_listed_as_done_or_partly() -> None:
    """A test with a mark proves something that the page says is there."""
    listed = " ".join(row[0] for heading in ("Done", "Done in part") for row in rows(heading))
    proven = {
        name.replace("OIDC", "OpenID Connect")
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in MARK.findall(path.read_text(encoding="utf-8"))
    }

    assert sorted(name for name in proven if name not in listed) == []
