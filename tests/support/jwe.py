"""Decrypts what was encrypted for a client, as the client does (RFC 7516)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey

from tests.support.client_keys import ClientKey, a_key, public_jwk

if TYPE_CHECKING:
    from idp.domain.client import Encryption

_ALGORITHMS: Final = ["ECDH-ES", "A128CBC-HS256", "A128GCM", "A256GCM"]


def a_key_to_encrypt_to() -> tuple[ClientKey, dict[str, Any]]:
    """Make a key, and the JWK Set in which a client publishes it."""
    key = a_key("ES256")
    return key, {"keys": [public_jwk(key.private) | {"use": "enc", "kid": "enc"}]}


def decrypted(token: str, key: ClientKey, encryption: Encryption, *, cty: str | None = "JWT") -> str:
    """Decrypt, and check that the header says what was registered and what is inside.

    Args:
        token: The compact JWE.
        key: Made by `a_key_to_encrypt_to`.
        encryption: What the client registered.
        cty: What the header calls the content.
    """
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    read = jwe.decrypt_compact(token, ECKey.import_key(key.private), algorithms=_ALGORITHMS)
    assert (read.protected["alg"], read.protected["enc"]) == (encryption.alg, encryption.enc)
    assert read.protected.get("cty") == cty
    assert read.plaintext is not None
    return read.plaintext.decode()
