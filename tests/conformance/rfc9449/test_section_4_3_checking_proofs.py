"""RFC 9449 section 4.3: what a proof must be, at the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client_keys import a_key, public_jwk
from tests.support.dpop import ProofMaker, with_proof

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

GRANT = {"grant_type": "client_credentials"}


def present(provider: Provider, proof: str) -> TestResponse:
    """Ask for a token with a proof."""
    return with_proof(provider, provider.a_client(), proof, GRANT)


def assert_refused(answer: TestResponse) -> None:
    """Say that a proof was not taken, in the words of section 5."""
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_dpop_proof"), answer.text


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "proof",
    ["", "x", "a.b.c", "e30.e30.", "é", "a" * 5_000, "eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30."],
    ids=lambda proof: proof[:20] or "empty",
)
def test_header_that_is_no_jwt_is_refused(lasting_provider: Provider, proof: str) -> None:
    """Whatever it holds, an unsigned JWT included."""
    assert_refused(present(lasting_provider, proof))


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "4.3", "MUST")
def test_two_proofs_are_refused(lasting_provider: Provider, key: ProofMaker) -> None:
    """In two headers, which servers join, or in one."""
    service = lasting_provider.a_client()
    headers, _ = service.authentication()

    answer = lasting_provider.back_channel.post(
        "/token", data=GRANT, headers=[*headers.items(), ("DPoP", key.proof()), ("DPoP", key.proof())]
    )

    assert_refused(answer)
    assert_refused(present(lasting_provider, f"{key.proof()}, {key.proof()}"))


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": public_jwk(a_key("ES256").private)},
        {"jwk": public_jwk(a_key("EdDSA").private)},
        {"crit": ["exp"], "exp": 1},
    ],
    ids=["other type", "no key", "symmetric", "no point", "another key", "other kind", "critical"],
)
def test_proof_that_its_own_key_does_not_verify_is_refused(
    lasting_provider: Provider, key: ProofMaker, header: dict[str, Any]
) -> None:
    """The key in the header verifies the signature, and is a public one."""
    assert_refused(present(lasting_provider, key.proof(header=header)))


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_key_that_is_private_is_refused(lasting_provider: Provider, alg: str) -> None:
    """A key that was shown protects nothing any more."""
    key = ProofMaker(lasting_provider.clock, alg)

    assert_refused(present(lasting_provider, key.proof(header={"jwk": key.jwk | {"d": "AQAB"}})))


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "missing", ["typ", "jwk", "jti", "htm", "htu", "iat"], ids=lambda missing: f"no {missing}"
)
def test_proof_that_lacks_a_member_is_refused(
    lasting_provider: Provider, key: ProofMaker, missing: str
) -> None:
    """All required claims stand in it."""
    assert_refused(present(lasting_provider, key.proof(without=(missing,))))


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "changes",
    [{"htm": "GET"}, {"htu": "https://other.example/token"}, {"iat": 1}, {"nonce": 7}, {"jti": "a" * 300}],
    ids=lambda changes: next(iter(changes)),
)
def test_proof_for_another_request_is_refused(
    lasting_provider: Provider, key: ProofMaker, changes: dict[str, Any]
) -> None:
    """Method, address and time are those of the request."""
    assert_refused(present(lasting_provider, key.proof(**changes)))


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
def test_proof_signed_with_what_clients_sign_assertions_with_may_be_too_weak(
    lasting_provider: Provider,
) -> None:
    """RS256 is an algorithm of ours, and none of proofs."""
    assert_refused(present(lasting_provider, ProofMaker(lasting_provider.clock, "RS256").proof()))


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_good_proof_is_taken_and_never_told(lasting_provider: Provider, alg: str) -> None:
    """With each algorithm that discovery names; a key may have a name."""
    key = ProofMaker(lasting_provider.clock, alg)

    plain = present(lasting_provider, key.proof())
    named = present(lasting_provider, key.proof(header={"kid": "k-1"}))

    assert [plain.json["token_type"], named.json["token_type"]] == ["DPoP", "DPoP"]


@pytest.mark.spec("RFC 9449", "11.1", "MUST")
def test_proof_that_was_used_is_refused(lasting_provider: Provider, key: ProofMaker) -> None:
    """By anybody, and its name in another proof of the same key too; another key may use that name."""
    other = ProofMaker(lasting_provider.clock)
    proof = key.proof(jti="one")

    first, again = present(lasting_provider, proof), present(lasting_provider, proof)
    same_name = present(
        lasting_provider, key.proof(jti="one", iat=int(lasting_provider.clock().timestamp()) - 1)
    )

    assert first.status_code == 200
    assert_refused(again)
    assert_refused(same_name)
    assert present(lasting_provider, other.proof(jti="one")).status_code == 200


@pytest.mark.spec("RFC 9449", "4.3", "SHOULD")
@pytest.mark.parametrize("seconds", [-60, 10])
def test_clocks_may_differ_a_little(lasting_provider: Provider, key: ProofMaker, seconds: int) -> None:
    """A proof lives a minute, and ten seconds in the future are no future."""
    now = int(lasting_provider.clock().timestamp())

    assert present(lasting_provider, key.proof(iat=now + seconds)).status_code == 200
