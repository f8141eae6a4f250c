"""Discovery and JWKS: bytes that anybody may read and keep (OID-2, OID-10, OPS-4)."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.jwk import KeySet

from idp.crypto import jwt
from idp.crypto.keyring import KeyState
from tests.support.provider import ISSUER, a_provider, the_keys
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from pathlib import Path

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

DISCOVERY = "/.well-known/openid-configuration"
PATHS = [DISCOVERY, "/.well-known/oauth-authorization-server", "/jwks.json"]


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Discovery", "3", "REQUIRED")
def test_metadata_pass_the_check_of_another_library(lasting_provider: Provider) -> None:
    """Authlib's validator finds nothing wrong, and each address is under the issuer."""
    document = lasting_provider.back_channel.get(DISCOVERY).json

    OpenIDProviderMetadata(document).validate()

    assert document["issuer"] == ISSUER
    assert all(
        value.startswith(ISSUER + "/") for name, value in document.items() if name.endswith("_endpoint")
    )
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert document["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 7517", "4", "MUST NOT")
def test_key_set_is_public_and_readable_by_another_library(lasting_provider: Provider) -> None:
    """Every key has its name, use and algorithm, and no private member."""
    document = lasting_provider.back_channel.get("/jwks.json").json

    assert len(KeySet.import_key_set(document).keys) == 3
    assert {key["alg"]: key["use"] for key in document["keys"]} == {
        "ES256": "sig",
        "RS256": "sig",
        "ECDH-ES": "enc",
    }
    for key in document["keys"]:
        assert key["kid"]
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()


@pytest.mark.rule("OID-10")
@pytest.mark.parametrize("path", PATHS)
def test_document_is_for_everybody_and_every_cache(lasting_provider: Provider, path: str) -> None:
    """Any origin, an hour, an ETag; no cookie; dressed like every other answer; HEAD has no body."""
    whole, head = (lasting_provider.back_channel.open(path, method=method) for method in ("GET", "HEAD"))

    assert dict(whole.headers) == dict(head.headers)
    assert head.data == b""
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    assert whole.headers["Cache-Control"] == "public, max-age=3600"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert whole.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in whole.headers


@pytest.mark.spec("RFC 9110", "13.1.2", "MUST")
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_document_that_is_known_is_not_sent_again(lasting_provider: Provider, form: str) -> None:
    """A cache's question is answered by 304, with the same validator."""
    etag = lasting_provider.back_channel.get(DISCOVERY).headers["ETag"]

    answer = lasting_provider.back_channel.get(DISCOVERY, headers={"If-None-Match": form.format(etag)})
    other = lasting_provider.back_channel.get(DISCOVERY, headers={"If-None-Match": '"other"'})

    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_preflight_of_a_document_is_answered(lasting_provider: Provider, path: str) -> None:
    """OPTIONS names the methods."""
    answer = lasting_provider.back_channel.options(path)

    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [f"{path}/" for path in PATHS])
def test_address_beside_a_document_is_not_found(lasting_provider: Provider, path: str) -> None:
    """One address each."""
    assert lasting_provider.back_channel.get(path).status_code == 404


@pytest.mark.rule("OPS-4")
def test_rotation_fails_no_verification(database: Database, clock: SettableClock, tmp_path: Path) -> None:
    """A key is published before it signs, and kept after: who caches the set for an hour never fails."""
    keys = tmp_path / "keys"
    shutil.copytree(the_keys(), keys)
    provider = a_provider(database, clock, keys=keys)
    ticks = iter(range(0, 10_000, 2))
    folder = provider.context.keys
    folder._monotonic = lambda: float(next(ticks))  # noqa: SLF001 - two seconds pass at each look
    service, browser = provider.a_client(), provider.signed_in()

    def published() -> set[str]:
        return {key["kid"] for key in provider.back_channel.get("/jwks.json").json["keys"]}

    def signer() -> str:
        kid: str = jwt.unverified_header(provider.tokens(browser, service)["id_token"])["kid"]
        return kid

    first = signer()
    folder.rotate("ES256", clock(), minimum_age=timedelta(hours=2))
    cached, still = published(), signer()
    clock.advance(hours=2)
    folder.rotate("ES256", clock(), minimum_age=timedelta(hours=2))
    second = signer()

    assert still == first
    assert second != first
    assert second in cached
    assert {first, second} < published()
    assert [key.state for key in folder.keyring().keys if key.kid == first] == [KeyState.RETIRED]


def test_documents_run_no_statement(lasting_provider: Provider) -> None:
    """Design 8: bytes built once."""
    database = lasting_provider.context.database
    with recorded_queries(database.reader, database.writer) as recording:
        for path in PATHS:
            lasting_provider.back_channel.get(path)

    assert len(recording) == 0


def test_documents_without_keys_answer_that_they_are_away(
    database: Database, clock: SettableClock, tmp_path: Path
) -> None:
    """An installation whose keys can't be read says 503, never an empty set that caches would keep."""
    keys = tmp_path / "keys"
    shutil.copytree(the_keys(), keys)
    provider = a_provider(database, clock, keys=keys)
    for file in keys.glob("*.pem"):
        file.chmod(0o644)

    answer = provider.back_channel.get("/jwks.json")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
