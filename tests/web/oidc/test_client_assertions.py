"""Services that sign: with their secret, with keys that they publish, for one endpoint, under FAPI 2.0 (OID-4)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idp.crypto.opaque import KeyDerivation, Sealer, SecretKind, new_secret
from idp.domain.client import ClientAuthenticationMethod, Profile
from tests.support.client_keys import a_key, jwks
from tests.support.provider import ASSERTION_TYPE, ISSUER, a_provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("OID-4")

CREDENTIALS = {"grant_type": "client_credentials"}
SECRET_JWT = ClientAuthenticationMethod.SECRET_JWT
PRIVATE_KEY_JWT = ClientAuthenticationMethod.PRIVATE_KEY_JWT


def ask(provider: Provider, assertion: str, path: str = "/token", **changes: str) -> TestResponse:
    """Bring an assertion to an endpoint."""
    form = {
        **CREDENTIALS,
        "token": "x",
        "client_assertion": assertion,
        "client_assertion_type": ASSERTION_TYPE,
    }
    return provider.post(path, **(form | changes))


def refused(answer: TestResponse) -> bool:
    """Tell whether an answer says that the client is not who it claims to be, and no more."""
    return answer.status_code == 401 and answer.json == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }


class TestSecret:
    """client_secret_jwt (OIDC Core 9): HS256 with the secret, which must be read back for it."""

    @pytest.mark.spec("OIDC Core", "9", "REQUIRED")
    @pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
    def test_assertion_by_the_secret_serves_once_at_each_endpoint(
        self, lasting_provider: Provider, path: str
    ) -> None:
        """A right one is taken, and never again."""
        service = lasting_provider.a_client(authentication_method=SECRET_JWT)
        assertion = service.assertion()

        assert ask(lasting_provider, assertion, path).status_code == 200
        assert refused(ask(lasting_provider, assertion, path))

    @pytest.mark.spec("RFC 8725", "3.1", "MUST")
    def test_assertion_signed_otherwise_is_refused(self, lasting_provider: Provider) -> None:
        """Another secret, another's secret, its hash, no signature, another HMAC, a key of the header."""
        service = lasting_provider.a_client(authentication_method=SECRET_JWT)
        other = lasting_provider.a_client(authentication_method=SECRET_JWT)
        key = a_key()
        claims = jwt.decode(service.assertion(), options={"verify_signature": False})
        head, body, signature = service.assertion().split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()

        answers = [
            ask(lasting_provider, token)
            for token in (
                jwt.encode(claims, new_secret(SecretKind.CLIENT_SECRET), "HS256"),
                jwt.encode(claims, other.secret, "HS256"),
                jwt.encode(claims, service.client.secrets[0].secret_hash, "HS256"),
                jwt.encode(claims, service.client.secrets[0].sealed or "", "HS256"),
                jwt.encode(claims, service.secret + "0" * 64, "HS512"),
                key.sign(claims),
                key.sign(claims, jwk=key.jwk),
                f"{none}.{body}.",
                f"{none}.{body}.{signature}",
                f"{head}.{body}.",
            )
        ]

        assert [refused(answer) for answer in answers] == [True] * len(answers)
        assert ask(lasting_provider, service.assertion()).status_code == 200

    def test_assertion_that_names_another_client_is_refused(self, lasting_provider: Provider) -> None:
        """One's own secret signs for oneself."""
        service = lasting_provider.a_client(authentication_method=SECRET_JWT)
        other = lasting_provider.a_client(authentication_method=SECRET_JWT)

        answers = [
            ask(lasting_provider, service.assertion(iss=other.client_id, sub=other.client_id)),
            ask(lasting_provider, service.assertion(iss=other.client_id)),
            ask(lasting_provider, service.assertion(sub=other.client_id)),
            ask(lasting_provider, service.assertion(), client_id=other.client_id),
        ]

        assert [refused(answer) for answer in answers] == [True] * len(answers)

    @pytest.mark.spec("OIDC Core", "9", "MUST")
    def test_secret_that_signs_is_not_sent_and_one_that_is_sent_does_not_sign(
        self, lasting_provider: Provider
    ) -> None:
        """One method, the registered one."""
        signs = lasting_provider.a_client(authentication_method=SECRET_JWT)
        sends = lasting_provider.a_client()
        public = lasting_provider.a_client(is_public=True)

        answers = [
            lasting_provider.post(
                "/token", **CREDENTIALS, client_id=signs.client_id, client_secret=signs.secret
            ),
            lasting_provider.post("/token", **CREDENTIALS, client_id=signs.client_id),
            ask(lasting_provider, sends.assertion()),
            ask(lasting_provider, replace(public, secret=sends.secret).assertion()),
        ]

        assert [refused(answer) for answer in answers] == [True] * len(answers)

    def test_both_secrets_sign_while_one_is_changed_over(
        self, provider: Provider, clock: SettableClock
    ) -> None:
        """The old one has its grace, and not a second more."""
        old, new = new_secret(SecretKind.CLIENT_SECRET), new_secret(SecretKind.CLIENT_SECRET)
        secrets = (
            provider.a_secret("parking", old, clock() + timedelta(hours=1)),
            provider.a_secret("parking", new),
        )
        service = provider.a_client(client_id="parking", authentication_method=SECRET_JWT, secrets=secrets)

        def status(secret: str) -> int:
            return ask(provider, replace(service, secret=secret).assertion()).status_code

        assert (status(old), status(new)) == (200, 200)
        clock.advance(hours=1)
        assert (status(old), status(new)) == (401, 200)

    def test_secret_that_can_not_be_read_back_signs_nothing(self, lasting_provider: Provider) -> None:
        """Never sealed, sealed by another installation, moved from another client, torn: refused, and no 500."""
        elsewhere = Sealer(KeyDerivation(bytes(32)).key("seal"))
        sealings: list[Callable[[str, str], str | None]] = [
            lambda _client_id, _secret: None,
            lambda client_id, secret: elsewhere.seal(secret.encode(), bound_to=f"client_secret/{client_id}"),
            lambda _client_id, secret: lasting_provider.a_secret("nobody", secret).sealed,
            lambda _client_id, _secret: "",
            lambda _client_id, _secret: "%%%",
        ]

        for number, sealing in enumerate(sealings):
            client_id, secret = f"unreadable-{number}", new_secret(SecretKind.CLIENT_SECRET)
            stored = replace(lasting_provider.a_secret(client_id, secret), sealed=sealing(client_id, secret))
            service = lasting_provider.a_client(
                client_id=client_id, authentication_method=SECRET_JWT, secrets=(stored,)
            )
            assert refused(ask(lasting_provider, replace(service, secret=secret).assertion()))

    def test_registered_algorithm_is_a_promise(self, lasting_provider: Provider) -> None:
        """HS256 is the only one there is; a client that registered another gets in by none."""
        hs256 = lasting_provider.a_client(
            authentication_method=SECRET_JWT, authentication_signing_alg="HS256"
        )
        es256 = lasting_provider.a_client(
            authentication_method=SECRET_JWT, authentication_signing_alg="ES256"
        )

        assert ask(lasting_provider, hs256.assertion()).status_code == 200
        assert refused(ask(lasting_provider, es256.assertion()))


@pytest.mark.spec("RFC 8725", "2.1", "MUST")
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_public_key_is_no_secret(lasting_provider: Provider, alg: str) -> None:
    """HS256 with what everybody knows: the key as PEM, as DER, as it is published."""
    key = a_key(alg)
    service = lasting_provider.a_client(authentication_method=PRIVATE_KEY_JWT, key=key)
    public = key.private.public_key()
    claims = jwt.decode(service.assertion(), options={"verify_signature": False})
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": key.kid}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")

    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(service.client.jwks).encode(),
        json.dumps(key.jwk).encode(),
    ):
        # By hand: PyJWT refuses to make such a token.
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
            head + b"." + body, secret
        )
        token = b".".join((head, body, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()
        assert refused(ask(lasting_provider, token))
    assert ask(lasting_provider, service.assertion()).status_code == 200


class TestAudience:
    """Who an assertion is for: the issuer, and for a service that can't be changed an endpoint."""

    ELSEWHERE = "https://evil.example.org/token"

    @pytest.fixture
    def old_service(self, lasting_provider: Provider) -> Service:
        """A service that an administrator let name endpoints."""
        return lasting_provider.a_client(
            authentication_method=PRIVATE_KEY_JWT, accepts_endpoint_audience=True
        )

    @pytest.mark.spec("RFC 7523", "3", "MUST")
    @pytest.mark.parametrize(
        "audience",
        [ELSEWHERE, [ELSEWHERE], [ISSUER, ELSEWHERE], [f"{ISSUER}/token", ELSEWHERE], [], [[]], [None],
         {}, f"{ISSUER}/", f"{ISSUER}/authorize", f"{ISSUER}/revoke", f"{ISSUER}/token/", f"{ISSUER}/token?x",
         f"{ISSUER}/TOKEN", f"{ISSUER} {ISSUER}/token", ISSUER.replace("https", "http"), True, 1],
        ids=repr,
    )  # fmt: skip
    def test_audience_of_anybody_else_is_refused(
        self, lasting_provider: Provider, old_service: Service, audience: object
    ) -> None:
        """Another server's, in company or alone; another page of ours; almost ours."""
        assert refused(ask(lasting_provider, old_service.assertion(aud=audience)))

    @pytest.mark.spec("OIDC Core", "9", "SHOULD")
    @pytest.mark.parametrize(
        "audience",
        [ISSUER, [ISSUER], f"{ISSUER}/token", [f"{ISSUER}/token"], [ISSUER, f"{ISSUER}/token"]],
        ids=repr,
    )
    def test_service_that_can_not_be_changed_may_name_the_token_endpoint(
        self, lasting_provider: Provider, old_service: Service, audience: object
    ) -> None:
        """As OpenID Connect Core suggested; at whichever endpoint it calls."""
        assert ask(lasting_provider, old_service.assertion(aud=audience)).status_code == 200
        assert ask(lasting_provider, old_service.assertion(aud=audience), "/revoke").status_code == 200

    def test_it_may_name_the_endpoint_that_it_calls_and_no_other(
        self, lasting_provider: Provider, old_service: Service
    ) -> None:
        """As RFC 9126 section 2 had it for pushed requests."""
        for path, other in (("/introspect", "/revoke"), ("/revoke", "/introspect")):
            assert ask(lasting_provider, old_service.assertion(aud=ISSUER + path), path).status_code == 200
            assert refused(ask(lasting_provider, old_service.assertion(aud=ISSUER + other), path))

    @pytest.mark.parametrize("method", [PRIVATE_KEY_JWT, SECRET_JWT])
    @pytest.mark.parametrize("audience", [f"{ISSUER}/token", [ISSUER], [f"{ISSUER}/token"]], ids=repr)
    def test_others_name_the_issuer(
        self, lasting_provider: Provider, method: ClientAuthenticationMethod, audience: object
    ) -> None:
        """As one text: nothing else can't be passed on (CVE-2025-27370)."""
        service = lasting_provider.a_client(authentication_method=method)

        assert refused(ask(lasting_provider, service.assertion(aud=audience)))
        assert ask(lasting_provider, service.assertion()).status_code == 200


class TestFAPI:
    """FAPI 2.0 Security Profile 5.3.2.1 and 5.4.1: how such a client proves itself."""

    @pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
    @pytest.mark.parametrize("profile", list(Profile))
    @pytest.mark.parametrize(
        "method",
        [
            ClientAuthenticationMethod.SECRET_BASIC,
            ClientAuthenticationMethod.SECRET_POST,
            ClientAuthenticationMethod.SECRET_JWT,
            ClientAuthenticationMethod.NONE,
        ],
    )
    def test_secret_is_no_proof(
        self, lasting_provider: Provider, profile: Profile, method: ClientAuthenticationMethod
    ) -> None:
        """Right or wrong, whatever was registered before the profile."""
        service = lasting_provider.a_client(profile=profile, authentication_method=method)

        assert refused(lasting_provider.post("/token", service, **CREDENTIALS))
        assert refused(lasting_provider.post("/revoke", service, token="x"))

    @pytest.mark.spec("FAPI 2.0 Security Profile", "5.4.1", "SHALL")
    def test_algorithms_are_three(self, lasting_provider: Provider) -> None:
        """PS256, ES256, EdDSA; RS256 not even when it was registered."""
        taken = {}
        for alg in ("PS256", "ES256", "EdDSA", "RS256"):
            for registered in (None, alg):
                service = lasting_provider.a_client(
                    profile=Profile.FAPI2,
                    authentication_method=PRIVATE_KEY_JWT,
                    authentication_signing_alg=registered,
                    key=a_key(alg),
                )
                answer = ask(lasting_provider, service.assertion(), "/revoke")
                taken[alg, registered] = answer.status_code == 200

        assert {alg for (alg, _), was_taken in taken.items() if was_taken} == {"PS256", "ES256", "EdDSA"}
        assert len(set(taken.values())) == 2

    @pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
    @pytest.mark.parametrize("audience", [f"{ISSUER}/token", f"{ISSUER}/revoke", [ISSUER]], ids=repr)
    def test_audience_is_the_issuer_whatever_an_administrator_said(
        self, lasting_provider: Provider, audience: object
    ) -> None:
        """As one text."""
        service = lasting_provider.a_client(
            profile=Profile.FAPI2, authentication_method=PRIVATE_KEY_JWT, accepts_endpoint_audience=True
        )

        assert refused(ask(lasting_provider, service.assertion(aud=audience), "/revoke"))
        assert ask(lasting_provider, service.assertion(), "/revoke").status_code == 200

    @pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
    @pytest.mark.parametrize("name", ["iat", "nbf"])
    @pytest.mark.parametrize("ahead, is_taken", [(8, True), (10, True), (61, False), (3600, False)])
    def test_clock_of_the_client_may_be_ten_seconds_ahead(
        self, lasting_provider: Provider, name: str, ahead: int, *, is_taken: bool
    ) -> None:
        """And never a minute."""
        service = lasting_provider.a_client(profile=Profile.FAPI2, authentication_method=PRIVATE_KEY_JWT)
        moment = int(lasting_provider.clock().timestamp()) + ahead

        answer = ask(lasting_provider, service.assertion(**{name: moment}), "/revoke")

        assert (answer.status_code == 200) is is_taken


class Site:
    """A service's site, which publishes its keys."""

    def __init__(self, *keys: Any) -> None:
        self.document: object = jwks(*keys)
        self.status = "200 OK"
        self.headers = [("Content-Type", "application/octet-stream")]
        self.asked = 0

    def __call__(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the keys."""
        self.asked += 1
        start_response(self.status, self.headers)
        return [json.dumps(self.document).encode()]


class TestPublishedKeys:
    """Keys at the client's `jwks_uri` (OIDC Core 10.1.1; RFC 7523 section 3)."""

    @pytest.fixture
    def open_provider(self, database: Database, clock: SettableClock) -> Provider:
        """A provider that fetches from this machine."""
        return a_provider(database, clock, outbound={"allow_private_networks": True})

    @pytest.fixture
    def site(self) -> Site:
        """A site without a key yet."""
        return Site()

    @pytest.fixture
    def service(
        self, open_provider: Provider, site: Site, serve: Callable[[WSGIApplication], str]
    ) -> Service:
        """A service whose one key that site publishes."""
        service = open_provider.a_client(
            authentication_method=PRIVATE_KEY_JWT, jwks_uri=f"{serve(site)}/jwks.json"
        )
        assert service.key is not None
        site.document = jwks(service.key)
        return service

    def test_published_key_is_fetched_once(
        self, open_provider: Provider, service: Service, site: Site
    ) -> None:
        """And kept; whatever media type the site says."""
        answers = [ask(open_provider, service.assertion()) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200] * 3
        assert site.asked == 1

    @pytest.mark.spec("OIDC Core", "10.1.1", "MUST")
    def test_service_that_changes_its_keys_is_not_turned_away(
        self, open_provider: Provider, service: Service, site: Site, clock: SettableClock
    ) -> None:
        """The new key is found at once; the old one is nobody's when it is gone."""
        renewed = replace(service, key=a_key(kid="renewed"))
        assert ask(open_provider, service.assertion()).status_code == 200

        site.document = jwks(renewed.key)

        assert ask(open_provider, renewed.assertion()).status_code == 200
        assert refused(ask(open_provider, service.assertion()))
        site.document = jwks(service.key)
        clock.advance(minutes=5)
        assert refused(ask(open_provider, renewed.assertion()))

    def test_invented_kids_do_not_make_us_hammer_the_site(
        self, open_provider: Provider, service: Service, site: Site
    ) -> None:
        """Anybody can name a key that is not there."""
        other = replace(service, key=a_key())
        answers = [
            ask(open_provider, other.assertion(header={"kid": f"invented-{number}"})) for number in range(20)
        ]

        assert all(refused(answer) for answer in answers)
        assert site.asked <= 5

    def test_forged_algorithm_makes_us_fetch_nothing(
        self, open_provider: Provider, service: Service, site: Site
    ) -> None:
        """No key could verify it."""
        claims = jwt.decode(service.assertion(), options={"verify_signature": False})

        assert refused(ask(open_provider, jwt.encode(claims, "0" * 64, "HS256", headers={"kid": "x"})))
        assert site.asked == 0

    def test_site_that_answers_badly_is_no_proof(
        self, open_provider: Provider, service: Service, site: Site
    ) -> None:
        """A redirect, an error, a page; and the same refusal as ever."""
        site.status, site.headers = "302 Found", [("Location", "https://evil.example.org/jwks.json")]

        assert refused(ask(open_provider, service.assertion()))
        assert site.asked == 1

    def test_site_that_is_away_does_not_lock_out_whoever_was_known(
        self, open_provider: Provider, service: Service, site: Site, clock: SettableClock
    ) -> None:
        """The last keys serve for a while."""
        assert ask(open_provider, service.assertion()).status_code == 200
        site.status = "503 Service Unavailable"
        clock.advance(minutes=10)

        assert ask(open_provider, service.assertion()).status_code == 200
        assert site.asked == 2

    @pytest.mark.parametrize(
        "address",
        [
            "https://169.254.169.254/latest/meta-data/",
            "https://127.0.0.1/jwks.json",
            "https://[::1]/jwks.json",
            "https://localhost:5432/",
            "http://localhost/jwks.json",
        ],
    )
    def test_address_inside_our_network_is_not_asked(self, lasting_provider: Provider, address: str) -> None:
        """A registration does not make us knock at our own doors (S-149)."""
        service = lasting_provider.a_client(authentication_method=PRIVATE_KEY_JWT, jwks_uri=address)

        assert refused(ask(lasting_provider, service.assertion()))

    def test_client_without_any_key_is_refused(self, lasting_provider: Provider) -> None:
        """Nothing registered, nothing proven."""
        service = lasting_provider.a_client(authentication_method=PRIVATE_KEY_JWT, jwks=None)

        assert refused(ask(lasting_provider, service.assertion()))


def test_type_of_the_assertion_is_exact(lasting_provider: Provider) -> None:
    """Another type, none, or a type without its assertion."""
    service = lasting_provider.a_client(authentication_method=PRIVATE_KEY_JWT)
    public = lasting_provider.a_client(is_public=True)

    answers = [
        ask(lasting_provider, service.assertion(), client_assertion_type=given)
        for given in ("", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", ASSERTION_TYPE.upper())
    ]
    answers.append(ask(lasting_provider, "", client_id=public.client_id))

    assert [refused(answer) for answer in answers] == [True] * len(answers)
