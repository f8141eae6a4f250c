"""Which of a client's keys is taken for what (OIDC Registration 2; RFC 7517 section 4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import Client
from idp.outbound.http import Answer
from idp.services.clients.key_sets import KeySetUnavailable, encryption_jwk, keys_of
from idp.storage.engine import open_database
from tests.support.builders import a_context
from tests.support.client_keys import a_key, jwks, public_jwk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.services.context import Context
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("OID-4")

ADDRESS = "https://parking.example.org/jwks.json"
EC, RSA, EDDSA = a_key(kid="ec"), a_key("RS256", kid="rsa"), a_key("EdDSA", kid="ed")
EC_JWK, RSA_JWK = public_jwk(EC.private), public_jwk(RSA.private)


class Publisher:
    """An HTTP client behind which a client publishes its keys."""

    def __init__(self, document: object) -> None:
        self.document = document
        self.asked = 0

    def request(self, method: str, url: str, **_: Any) -> Answer:
        """Answer, and count."""
        assert (method, url) == ("GET", ADDRESS)
        self.asked += 1
        return Answer(200, {}, json.dumps(self.document).encode())


@pytest.fixture
def context(sqlite_url: str, clock: SettableClock) -> Iterator[Context]:
    """The parts of the use cases; no row of the database is read."""
    opened = open_database(sqlite_url)
    yield a_context(opened, clock)
    opened.dispose()


def a_client(*keys: dict[str, Any]) -> Client:
    """Make a client that registered keys."""
    return Client("parking", "Parking", jwks={"keys": list(keys)})


@pytest.mark.parametrize(
    "client",
    [
        Client("parking", "Parking"),
        Client("parking", "Parking", jwks={}),
        Client("parking", "Parking", jwks={"keys": "none"}),
        Client("parking", "Parking", jwks_uri=ADDRESS),
    ],
    ids=["nothing", "empty", "senseless", "at an address that nothing may be asked of"],
)
def test_client_without_keys_has_none(context: Context, client: Client) -> None:
    """And that is said, not taken for an empty set."""
    with pytest.raises(KeySetUnavailable):
        keys_of(context, client)
    with pytest.raises(KeySetUnavailable):
        encryption_jwk(context, client, "RSA-OAEP-256")


def test_registered_keys_need_no_fetch(context: Context) -> None:
    """They are where the client is; those to encrypt with sign nothing."""
    client = a_client(EC.jwk, RSA.jwk, {**EC_JWK, "kid": "enc", "use": "enc"})

    assert set(keys_of(context, client, kid="unknown")) == {"ec", "rsa"}


def test_published_keys_are_fetched_for_a_kid(context: Context) -> None:
    """At the client's address, by the one HTTP client, into the cache of the worker."""
    publisher = Publisher(jwks(EC))
    context = replace(context, http=publisher)
    client = Client("parking", "Parking", jwks_uri=ADDRESS)

    assert set(keys_of(context, client, kid="ec")) == {"ec"}
    publisher.document = jwks(EC, EDDSA)
    assert set(keys_of(context, client, kid="ec")) == {"ec"}
    assert set(keys_of(context, client, kid="ed")) == {"ec", "ed"}
    assert publisher.asked == 2


@pytest.mark.parametrize(
    "alg, keys, expected",
    [
        pytest.param("RSA-OAEP-256", [{**RSA_JWK, "kid": "k"}], "k", id="one that is for anything"),
        pytest.param(
            "RSA-OAEP-256", [{**RSA_JWK, "kid": "any"}, {**RSA_JWK, "kid": "enc", "use": "enc"}], "enc",
            id="one that is for this, before one for anything",
        ),
        pytest.param(
            "RSA-OAEP-256",
            [{**RSA_JWK, "kid": "use", "use": "enc"}, {**RSA_JWK, "kid": "alg", "use": "enc", "alg": "RSA-OAEP-256"}],
            "alg",
            id="one that says the algorithm, before one that does not",
        ),
        pytest.param("ECDH-ES", [RSA.jwk, {**EC_JWK, "kid": "ec", "use": "enc"}], "ec", id="of the right kind"),
        pytest.param(
            "ECDH-ES+A128KW", [{"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "x"}], "x", id="X25519"
        ),
        pytest.param("ECDH-ES", [EC.jwk], None, id="a key that signs"),
        pytest.param("ECDH-ES", [{**EC_JWK, "alg": "ES256"}], None, id="a key of another algorithm"),
        pytest.param("ECDH-ES", [public_jwk(EDDSA.private)], None, id="a curve for signatures alone"),
        pytest.param("RSA-OAEP", [{**EC_JWK, "use": "enc"}], None, id="a key of another kind"),
        pytest.param("RSA-OAEP", [{**RSA_JWK, "d": "AQAB"}], None, id="a private key"),
        pytest.param("dir", [{"kty": "oct", "k": "c2VjcmV0"}], None, id="a secret"),
        pytest.param("RSA-OAEP", [], None, id="no key"),
    ],
)  # fmt: skip
def test_key_to_encrypt_with_is_for_that_and_of_that_kind(
    context: Context, alg: str, keys: list[dict[str, Any]], expected: str | None
) -> None:
    """A key that signs is never used to encrypt (RFC 7517 section 4.2)."""
    if expected is None:
        with pytest.raises(KeySetUnavailable):
            encryption_jwk(context, a_client(*keys), alg)
    else:
        assert encryption_jwk(context, a_client(*keys), alg)["kid"] == expected


def test_key_to_encrypt_with_is_looked_for_again_where_it_is_published(context: Context) -> None:
    """A client that adds one does not wait for the cache to grow old."""
    publisher = Publisher(jwks(EC))
    context = replace(context, http=publisher)
    client = Client("parking", "Parking", jwks_uri=ADDRESS)
    assert keys_of(context, client)

    publisher.document = {"keys": [EC.jwk, {**EC_JWK, "kid": "enc", "use": "enc"}]}

    assert encryption_jwk(context, client, "ECDH-ES")["kid"] == "enc"
