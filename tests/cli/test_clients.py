"""`idp clients` registers and changes services (ADM-1, ADM-2, CON-1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.storage.engine import open_database
from idp.storage.models import audit_events, client_secrets

if TYPE_CHECKING:
    from tests.cli.conftest import Run

pytestmark = pytest.mark.rule("ADM-1")
FIVE_LINES = (
    "clients", "create", "--id", "parking", "--name", "Stationnement",
    "--redirect-uri", "https://parking.example.org/callback",
    "--claim", "email:Pour vous écrire : vite.:required", "--claim", "gender:Pour le panel.:600",
    "--scope", "openid email",
)  # fmt: skip


@pytest.mark.rule("ADM-2")
@pytest.mark.rule("CON-1")
def test_service_is_registered_in_one_command(idp: Run) -> None:
    """A name, an address, the claims with their reasons: the identifier and a secret come back."""
    made = idp(*FIVE_LINES, "--json")

    assert made.code == 0
    assert is_well_formed(SecretKind.CLIENT_SECRET, made.json["client_secret"])
    assert made.json["claims"] == [
        {
            "name": "email",
            "reason": {"fr": "Pour vous écrire : vite."},
            "required": True,
            "minimum_level": 100,
        },
        {"name": "gender", "reason": {"fr": "Pour le panel."}, "required": False, "minimum_level": 600},
    ]
    assert sorted(made.json["scopes"]) == ["email", "openid"]


@pytest.mark.rule("ADM-1", "CON-1")
def test_scopes_without_claims_ask_for_their_claims_one_by_one(idp: Run) -> None:
    """A service that names scopes only gets what they stand for, each datum at the person's choice."""
    idp(
        "clients", "create", "--id", "short", "--name", "Court", "--scope", "openid email offline_access",
        "--redirect-uri", "https://court.example/retour",
    )  # fmt: skip

    shown = idp("clients", "show", "short", "--json").json

    assert [(claim["name"], claim["required"]) for claim in shown["claims"]] == [("email", False)]
    assert sorted(shown["grant_types"]) == ["authorization_code", "refresh_token"]


@pytest.mark.rule("ADM-2")
def test_secret_is_shown_once(idp: Run) -> None:
    """Neither show nor list knows it, for people or for programs."""
    secret = idp(*FIVE_LINES, "--json").json["client_secret"]

    shown = [idp("clients", *rest).out for rest in (("list",), ("list", "--json"), ("show", "parking"),
                                                    ("show", "parking", "--json"))]  # fmt: skip

    assert all(secret not in out and digest(secret).hex() not in out for out in shown)


def test_everything_that_is_wrong_is_said_at_once(idp: Run) -> None:
    """Each problem is a line, in the words that were typed; nothing is stored."""
    refused = idp("clients", "create", "--name", " ", "--redirect-uri", "http://evil.example.org/#x",
                  "--claim", "shoe_size:Pour rire.", "--auth-method", "private_key_jwt")  # fmt: skip

    assert refused.code == 1
    assert {"name", "redirect_uris", "claims", "jwks"} <= {
        line.split()[0] for line in refused.err.splitlines()[1:]
    }
    assert idp("clients", "list", "--json").json == []


def test_identifier_that_exists_is_refused(idp: Run) -> None:
    """A second client of one identifier would take the first one's place."""
    idp(*FIVE_LINES)

    again = idp(*FIVE_LINES)

    assert again.code == 1
    assert "exists" in again.err


def test_file_registers_every_attribute(idp: Run, tmp_path: Path) -> None:
    """TOML with the attributes does what flags do; flags go before it."""
    jwks = {"keys": [{"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43, "kid": "1"}]}
    (tmp_path / "jwks.json").write_text(json.dumps(jwks))
    file = tmp_path / "client.toml"
    file.write_text(
        'name = "Explorateurs"\nredirect_uris = ["https://panel.example.org/cb"]\n'
        'scopes = ["openid", "profile"]\nauthentication_method = "private_key_jwt"\njwks_file = "jwks.json"\n'
        'legal_basis = "consent"\nends_at = 2030-01-01T00:00:00Z\n'
        '[description]\nfr = "Un panel."\n'
        '[[claims]]\nname = "birthdate"\nrequired = true\nreason = {fr = "Pour le panel.", en = "For the panel."}\n'
    )

    made = idp("clients", "create", "--file", str(file), "--name", "Panel", "--json")

    assert made.code == 0, made.err
    assert (made.json["name"], made.json["jwks"], made.json["description"]) == (
        "Panel",
        jwks,
        {"fr": "Un panel."},
    )
    assert "client_secret" not in made.json


def test_file_with_an_unknown_key_is_refused(idp: Run, tmp_path: Path) -> None:
    """A slip of the pen is no attribute that nobody reads."""
    file = tmp_path / "client.toml"
    file.write_text('name = "x"\nredirect_url = ["https://x.example.org"]\n')

    refused = idp("clients", "create", "--file", str(file))

    assert refused.code == 1
    assert "redirect_url" in refused.err


def test_update_changes_what_is_named_and_nothing_else(idp: Run) -> None:
    """The secret, the redirect URIs and the claims stay when the name changes."""
    before = idp(*FIVE_LINES, "--json").json

    changed = idp("clients", "update", "parking", "--name", "Stationner", "--policy-uri",
                  "https://parking.example.org/p", "--json").json  # fmt: skip

    assert (changed["name"], changed["version"]) == ("Stationner", 2)
    assert changed["redirect_uris"] == before["redirect_uris"]
    assert changed["claims"] == before["claims"]
    assert changed["secrets"] == before["secrets"]


def test_update_to_public_ends_the_secret(idp: Run) -> None:
    """A client that proves itself no more has no secret left that would open anything."""
    idp(*FIVE_LINES)

    changed = idp("clients", "update", "parking", "--auth-method", "none", "--json")

    assert changed.code == 0, changed.err
    assert all(one["ends"] is not None for one in idp("clients", "show", "parking", "--json").json["secrets"])


def test_rotated_secret_lives_beside_the_old_one_for_a_while(idp: Run, config: Path) -> None:
    """Two live secrets, so that the service can change over; the old one's end is set."""
    first = idp(*FIVE_LINES, "--json").json["client_secret"]

    second = idp("clients", "rotate-secret", "parking", "--grace-hours", "48", "--json").json["client_secret"]

    ends = secrets_of(config)
    assert ends[digest(second)] is None
    assert ends[digest(first)] is not None


def test_rotation_of_a_client_without_secret_is_refused(idp: Run) -> None:
    """A public client has nothing to rotate."""
    idp("clients", "create", "--id", "app", "--name", "App", "--redirect-uri", "https://a.example.org/cb",
        "--auth-method", "none")  # fmt: skip

    assert idp("clients", "rotate-secret", "app").code == 1


def test_disabled_client_is_off_and_can_be_enabled(idp: Run) -> None:
    """Off and on again; twice the same is no error."""
    idp(*FIVE_LINES)

    assert idp("clients", "disable", "parking").code == 0
    assert idp("clients", "disable", "parking").code == 0
    assert idp("clients", "show", "parking", "--json").json["disabled_at"] is not None
    assert idp("clients", "enable", "parking", "--json").json["disabled_at"] is None


@pytest.mark.rule("ADM-2")
def test_deletion_asks_first(idp: Run) -> None:
    """Without --yes and without anybody to answer, nothing is erased."""
    idp(*FIVE_LINES)

    refused = idp("clients", "delete", "parking")
    done = idp("clients", "delete", "parking", "--yes")

    assert (refused.code, done.code) == (2, 0)
    assert idp("clients", "list", "--json").json == []


@pytest.mark.parametrize("command", ["show", "update", "rotate-secret", "disable", "enable", "delete"])
def test_unknown_client_has_an_exit_code_of_its_own(idp: Run, command: str) -> None:
    """Programs can tell "not there" from "refused"."""
    extra = {"update": ["--name", "x"], "delete": ["--yes"]}.get(command, [])

    assert idp("clients", command, "nobody", *extra).code == 4


@pytest.mark.rule("ADM-3")
def test_every_act_is_audited(idp: Run, config: Path) -> None:
    """Who did it, to which client, and which attributes changed; no value."""
    idp(*FIVE_LINES)
    idp("clients", "update", "parking", "--name", "Stationner")
    idp("clients", "rotate-secret", "parking")
    idp("clients", "disable", "parking")
    idp("clients", "delete", "parking", "--yes")

    database = open_database(url_of(config))
    with database.read() as connection:
        events = connection.execute(audit_events.select().order_by(audit_events.c.event_id)).mappings().all()
    database.dispose()

    assert [event["details"]["change"] for event in events] == [
        "created", "updated", "secret_rotated", "disabled", "deleted",
    ]  # fmt: skip
    assert events[1]["details"]["fields"] == ["name"]
    assert {event["actor"] for event in events} == {"administrator"}


def test_wrong_usage_is_2(idp: Run) -> None:
    """An update that says nothing, an option that does not exist."""
    idp(*FIVE_LINES)

    assert idp("clients", "update", "parking").code == 2
    assert idp("clients", "create", "--colour", "blue").code == 2


def url_of(config: Path) -> str:
    """Read the database of a configuration."""
    return config.read_text().split('url = "')[1].split('"')[0]


def secrets_of(config: Path) -> dict[bytes, object]:
    """Read the hashes of all secrets and when they end."""
    database = open_database(url_of(config))
    with database.read() as connection:
        rows = connection.execute(client_secrets.select()).mappings().all()
    database.dispose()
    return {bytes(row["secret_hash"]): row["expires_at"] for row in rows}
