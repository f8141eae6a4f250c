"""Nested tokens of FranceConnect+: what is signed is encrypted to the service's own key (RFC 7516, RFC 7519 5.2)."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from idp.demo.franceconnect.errors import JSONError
from idp.demo.franceconnect.portal import CONTENT_ENCRYPTION, PLUS, EncryptionAlgorithm
from idp.demo.franceconnect.settings import FranceConnectClient

PublicKey = ECKey | RSAKey

_TIMEOUT_SECONDS = 5
_LONGEST_KEY_SET = 100_000


def fetched_keys(jwks_uri: str) -> Any:  # noqa: ANN401 - Whatever the service publishes.
    """Fetch a service's key set.

    Raises:
        OSError: Nobody answers.
        ValueError: It is not JSON.
    """
    # The address is one that whoever starts the simulator registered.
    with urlopen(jwks_uri, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read(_LONGEST_KEY_SET))


def nested(
    token: str,
    client: FranceConnectClient,
    issuer: str,
    key_set: object,
    *,
    wrong_key: bool = False,
) -> str:
    """Encrypt a signed token: 6 members in the header, 7 with the ephemeral key of ECDH-ES.

    Args:
        token: Signed.
        client: Whom it is for.
        issuer: Ours.
        key_set: As the service publishes it.
        wrong_key: Encrypt to a key that nobody has.

    Raises:
        JSONError: The service publishes no key for its algorithm.
    """
    alg = client.encryption_alg
    if alg is None:
        return token
    kid, key = _key_for(alg, key_set)
    header = {
        "alg": alg,
        "enc": CONTENT_ENCRYPTION,
        "cty": "JWT",
        "kid": kid,
        "iss": issuer,
        "aud": client.client_id,
    }
    if wrong_key:
        key = RSAKey.generate_key(2048) if isinstance(key, RSAKey) else ECKey.generate_key("P-256")
    return jwe.encrypt_compact(header, token.encode(), key, registry=_REGISTRY)


# The header repeats two claims (RFC 7519 section 5.3), which the library would not let through.
_REGISTRY = jwe.JWERegistry(
    algorithms=[*PLUS.encryption_algorithms, CONTENT_ENCRYPTION], strict_check_header=False
)


def _key_for(alg: EncryptionAlgorithm, key_set: object) -> tuple[str, PublicKey]:
    """Choose the service's key by its use, its kind and its algorithm."""
    wanted: type[PublicKey] = ECKey if alg == "ECDH-ES" else RSAKey
    keys = key_set.get("keys", []) if isinstance(key_set, dict) else []
    for member in keys:
        fits = (
            isinstance(member, dict)
            and member.get("kty") == wanted.key_type
            and member.get("use", "enc") == "enc"
            and member.get("alg", alg) == alg
        )
        if fits:
            try:
                return str(member.get("kid", "")), wanted.import_key(member)
            except (JoseError, ValueError):
                continue
    raise no_keys("no suitable encryption key found")


def no_keys(detail: str) -> JSONError:
    """Refuse a service whose keys can't be had (Y044D511)."""
    message = "client JSON Web Key Set failed to be refreshed"
    return JSONError("Y044D511", 400, "invalid_client_metadata", message, detail)
