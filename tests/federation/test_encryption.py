"""FranceConnect+: tokens that are signed, then encrypted to a key of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from idp.crypto.keyring import DecryptionKey, KeyState
from idp.crypto.opaque import digest
from idp.federation.upstream import UpstreamCallback, UpstreamMisbehaved
from idp.outbound.http import Answer
from tests.support.franceconnect import (
    CLIENT_ID,
    NONCE,
    STATE,
    SUBJECT,
    ForgedFranceConnect,
    an_ec_key,
    an_rsa_key,
    parameters_of,
    running_simulator,
)

if TYPE_CHECKING:
    from idp.federation.franceconnect.client import FranceConnect
    from idp.federation.upstream import UpstreamIdentity
    from tests.support.clock import SettableClock

pytestmark = [pytest.mark.rule("FC-1"), pytest.mark.spec("RFC 7519", "5.2", "MUST")]

ALGORITHMS = ("ECDH-ES", "RSA-OAEP", "RSA-OAEP-256")


@dataclass
class Nested:
    """A FranceConnect+ whose tokens a test encrypts as it likes, and our client for it.

    Attributes:
        forged: What is signed.
        keys: Ours.
        algorithm: That we registered.
    """

    forged: ForgedFranceConnect
    keys: tuple[DecryptionKey, ...]
    algorithm: str = "RSA-OAEP-256"

    def encrypted(self, signed: str, *, key: DecryptionKey | None = None, **header: Any) -> str:
        """Encrypt a signed token as FranceConnect+ does, but for some members of the header."""
        ours = key or next(one for one in self.keys if one.alg == self.algorithm)
        usual = {"alg": self.algorithm, "enc": "A256GCM", "cty": "JWT", "kid": ours.kid}
        usual |= {"iss": self.forged.issuer, "aud": CLIENT_ID}
        members = {name: value for name, value in (usual | header).items() if value is not None}
        public = public_half(ours)
        registry = jwe.JWERegistry(
            algorithms=[members["alg"], members["enc"]],
            strict_check_header=False,
        )
        return jwe.encrypt_compact(members, signed.encode(), public, registry=registry)

    def answers(self, id_token: str, userinfo: str) -> None:
        """Say what the two endpoints give."""
        self.forged.token = {"id_token": id_token}
        media_type = {"content-type": "application/jwt"}
        self.forged.answers["/userinfo"] = Answer(200, media_type, userinfo.encode())

    def signed(self) -> tuple[str, str]:
        """Give the two signed tokens."""
        return self.forged.signed(self.forged.id_token_claims()), self.forged.userinfo_token()

    def client(self, **changes: Any) -> FranceConnect:
        """Build our client, with our keys."""
        settings = {"encryption_algorithm": self.algorithm, "acr_values": "eidas2"} | changes
        return self.forged.client(decryption_keys=lambda: self.keys, **settings)

    def identify(self, **changes: Any) -> UpstreamIdentity:
        """Come back with a code."""
        return self.forged.identify(self.client(**changes))


def public_half(key: DecryptionKey) -> ECKey | RSAKey:
    """Give what FranceConnect+ encrypts to."""
    public = key.private_key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECKey.import_key(public)
    return RSAKey.import_key(public)


def a_decryption_key(clock: SettableClock, alg: str, kid: str = "", **changes: Any) -> DecryptionKey:
    """Give a key of ours."""
    private: Any = an_ec_key() if alg == "ECDH-ES" else an_rsa_key()
    made = {"state": KeyState.ACTIVE, "created_at": clock(), "state_since": clock(), "private_key": private}
    return DecryptionKey(kid=kid or f"our-{alg}", alg=alg, **(made | changes))


@pytest.fixture
def nested(clock: SettableClock) -> Nested:
    """A FranceConnect+ that answers faithfully, registered with RSA-OAEP-256."""
    forged = ForgedFranceConnect(clock)
    forged.id_token = {"acr": "eidas2"}
    nested = Nested(forged, tuple(a_decryption_key(clock, alg) for alg in ALGORITHMS))
    id_token, userinfo = nested.signed()
    nested.answers(nested.encrypted(id_token), nested.encrypted(userinfo))
    return nested


# What is refused


def test_token_in_the_clear_from_a_portal_that_encrypts_is_refused(nested: Nested) -> None:
    """Whoever could read it could have written its address: what was registered is what is taken."""
    id_token, userinfo = nested.signed()
    for given, what in (
        ((id_token, nested.encrypted(userinfo)), "id_token.not_encrypted"),
        ((nested.encrypted(id_token), userinfo), "userinfo.not_encrypted"),
    ):
        nested.answers(*given)

        with pytest.raises(UpstreamMisbehaved, match=what):
            nested.identify()


def test_encrypted_token_from_a_portal_that_does_not_is_refused(nested: Nested) -> None:
    """The reverse: nothing is found out by looking."""
    id_token, userinfo = nested.signed()
    for given, what in (
        ((nested.encrypted(id_token), userinfo), "id_token.encrypted"),
        ((id_token, nested.encrypted(userinfo)), "userinfo.encrypted"),
    ):
        nested.answers(*given)

        with pytest.raises(UpstreamMisbehaved, match=what):
            nested.identify(encryption_algorithm=None)


@pytest.mark.parametrize(
    "header, check",
    [
        ({"alg": "RSA-OAEP"}, "encryption_alg"),
        ({"enc": "A128GCM"}, "encryption_enc"),
        ({"enc": "A256CBC-HS512"}, "encryption_enc"),
        ({"cty": None}, "encryption_cty"),
        ({"cty": "text/plain"}, "encryption_cty"),
        ({"iss": "https://autre.example/api/v2"}, "encryption_iss"),
        ({"aud": "another-client"}, "encryption_aud"),
        ({"kid": "another-key"}, "encryption"),
        ({"crit": ["kid"]}, "encryption"),
    ],
    ids=str,
)
@pytest.mark.parametrize("which", ["id_token", "userinfo"])
def test_token_encrypted_otherwise_than_registered_is_refused(
    nested: Nested, header: dict[str, Any], check: str, which: str
) -> None:
    """Algorithm, content encryption, kind of content, key: those that were registered, and no other."""
    id_token, userinfo = nested.signed()
    nested.answers(
        nested.encrypted(id_token, **(header if which == "id_token" else {})),
        nested.encrypted(userinfo, **(header if which == "userinfo" else {})),
    )

    with pytest.raises(UpstreamMisbehaved, match=rf"^{which}\.{check}$"):
        nested.identify()


def test_token_encrypted_to_somebody_else_is_refused(nested: Nested, clock: SettableClock) -> None:
    """A key that is not ours opens nothing, whatever it calls itself."""
    theirs = a_decryption_key(clock, "ECDH-ES", private_key=ec.generate_private_key(ec.SECP256R1()))
    id_token, userinfo = nested.signed()
    nested.algorithm = "ECDH-ES"
    nested.answers(nested.encrypted(id_token, key=theirs), nested.encrypted(userinfo))

    with pytest.raises(UpstreamMisbehaved, match=r"^id_token\.encryption$"):
        nested.identify()


@pytest.mark.parametrize("part", range(5))
def test_altered_encrypted_token_is_refused(nested: Nested, part: int) -> None:
    """One letter of any part, and nothing of it is read."""
    id_token, userinfo = nested.signed()
    parts = nested.encrypted(id_token).split(".")
    first = parts[part][0]
    parts[part] = ("B" if first == "A" else "A") + parts[part][1:]
    nested.answers(".".join(parts), nested.encrypted(userinfo))

    with pytest.raises(UpstreamMisbehaved, match=r"^id_token\.encryption"):
        nested.identify()


@pytest.mark.parametrize("token", ["....", "a.b.c.d.e", "eyJ9.." + "A" * 20 + "..", "é.é.é.é.é"])
def test_what_only_looks_encrypted_is_refused(nested: Nested, token: str) -> None:
    """Five parts of nothing."""
    id_token, _ = nested.signed()
    nested.answers(nested.encrypted(id_token), token)

    with pytest.raises(UpstreamMisbehaved, match=r"^userinfo\.encryption$"):
        nested.identify()


def test_encrypted_token_is_signed_all_the_same(nested: Nested) -> None:
    """Anybody can encrypt to our published key: what counts is the signature inside."""
    forger = ForgedFranceConnect(nested.forged.clock, kid="k2")
    forger.id_token = {"acr": "eidas2"}
    _, userinfo = nested.signed()
    inside = forger.signed(forger.id_token_claims())
    for forged in (inside, inside.rsplit(".", 1)[0] + ".", "not a token at all", "{}"):
        nested.answers(nested.encrypted(forged), nested.encrypted(userinfo))

        with pytest.raises(UpstreamMisbehaved, match=r"^id_token\.(signature|alg)$"):
            nested.identify()


def test_token_encrypted_twice_is_refused(nested: Nested) -> None:
    """One layer was registered."""
    id_token, userinfo = nested.signed()
    nested.answers(nested.encrypted(nested.encrypted(id_token)), nested.encrypted(userinfo))

    with pytest.raises(UpstreamMisbehaved, match=r"^id_token\."):
        nested.identify()


@pytest.mark.rule("FC-6")
def test_level_below_the_one_asked_is_refused(nested: Nested) -> None:
    """eidas2 does for who asks for eidas2, not for who asked for eidas3."""
    client = nested.client(acr_values="eidas2 eidas3")
    answer = UpstreamCallback("a-code", None, nested.forged.issuer)

    with pytest.raises(UpstreamMisbehaved, match=r"^id_token\.acr$"):
        client.identify(answer, nonce_hash=digest(NONCE), now=nested.forged.clock(), level="eidas3")


# What is taken


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nested_token_gives_the_identity_and_the_signed_token(nested: Nested, algorithm: str) -> None:
    """Each algorithm of FranceConnect+; what is kept for the logout is the token that was inside."""
    nested.algorithm = algorithm
    id_token, userinfo = nested.signed()
    nested.answers(nested.encrypted(id_token), nested.encrypted(userinfo))

    identity = nested.identify()

    assert (identity.subject, identity.level) == (SUBJECT, "eidas2")
    assert identity.id_token == id_token


def test_header_without_the_repeated_claims_is_taken(nested: Nested) -> None:
    """RFC 7519 section 5.3: they may stand there; another FranceConnect may leave them out."""
    id_token, userinfo = nested.signed()
    nested.answers(
        nested.encrypted(id_token, iss=None, aud=None, kid=None), nested.encrypted(userinfo, kid=None)
    )

    assert nested.identify().subject == SUBJECT


def test_retired_key_of_ours_still_decrypts(nested: Nested, clock: SettableClock) -> None:
    """FranceConnect+ may have read our key set a while ago (OPS-4)."""
    retired = a_decryption_key(clock, "RSA-OAEP-256", "old", state=KeyState.RETIRED)
    nested.keys = (*nested.keys, retired)
    id_token, userinfo = nested.signed()
    nested.answers(nested.encrypted(id_token, key=retired), nested.encrypted(userinfo, key=retired))

    assert nested.identify().subject == SUBJECT


def test_level_of_the_service_is_what_is_asked_for(nested: Nested) -> None:
    """The lowest by default; the one that is needed otherwise."""
    client = nested.client(acr_values="eidas2 eidas3")

    asked = [
        parameters_of(client.authorization_url(state=STATE, nonce=NONCE, level=level))["acr_values"]
        for level in (None, "eidas2", "eidas3")
    ]

    assert asked == ["eidas2", "eidas2", "eidas3"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_simulated_franceconnect_plus_is_passed_over_real_http(clock: SettableClock, algorithm: Any) -> None:
    """The whole way, each algorithm; the logout takes the token that was inside."""
    keys = tuple(a_decryption_key(clock, alg) for alg in ALGORITHMS)
    with running_simulator(clock, plus=True, encryption_algorithm=algorithm) as simulator:
        simulator.published = lambda: {"keys": [key.public_jwk() for key in keys]}
        client = simulator.client(clock, decryption_keys=lambda: keys)
        back = simulator.person_goes(client.authorization_url(state=STATE, nonce=NONCE), "test")

        identity = client.identify(
            UpstreamCallback(back["code"], None, back["iss"]), nonce_hash=digest(NONCE), now=clock()
        )
        left = simulator.person_signs_out(client.logout_url(identity.id_token, state=STATE))

    assert identity.level == "eidas2"
    assert identity.id_token.count(".") == 2
    assert parameters_of(left)["state"] == STATE
