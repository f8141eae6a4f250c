"""Signed answers, encrypted for one client (OIDC Core 10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from idp.domain.client import Client, Encryption
from idp.services.clients.encryption import KeySetUnavailable, encrypted
from tests.support.client_keys import public_jwk

if TYPE_CHECKING:
    from idp.services.context import Context

pytestmark = pytest.mark.rule("OID-4")

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
JWS = "e30.e30.c2lnbmF0dXJl"
KEYS = {
    "keys": [
        public_jwk(EC) | {"kid": "signs", "use": "sig"},
        public_jwk(EC) | {"kid": "agrees", "use": "enc", "alg": "ECDH-ES"},
        public_jwk(RSA) | {"kid": "any"},
    ]
}


def a_client(jwks: dict[str, Any] | None) -> Client:
    """A service with these keys."""
    return Client("parking", "Stationnement", jwks=jwks)


@pytest.mark.spec("OIDC Core", "10.2", "MUST")
@pytest.mark.parametrize(
    "encryption,key,kid",
    [
        (Encryption("ECDH-ES", "A256GCM"), ECKey.import_key(EC), "agrees"),
        (Encryption("RSA-OAEP-256"), RSAKey.import_key(RSA), "any"),
    ],
    ids=["ECDH-ES", "RSA"],
)
def test_answer_is_encrypted_to_the_clients_own_key(
    context: Context, encryption: Encryption, key: ECKey | RSAKey, kid: str
) -> None:
    """It says that a signed token is inside, and the token comes out as it was."""
    token = encrypted(context, a_client(KEYS), encryption, JWS)

    read = jwe.decrypt_compact(token, key, algorithms=[encryption.alg, encryption.enc])
    assert read.plaintext == JWS.encode()
    assert read.protected["cty"] == "JWT"
    assert read.protected["kid"] == kid
    assert (read.protected["alg"], read.protected["enc"]) == (encryption.alg, encryption.enc)


@pytest.mark.spec("OIDC Core", "10.2", "MUST")
@pytest.mark.parametrize(
    "jwks,encryption",
    [
        (None, Encryption("ECDH-ES")),
        ({"keys": []}, Encryption("ECDH-ES")),
        ({"keys": KEYS["keys"][:1]}, Encryption("ECDH-ES")),
        (KEYS, Encryption("ECDH-ES+A128KW")),
        (KEYS, Encryption("RSA1_5")),
        (KEYS, Encryption("ECDH-ES", "A192GCM")),
        ({"keys": [public_jwk(EC) | {"use": "enc", "y": public_jwk(EC)["x"]}]}, Encryption("ECDH-ES")),
    ],
    ids=["no keys", "an empty set", "signing keys", "another algorithm", "RSA1_5", "another content encryption",
         "a broken key"],
)  # fmt: skip
def test_answer_that_can_not_be_encrypted_is_not_given(
    context: Context, jwks: dict[str, Any] | None, encryption: Encryption
) -> None:
    """It never goes out in clear."""
    with pytest.raises(KeySetUnavailable):
        encrypted(context, a_client(jwks), encryption, JWS)
