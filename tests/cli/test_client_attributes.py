"""`idp clients` registers every attribute by a flag; a profile sets what it needs (CON-1, ADM-1, OID-4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from idp.cli.client_options import GroupedOption
from idp.cli.clients import create_command
from idp.crypto.opaque import digest
from idp.domain.client import Client
from idp.storage.engine import open_database
from idp.storage.models import client_logos, client_secrets

if TYPE_CHECKING:
    from tests.cli.conftest import Ran, Run

pytestmark = pytest.mark.rule("ADM-1")
EC_KEY = {"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43, "kid": "1"}
RSA_KEY = {"kty": "RSA", "n": "n" * 342, "e": "AQAB", "kid": "2"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG = b"\xff\xd8\xff" + bytes(40)
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + bytes(40)
#: Given another way than by a flag of their own name.
NOT_FLAGS = {"client_id", "version", "secrets", "created_at", "disabled_at", "logo_uri", "jwks", "description",
             "retention", "purposes", "newsletters"}  # fmt: skip


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    """A file with a public key of each kind."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [EC_KEY, RSA_KEY]}))
    return str(file)


def create(idp: Run, *flags: str) -> Ran:
    """Register a service with more flags."""
    return idp(
        "clients", "create", "--id", "app", "--name", "App", "--redirect-uri", "https://a.example.org/cb",
        *flags, "--json",
    )  # fmt: skip


def created(idp: Run, *flags: str) -> dict[str, Any]:
    """Register a service that passes."""
    made = create(idp, *flags)
    assert made.code == 0, made.err
    client: dict[str, Any] = made.json
    return client


def url_of(config: Path) -> str:
    """Read the database of a configuration."""
    return config.read_text().split('url = "')[1].split('"')[0]


@pytest.mark.rule("CON-1")
def test_each_attribute_has_a_flag() -> None:
    """What a client registers can be typed; a new attribute without a flag fails here."""
    typed = {option.name for option in create_command.params}

    assert set(Client.__dataclass_fields__) - NOT_FLAGS - typed == set()


@pytest.mark.rule("ADM-2")
def test_help_shows_the_flags_in_groups(idp: Run) -> None:
    """Sixty flags in a row would be read by nobody."""
    shown = idp("clients", "create", "--help").out

    groups = {option.group for option in create_command.params if isinstance(option, GroupedOption)}
    assert len(groups) > 5
    assert all(f"\n{group}:\n" in shown for group in groups)


@pytest.mark.rule("CON-1")
def test_contract_with_the_city_is_typed_and_shown(idp: Run) -> None:
    """Who else gets the data, where they are, whom to ask, the level, the age; and what an empty value takes away."""
    made = created(
        idp,
        *("--recipient", "Hébergeur", "--recipient", "Indigo Neo", "--storage-location", "France"),
        *("--data-protection-contact", "dpd@example.org", "--required-acr", "eidas1", "--minimum-age", "15"),
        *("--consent-always", "--events-uri", "https://a.example.org/events"),
    )

    shown = idp("clients", "show", "app").out
    changed = idp(
        "clients", "update", "app", "--recipient", "", "--data-protection-contact", "", "--required-acr", "",
        "--minimum-age", "0", "--no-consent-always", "--events-uri", "", "--json",
    )  # fmt: skip

    wanted: dict[str, Any] = {
        "recipients": ["Hébergeur", "Indigo Neo"], "storage_location": "France",
        "data_protection_contact": "dpd@example.org", "required_acr": "eidas1", "minimum_age": 15,
        "consent_always": True, "events_uri": "https://a.example.org/events",
    }  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted
    assert all(text in shown for text in ("Indigo Neo", "France", "dpd@example.org", "eidas1", "15"))
    assert [changed.json[name] for name in wanted] == [[], "France", None, None, None, False, None]


@pytest.mark.rule("CON-1")
def test_days_begin_where_the_city_is(idp: Run, tmp_path: Path) -> None:
    """A day that is typed, a day or a moment of a file: each is one moment, which the state is told by."""
    file = tmp_path / "days.toml"
    file.write_text("starts_at = 2026-07-01\nends_at = 2030-01-01T08:00:00")

    typed = created(idp, "--starts-at", "2026-01-01", "--ends-at", "2126-07-01")
    read = idp("clients", "update", "app", "--file", str(file), "--json").json

    assert (typed["starts_at"], typed["ends_at"]) == ("2025-12-31T23:00:00Z", "2126-06-30T22:00:00Z")
    assert (read["starts_at"], read["ends_at"]) == ("2026-06-30T22:00:00Z", "2030-01-01T07:00:00Z")
    assert "app" in idp("clients", "list").out


@pytest.mark.rule("PRO-7")
def test_newsletters_come_from_a_file_and_are_shown(idp: Run, tmp_path: Path) -> None:
    """A list is worded in both languages, as what people agree to is; a faulty one is told."""
    file = tmp_path / "newsletters.toml"
    words = '[[newsletters]]\nname = "actualites"\ntitle = {fr = "Actualités", en = "News"}\n'
    file.write_text(words + 'description = {fr = "Ce qui change."}\n')
    half = create(idp, "--file", str(file))
    file.write_text(words + 'description = {fr = "Ce qui change.", en = "What changes."}\n')
    made = created(idp, "--file", str(file))

    assert half.code == 1
    assert "newsletters must have a description in French and in English" in half.err
    assert made["newsletters"] == [
        {
            "name": "actualites",
            "title": {"fr": "Actualités", "en": "News"},
            "description": {"fr": "Ce qui change.", "en": "What changes."},
            "frequency": {},
        }
    ]


@pytest.mark.rule("CON-3")
def test_purposes_come_from_a_file_and_are_shown(idp: Run, tmp_path: Path) -> None:
    """Their sentences are too long for a command line; a faulty one is told before anything is stored."""
    file = tmp_path / "purposes.toml"
    purpose = (
        '[[purposes]]\nname = "mobile_providers"\nversion = "1"\nrecipients = ["PayByPhone"]\n'
        'title = {fr = "Payer par mobile", en = "Pay by phone"}\nyes = {fr = "Oui.", en = "Yes."}\n'
    )
    file.write_text(purpose)
    refused = create(idp, "--file", str(file))
    file.write_text(purpose + 'no = {fr = "Non."}\n')
    half = create(idp, "--file", str(file))
    file.write_text(purpose + 'no = {fr = "Non.", en = "No."}\n')
    made = created(idp, "--file", str(file))

    assert refused.code == half.code == 1
    assert "purposes must have a no in French and in English" in half.err
    assert made["purposes"] == [
        {
            "name": "mobile_providers",
            "version": "1",
            "title": {"fr": "Payer par mobile", "en": "Pay by phone"},
            "yes": {"fr": "Oui.", "en": "Yes."},
            "no": {"fr": "Non.", "en": "No."},
            "recipients": ["PayByPhone"],
        }
    ]
    assert "Payer par mobile" in idp("clients", "show", "app").out


def test_every_kind_of_flag_reaches_the_client(idp: Run, jwks: str) -> None:
    """Texts, lists, switches, numbers, encryptions and files."""
    client = created(
        idp, "--jwks", jwks, "--id-token-encryption", "RSA-OAEP-256:A256GCM",
        "--userinfo-encryption", "ECDH-ES", "--request-object-encryption", "ECDH-ES",
        "--default-max-age", "600", "--default-acr", "eidas1", "--require-par", "--auth-time",
        "--allowed-origin", "https://a.example.org", "--resource", "https://api.example.org/",
        "--request-uri", "https://a.example.org/r", "--initiate-login-uri", "https://a.example.org/go",
        "--backchannel-logout-uri", "https://a.example.org/back", "--backchannel-session",
        "--frontchannel-logout-uri", "https://a.example.org/front", "--tos-uri", "https://a.example.org/tos",
        "--scope", "openid email", "--unverified", "--response-mode", "query.jwt",
    )  # fmt: skip

    assert client["id_token_encryption"] == {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    assert client["userinfo_encryption"] == {"alg": "ECDH-ES", "enc": "A128CBC-HS256"}
    assert (client["default_max_age"], client["default_acr_values"]) == (600, ["eidas1"])
    assert (client["require_pushed_requests"], client["require_auth_time"]) == (True, True)
    assert client["allowed_origins"] == ["https://a.example.org"]
    assert client["backchannel_logout_session_required"] is True
    assert client["response_modes"] == ["query.jwt"]
    assert client["is_verified"] is False


def test_scope_that_no_standard_has_is_for_the_apis_of_a_verified_service(idp: Run) -> None:
    """An administrator names the scopes of the city's APIs; a service that nobody knows can't have them."""
    assert sorted(created(idp, "--scope", "openid requests:write")["scopes"]) == ["openid", "requests:write"]
    refused = idp("clients", "update", "app", "--unverified")
    assert refused.code == 1
    assert "scopes" in refused.err


@pytest.mark.rule("CON-1")
def test_scope_brings_every_claim_that_the_standard_gives_it(idp: Run) -> None:
    """`profile` without a claim means all of its claims, the language and the date of change too."""
    client = created(idp, "--scope", "openid profile")

    assert {"locale", "updated_at", "family_name"} <= {claim["name"] for claim in client["claims"]}


def test_empty_value_takes_an_attribute_away(idp: Run) -> None:
    """What was registered can be taken back without a file."""
    created(
        idp, "--tos-uri", "https://a.example.org/tos", "--contact", "a@b.example", "--userinfo-alg", "ES256"
    )

    changed = idp(
        "clients", "update", "app", "--tos-uri", "", "--contact", "", "--userinfo-alg", "", "--json"
    ).json

    assert (changed["tos_uri"], changed["contacts"], changed["userinfo_signed_response_alg"]) == (
        None,
        [],
        None,
    )


@pytest.mark.rule("OID-4")
def test_profile_sets_what_it_needs(idp: Run, jwks: str) -> None:
    """One flag and the keys make a client of FAPI 2.0."""
    client = created(idp, "--profile", "fapi2", "--jwks", jwks)

    expected = {
        "authentication_method": "private_key_jwt",
        "dpop_bound_access_tokens": True,
        "require_pkce": True,
        "require_pushed_requests": True,
        "require_signed_requests": False,
        "id_token_signed_response_alg": "ES256",
    }
    assert {name: client[name] for name in expected} == expected


@pytest.mark.rule("OID-4")
def test_message_signing_sets_the_more(idp: Run, jwks: str) -> None:
    """Requests, answers and introspection are signed; a certificate binds the tokens of a client that has one."""
    client = created(
        idp, "--profile", "fapi2-message-signing", "--jwks", jwks, "--auth-method", "tls_client_auth",
        "--certificate", "san_dns=a.example.org",
    )  # fmt: skip

    expected = {
        "authentication_method": "tls_client_auth",
        "certificate_subject": {"kind": "san_dns", "value": "a.example.org"},
        "tls_bound_access_tokens": True,
        "dpop_bound_access_tokens": False,
        "require_signed_requests": True,
        "request_object_signing_alg": "ES256",
        "authorization_signed_response_alg": "ES256",
        "introspection_signed_response_alg": "ES256",
    }
    assert {name: client[name] for name in expected} == expected


@pytest.mark.rule("OID-4")
def test_client_can_come_to_a_profile_and_leave_it(idp: Run, jwks: str) -> None:
    """What the profile needs is set over what the client had; leaving it changes nothing else."""
    created(idp, "--id-token-alg", "RS256")

    there = idp("clients", "update", "app", "--profile", "fapi2", "--jwks", jwks, "--json").json
    back = idp("clients", "update", "app", "--profile", "none", "--json").json

    assert (there["profile"], there["id_token_signed_response_alg"]) == ("fapi2", "ES256")
    assert (back["profile"], back["authentication_method"]) == (None, "private_key_jwt")


@pytest.mark.rule("OID-4")
def test_flag_against_its_profile_is_refused(idp: Run, jwks: str) -> None:
    """What was named is not bent: it is said why it can't be."""
    refused = create(
        idp, "--profile", "fapi2", "--jwks", jwks, "--no-pkce", "--id-token-alg", "RS256",
        "--auth-method", "client_secret_basic", "--response-type", "code id_token", "--no-dpop-bound",
    )  # fmt: skip

    assert refused.code == 1
    assert {
        "authentication_method",
        "require_pkce",
        "response_types",
        "id_token_signed_response_alg",
        "dpop_bound_access_tokens",
        "grant_types",
    } <= {line.split()[0] for line in refused.err.splitlines()[1:]}


@pytest.mark.rule("OID-4")
def test_legacy_response_types_are_told_to_be_legacy(idp: Run) -> None:
    """They bring the grant that goes with them, in any order of words, and a warning."""
    made = create(idp, "--response-type", "id_token code", "--response-type", "code")

    assert made.json["response_types"] == ["code", "code id_token"]
    assert made.json["grant_types"] == ["authorization_code", "implicit"]
    assert "legacy" in made.err
    plain = idp("clients", "update", "app", "--response-type", "code", "--json")
    assert plain.json["grant_types"] == ["authorization_code"]
    assert "legacy" not in plain.err


def test_device_needs_no_redirect_uri(idp: Run) -> None:
    """A device without a browser comes back to nowhere."""
    made = idp(
        "clients", "create", "--name", "Borne", "--auth-method", "none", "--json",
        "--grant-type", "urn:ietf:params:oauth:grant-type:device_code",
    )  # fmt: skip

    assert made.code == 0, made.err
    assert (made.json["redirect_uris"], made.json["response_types"]) == ([], [])


@pytest.mark.rule("CON-6")
def test_sector_that_can_not_be_read_is_refused(idp: Run) -> None:
    """Its address is asked at once, and never on a private network (S-149)."""
    refused = create(idp, "--sector-uri", "https://127.0.0.1:9/uris.json")

    assert refused.code == 1
    assert "sector_identifier_uri" in refused.err


@pytest.mark.rule("OID-4")
def test_secret_that_signs_is_kept_encrypted_too(idp: Run, config: Path) -> None:
    """client_secret_jwt: a hash checks no signature; a change of method brings another secret."""
    signing = created(idp, "--auth-method", "client_secret_jwt")["client_secret"]
    basic = idp("clients", "update", "app", "--auth-method", "client_secret_basic", "--json").json

    kept = secrets_of(config)
    assert kept[digest(signing)]["sealed"]
    assert signing not in kept[digest(signing)]["sealed"]
    assert kept[digest(signing)]["expires_at"] is not None
    assert kept[digest(basic["client_secret"])]["sealed"] is None


@pytest.mark.rule("OID-4")
def test_two_secrets_live_at_most(idp: Run, config: Path) -> None:
    """The newest and the one before; the one before that ends at once."""
    first = created(idp)["client_secret"]
    second, third = (idp("clients", "rotate-secret", "app", "--json").json["client_secret"] for _ in range(2))

    kept = secrets_of(config)
    ends = [kept[digest(secret)]["expires_at"] for secret in (first, second, third)]
    assert ends[2] is None
    assert ends[0] < ends[1]


@pytest.mark.parametrize("content", [PNG, JPEG, WEBP], ids=["png", "jpeg", "webp"])
def test_logo_is_uploaded_and_taken_away(idp: Run, config: Path, tmp_path: Path, content: bytes) -> None:
    """What stands in the client is an address of ours that changes with the image."""
    file = tmp_path / "logo.bin"
    file.write_bytes(content)

    client = created(idp, "--logo", str(file))
    without = idp("clients", "update", "app", "--no-logo", "--json").json

    assert client["logo_uri"].startswith("/services/app/logo?v=")
    assert without["logo_uri"] is None
    assert logos_of(config) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg/>", b"GIF89a", b"RIFF\x00\x00\x00\x00WAVE", PNG + bytes(64 * 1024)],
    ids=["empty", "svg", "gif", "sound", "too_large"],
)
def test_logo_that_is_no_small_image_is_refused(
    idp: Run, config: Path, tmp_path: Path, content: bytes
) -> None:
    """By its first bytes, whatever its name says; nothing of the client is stored."""
    file = tmp_path / "logo.png"
    file.write_bytes(content)

    refused = create(idp, "--logo", str(file))

    assert refused.code == 1
    assert "logo" in refused.err
    assert idp("clients", "list", "--json").json == []
    assert logos_of(config) == []


def test_logo_in_a_file_of_attributes_is_uploaded(idp: Run, tmp_path: Path) -> None:
    """Beside the file that names it."""
    (tmp_path / "logo.png").write_bytes(PNG)
    file = tmp_path / "client.toml"
    file.write_text('name = "A"\nredirect_uris = ["https://a.example.org/cb"]\nlogo_file = "logo.png"\n')

    made = idp("clients", "create", "--file", str(file), "--json")

    assert made.json["logo_uri"] is not None


def test_address_of_a_logo_can_not_be_typed(idp: Run, tmp_path: Path) -> None:
    """A logo is uploaded, never fetched."""
    file = tmp_path / "client.toml"
    file.write_text('name = "A"\nlogo_uri = "https://a.example.org/logo.png"\n')

    assert idp("clients", "create", "--file", str(file)).code == 1


def secrets_of(config: Path) -> dict[bytes, Any]:
    """Read all secrets as they are kept."""
    database = open_database(url_of(config))
    with database.read() as connection:
        rows = connection.execute(client_secrets.select()).mappings().all()
    database.dispose()
    return {bytes(row["secret_hash"]): row for row in rows}


def logos_of(config: Path) -> list[Any]:
    """Read all logos as they are kept."""
    database = open_database(url_of(config))
    with database.read() as connection:
        rows = list(connection.execute(client_logos.select()).mappings().all())
    database.dispose()
    return rows
