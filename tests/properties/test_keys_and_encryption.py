"""Laws of public keys and of encryption: a key is what it is, and only what was encrypted comes out."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto import jwe
from idp.crypto.certificates import CertificateRefused, from_header
from idp.crypto.jwe import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGS, JWERefused
from idp.crypto.jwt import JWTRefused, jwk_thumbprint, public_key_of
from idp.crypto.keyring import DecryptionKey, KeyState
from tests.support.client_keys import public_jwk
from tests.support.clock import A_MONDAY_MORNING

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    alg: DecryptionKey(
        alg, alg, KeyState.ACTIVE, A_MONDAY_MORNING, A_MONDAY_MORNING, RSA if alg.startswith("RSA") else EC
    )
    for alg in ENCRYPTION_ALGS
}
JWKS = [public_jwk(EC), public_jwk(RSA)]
MEANINGFUL = {"kty", "crv", "x", "y", "n", "e", "d", "k", "p", "q", "dp", "dq", "qi", "oth"}
OTHER_MEMBERS = st.dictionaries(
    st.text(min_size=1).filter(lambda name: name not in MEANINGFUL),
    st.none() | st.integers() | st.text() | st.lists(st.text()),
    max_size=4,
)
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "use", "alg"])


@pytest.mark.rule("OID-4")
@given(st.sampled_from(JWKS), OTHER_MEMBERS, st.randoms(use_true_random=False))
def test_thumbprint_of_a_key_is_the_same_however_it_is_written(
    jwk: dict[str, Any], others: dict[str, Any], chance: Any
) -> None:
    """Neither the order of its members nor what stands beside them counts."""
    members = [*jwk.items(), *others.items()]
    chance.shuffle(members)

    assert jwk_thumbprint(dict(members)) == jwk_thumbprint(jwk)


@pytest.mark.rule("OID-4")
@given(st.sampled_from(JWKS), st.dictionaries(MEMBERS, JSON, max_size=3))
def test_key_is_read_or_refused_whatever_it_holds(jwk: dict[str, Any], changes: dict[str, Any]) -> None:
    """One refusal, and no other exception."""
    try:
        public_key_of(jwk | changes)
        assert len(jwk_thumbprint(jwk | changes)) == 43
    except JWTRefused:
        pass


@pytest.mark.rule("OID-4")
@given(st.binary(max_size=2000), st.sampled_from(ENCRYPTION_ALGS), st.sampled_from(CONTENT_ENCRYPTIONS))
def test_what_was_encrypted_comes_out(plaintext: bytes, alg: str, enc: str) -> None:
    """Decryption undoes encryption, and the content can't be seen."""
    token = jwe.encrypt(plaintext, KEYS[alg].public_jwk(), alg, enc)

    assert jwe.decrypt(token, KEYS.values()) == plaintext


@pytest.mark.rule("OID-4")
@given(st.sampled_from(ENCRYPTION_ALGS), st.sampled_from(CONTENT_ENCRYPTIONS), st.data())
def test_token_with_one_bit_changed_does_not_come_out(alg: str, enc: str, data: st.DataObject) -> None:
    """Whichever bit it is."""
    parts = jwe.encrypt(b"content", KEYS[alg].public_jwk(), alg, enc).split(".")
    index = data.draw(st.sampled_from([index for index, part in enumerate(parts) if part]))
    raw = bytearray(base64.urlsafe_b64decode(parts[index] + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[index] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    with pytest.raises(JWERefused):
        jwe.decrypt(".".join(parts), KEYS.values())


@pytest.mark.rule("OID-4")
@given(st.text(max_size=300) | st.lists(st.binary(max_size=80), min_size=5, max_size=5))
def test_whatever_comes_for_a_token_is_refused(received: str | list[bytes]) -> None:
    """One refusal, and no other exception."""
    if not isinstance(received, str):
        received = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in received)

    with pytest.raises(JWERefused):
        jwe.decrypt(received, KEYS.values())


@pytest.mark.rule("OID-4")
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: f":{base64.b64encode(raw).decode()}:"))
def test_whatever_comes_for_a_certificate_is_refused(received: str) -> None:
    """One refusal, and no other exception."""
    with pytest.raises(CertificateRefused):
        from_header(received)
