"""How a service proves itself: Basic, post, private_key_jwt, none; one method, its own (OID-4)."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.client import ClientAuthenticationMethod, ClientSecret
from idp.services.clients import registry
from tests.support.provider import ISSUER, Service, basic

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CREDENTIALS = {"grant_type": "client_credentials"}
ENDPOINTS = ("/token", "/introspect", "/revoke")


def refused(answer: TestResponse) -> bool:
    """Tell whether an answer says that the client is not who it claims to be, and no more."""
    return answer.status_code == 401 and answer.json == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }


def by_header(provider: Provider, header: str, path: str = "/token") -> TestResponse:
    """Ask with an Authorization header."""
    form = {**CREDENTIALS, "token": "x"}
    return provider.back_channel.post(path, data=form, headers={"Authorization": header})


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 6749", "5.2", "MUST")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_wrong_basic_credentials_are_challenged_alike(lasting_provider: Provider, path: str) -> None:
    """An unknown client, a wrong and a malformed secret get one answer, with its challenge."""
    service = lasting_provider.a_client()

    answers = [
        by_header(lasting_provider, basic(*pair), path)
        for pair in (
            ("nobody", service.secret),
            (service.client_id, new_secret(SecretKind.CLIENT_SECRET)),
            (service.client_id, "secret"),
            (service.client_id, ""),
            (service.client_id, service.secret + " "),
            (service.client_id, service.secret.upper()),
            (lasting_provider.a_client().client_id, service.secret),
        )
    ]

    assert all(refused(answer) for answer in answers)
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {
        'Basic realm="mon-paris", charset="UTF-8"'
    }


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic ", "Basic !", "Basic Y2xpZW50", "Basic /zp4", basic("%00", "x"), basic("%ed%a0%80", "x"),
        basic("a%0ab", "x"), "Bearer mpa_x", "DPoP x", "Digest username=x", "x",
    ],
)  # fmt: skip
def test_authorization_that_is_not_basic_is_refused(lasting_provider: Provider, header: str) -> None:
    """Another scheme, torn credentials, a name that no database takes."""
    assert refused(by_header(lasting_provider, header))


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "method",
    [method for method in ClientAuthenticationMethod if "tls" not in method],
)
def test_client_that_was_disabled_is_refused_whatever_its_method(
    lasting_provider: Provider, method: ClientAuthenticationMethod
) -> None:
    """A right proof of a closed service proves nothing any more."""
    service = lasting_provider.a_client(authentication_method=method)
    closed = lasting_provider.a_client(authentication_method=method, disabled_at=lasting_provider.clock())

    assert lasting_provider.post("/token", service, **CREDENTIALS).status_code in {200, 400}
    assert refused(lasting_provider.post("/token", closed, **CREDENTIALS))


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 6749", "2.3.1", "MUST")
@pytest.mark.parametrize("encode", [quote, quote_plus, str], ids=["percent", "form", "as it is"])
def test_basic_credentials_are_form_decoded(lasting_provider: Provider, encode: Any) -> None:
    """Name and secret are form-urlencoded before they are joined, by those who do."""
    service = lasting_provider.a_client(client_id=f"a~b_c.d-{encode.__name__}")

    answer = by_header(lasting_provider, basic(encode(service.client_id), encode(service.secret)))

    assert answer.status_code == 200


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 6749", "2.3.1", "MUST")
def test_basic_credentials_with_every_letter_escaped_are_read(lasting_provider: Provider) -> None:
    """Any letter may be escaped."""
    service = lasting_provider.a_client()
    escaped = "".join(f"%{ord(letter):02x}" for letter in service.client_id)

    assert by_header(lasting_provider, basic(escaped, service.secret)).status_code == 200
    assert by_header(
        lasting_provider, basic(service.client_id, service.secret).replace("Basic", "basIC")
    ).json


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 6749", "2.3", "MUST NOT")
def test_two_methods_at_once_are_refused(lasting_provider: Provider) -> None:
    """Even when both would do."""
    service = lasting_provider.a_client()
    headers, _ = service.authentication()

    both = [
        {"client_secret": service.secret},
        {"client_assertion": "e30.e30.", "client_assertion_type": ASSERTION_TYPE},
    ]
    answers = [
        lasting_provider.back_channel.post("/token", data={**CREDENTIALS, **more}, headers=headers)
        for more in both
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.json["error"] for answer in answers] == ["invalid_request"] * 2


@pytest.mark.rule("OID-4")
@pytest.mark.spec("OIDC Core", "9", "MUST")
def test_another_method_than_the_registered_one_is_refused(lasting_provider: Provider) -> None:
    """A right secret in the wrong place is no proof; neither is no proof at all."""
    by_basic = lasting_provider.a_client()
    by_post = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.SECRET_POST)
    public = lasting_provider.a_client(is_public=True)

    answers = [
        lasting_provider.post(
            "/token", **CREDENTIALS, client_id=by_basic.client_id, client_secret=by_basic.secret
        ),
        by_header(lasting_provider, basic(by_post.client_id, by_post.secret)),
        lasting_provider.post("/token", **CREDENTIALS, client_id=by_basic.client_id),
        lasting_provider.post("/token", **CREDENTIALS, client_id=by_post.client_id),
        lasting_provider.post("/token", **CREDENTIALS, client_id=by_post.client_id, client_secret=""),
        lasting_provider.post("/token", **CREDENTIALS, client_id=public.client_id, client_secret="x"),
        by_header(lasting_provider, basic(public.client_id, "")),
        by_header(lasting_provider, basic(public.client_id, by_basic.secret)),
        lasting_provider.post("/token", **CREDENTIALS),
        lasting_provider.post("/token", **CREDENTIALS, client_secret=by_post.secret),
    ]

    assert [refused(answer) for answer in answers] == [True] * len(answers)


@pytest.mark.rule("OID-4")
def test_secret_in_the_form_is_taken_where_it_was_registered(lasting_provider: Provider) -> None:
    """client_secret_post works for whoever registered it; its errors carry no challenge for a browser."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.SECRET_POST)

    right = lasting_provider.post("/token", service, **CREDENTIALS)
    wrong = lasting_provider.post("/token", service, **CREDENTIALS, client_secret="é" * 53)

    assert right.status_code == 200
    assert refused(wrong)
    assert "WWW-Authenticate" not in wrong.headers


@pytest.mark.rule("OID-4")
def test_basic_name_and_form_name_must_be_one(lasting_provider: Provider) -> None:
    """A client_id in the form that is another's is no mistake to pass over."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()

    same = lasting_provider.post("/token", service, **CREDENTIALS, client_id=service.client_id)
    another = lasting_provider.post("/token", service, **CREDENTIALS, client_id=other.client_id)

    assert same.status_code == 200
    assert refused(another)


@pytest.mark.rule("OID-4")
def test_two_secrets_live_while_one_is_changed_over(provider: Provider, clock: SettableClock) -> None:
    """A rotation leaves the old secret its grace, and not a second more."""
    service = provider.a_client()

    rotated = registry.rotate_secret(provider.context, service.client_id, timedelta(hours=1))

    assert isinstance(rotated, registry.Registered)
    renewed = Service(service.client, rotated.secret or "")
    assert provider.post("/token", service, **CREDENTIALS).status_code == 200
    assert provider.post("/token", renewed, **CREDENTIALS).status_code == 200
    clock.advance(hours=1)
    assert refused(provider.post("/token", service, **CREDENTIALS))
    assert provider.post("/token", renewed, **CREDENTIALS).status_code == 200


def test_secret_that_has_ended_opens_nothing(lasting_provider: Provider) -> None:
    """An ended secret is like none."""
    now = lasting_provider.clock()
    secret = new_secret(SecretKind.CLIENT_SECRET)
    service = lasting_provider.a_client(secrets=(ClientSecret(digest(secret), now, now),))

    assert refused(by_header(lasting_provider, basic(service.client_id, secret)))


class TestPrivateKey:
    """private_key_jwt (RFC 7523 section 3; OIDC Core 9)."""

    KEY = ec.generate_private_key(ec.SECP256R1())
    RSA_KEY = rsa.generate_private_key(65537, 2048)
    OTHER = ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    def service(self, lasting_provider: Provider) -> Service:
        """A service with two keys."""
        return lasting_provider.a_client(
            authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
            jwks={
                "keys": [
                    json.loads(ECAlgorithm.to_jwk(self.KEY.public_key())) | {"kid": "ec", "use": "sig"},
                    json.loads(RSAAlgorithm.to_jwk(self.RSA_KEY.public_key())) | {"kid": "rsa", "use": "sig"},
                ]
            },
        )

    def claims(self, provider: Provider, service: Service, **changes: Any) -> dict[str, Any]:
        """Give the claims of an assertion that passes, with changes; None takes one away."""
        now = int(provider.clock().timestamp())
        usual = {
            "iss": service.client_id,
            "sub": service.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": new_secret(SecretKind.LINK),
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def signed(self, claims: dict[str, Any], key: Any = None, alg: str = "ES256", **header: Any) -> str:
        """Sign an assertion."""
        return jwt.encode(claims, key or self.KEY, alg, headers={"kid": "ec", **header})

    def ask(self, provider: Provider, assertion: str, **changes: str | None) -> TestResponse:
        """Bring an assertion to /token."""
        usual: dict[str, str | None] = {
            **CREDENTIALS,
            "client_assertion": assertion,
            "client_assertion_type": ASSERTION_TYPE,
        }
        return provider.post("/token", **(usual | changes))

    @pytest.mark.rule("OID-4")
    @pytest.mark.spec("RFC 7523", "3", "MUST")
    def test_assertion_serves_once(self, lasting_provider: Provider, service: Service) -> None:
        """A right one is taken, at any of the endpoints, and never again."""
        assertion = self.signed(self.claims(lasting_provider, service))

        first, second = (self.ask(lasting_provider, assertion) for _ in range(2))
        elsewhere = lasting_provider.post(
            "/introspect", token="x", client_assertion=assertion, client_assertion_type=ASSERTION_TYPE
        )

        assert first.status_code == 200
        assert refused(second)
        assert refused(elsewhere)

    @pytest.mark.rule("OID-4")
    def test_assertion_by_the_other_key_is_taken(self, lasting_provider: Provider, service: Service) -> None:
        """Several keys, several algorithms: PS256 too, which Authlib refuses."""
        answers = [
            self.ask(
                lasting_provider,
                self.signed(self.claims(lasting_provider, service), self.RSA_KEY, alg, kid="rsa"),
            )
            for alg in ("RS256", "PS256")
        ]

        assert [answer.status_code for answer in answers] == [200, 200]

    @pytest.mark.rule("OID-4")
    @pytest.mark.spec("RFC 7523", "3", "MUST")
    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "nobody"}, {"iss": None}, {"sub": "nobody"}, {"sub": None}, {"aud": None},
            {"aud": f"{ISSUER}/token"}, {"aud": [ISSUER]}, {"aud": [ISSUER, "https://evil.example"]},
            {"aud": f"{ISSUER}/"}, {"aud": "https://evil.example"}, {"exp": None}, {"exp": "9999999999"},
            {"exp": 10**400}, {"exp": 1e308}, {"exp": -1}, {"exp": True}, {"exp": 1}, {"iat": 10**12},
            {"nbf": 10**12}, {"nbf": "x"}, {"jti": None}, {"jti": ""}, {"jti": 5}, {"jti": "\ud800"},
            {"jti": "a\x00"}, {"jti": "j" * 300},
        ],
        ids=lambda changes: str(changes)[:60],
    )  # fmt: skip
    def test_assertion_with_a_wrong_claim_is_refused(
        self, lasting_provider: Provider, service: Service, changes: dict[str, Any]
    ) -> None:
        """The only audience is the issuer, as a string (CVE-2025-27370); times are numbers, and near."""
        claims = self.claims(lasting_provider, service, **changes)
        header = {"alg": "ES256", "kid": "ec", "typ": "JWT"}
        head, body = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)
        )
        signature = ECAlgorithm(ECAlgorithm.SHA256).sign(head + b"." + body, self.KEY)
        token = b".".join((head, body, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()

        assert refused(self.ask(lasting_provider, token))

    @pytest.mark.rule("OID-4")
    def test_assertion_that_lives_too_long_is_refused(
        self, lasting_provider: Provider, service: Service
    ) -> None:
        """Its name would have to be remembered for as long (CVE-2025-2559)."""
        now = int(lasting_provider.clock().timestamp())

        near, far = (
            self.ask(lasting_provider, self.signed(self.claims(lasting_provider, service, exp=now + seconds)))
            for seconds in (600, 601)
        )

        assert near.status_code == 200
        assert refused(far)

    @pytest.mark.rule("OID-4")
    @pytest.mark.spec("RFC 8725", "3.1", "MUST")
    def test_assertion_signed_by_a_trick_is_refused(
        self, lasting_provider: Provider, service: Service
    ) -> None:
        """Another key, no signature, the public key as a secret, a key of the header, an unknown kid."""
        claims = self.claims(lasting_provider, service)
        pem = self.KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        own = json.loads(ECAlgorithm.to_jwk(self.OTHER.public_key()))
        good = self.signed(claims)
        head, body, signature = good.split(".")
        secret = base64.urlsafe_b64encode(pem)

        def unsigned(alg: str) -> str:
            return (
                base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "ec"}).encode()).rstrip(b"=").decode()
            )

        tokens = [
            self.signed(claims, self.OTHER),
            self.signed(claims, self.OTHER, jwk=own),
            self.signed(claims, self.OTHER, jku="https://evil.example/jwks.json"),
            self.signed(claims, self.OTHER, x5u="https://evil.example/x.pem"),
            self.signed(claims, kid="rsa"),
            self.signed(claims, kid="../../../etc/passwd"),
            self.signed(claims, kid="' OR 1=1 --"),
            self.signed(claims, crit=["x"], x=1),
            f"{unsigned('none')}.{body}.",
            f"{unsigned('None')}.{body}.{signature}",
            jwt.encode(claims, secret, "HS256", headers={"kid": "ec"}),
            jwt.encode(claims, self.RSA_KEY, "RS512", headers={"kid": "rsa"}),
            f"{head}.{body}.{signature[:-4]}AAAA",
            f"{head}.{body}",
            f"{head}.{body}.{signature}.{signature}",
        ]

        answers = [self.ask(lasting_provider, token) for token in tokens]

        assert [refused(answer) for answer in answers] == [True] * len(tokens)
        assert self.ask(lasting_provider, good).status_code == 200

    @pytest.mark.rule("OID-4")
    def test_assertion_with_wrong_company_is_refused(
        self, lasting_provider: Provider, service: Service
    ) -> None:
        """Another client_id beside it, another type, or a client that registered something else."""
        other = lasting_provider.a_client()

        def good() -> str:
            return self.signed(self.claims(lasting_provider, service))

        answers = [
            self.ask(lasting_provider, good(), client_id=other.client_id),
            self.ask(lasting_provider, good(), client_assertion_type=None),
            self.ask(lasting_provider, good(), client_assertion_type="urn:saml"),
            self.ask(lasting_provider, self.signed(self.claims(lasting_provider, other))),
        ]

        assert [refused(answer) for answer in answers] == [True] * len(answers)
        assert self.ask(lasting_provider, good(), client_id=service.client_id).status_code == 200

    @pytest.mark.rule("OID-4")
    def test_only_the_registered_algorithm_is_taken(
        self, lasting_provider: Provider, service: Service
    ) -> None:
        """token_endpoint_auth_signing_alg is a promise to refuse the others."""
        service = lasting_provider.change(service, authentication_signing_alg="PS256")

        es256 = self.ask(lasting_provider, self.signed(self.claims(lasting_provider, service)))
        ps256 = self.ask(
            lasting_provider,
            self.signed(self.claims(lasting_provider, service), self.RSA_KEY, "PS256", kid="rsa"),
        )

        assert refused(es256)
        assert ps256.status_code == 200
