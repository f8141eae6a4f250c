"""Services that prove themselves by the certificate of their connection (RFC 8705 section 2; OID-4)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import CertificateSubject, ClientAuthenticationMethod, Profile
from idp.storage.engine import open_database
from tests.support.client_keys import Authority, a_key, public_jwk, self_signed
from tests.support.clock import SettableClock
from tests.support.provider import BEHIND_TLS, Service, a_provider, basic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.client_keys import ClientCertificate
    from tests.support.databases import Databases
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OID-4")

CREDENTIALS = {"grant_type": "client_credentials"}
TLS = ClientAuthenticationMethod.TLS
SELF_SIGNED_TLS = ClientAuthenticationMethod.SELF_SIGNED_TLS
AUTHORITY = Authority()
STRANGER = Authority()
SUBJECT = "subject_dn"


def sections(folder: Path) -> dict[str, dict[str, Any]]:
    """Write settings: behind a proxy of ours that asks for certificates, with one authority known."""
    bundle = folder / "authorities.pem"
    bundle.write_text(AUTHORITY.pem)
    return BEHIND_TLS | {"mutual_tls": BEHIND_TLS["mutual_tls"] | {"ca_bundle": str(bundle)}}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def behind_tls(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """One such provider on each kind of database, whose clock stands still."""
    with databases.new(request.param) as url:
        opened = open_database(url)
        yield a_provider(opened, SettableClock(), **sections(tmp_path_factory.mktemp("tls")))
        opened.dispose()


def ask(provider: Provider, service: Service, path: str = "/token", **changes: str) -> TestResponse:
    """Ask as a service does."""
    return provider.post(path, service, **(CREDENTIALS | {"token": "x"} | changes))


def showing(service: Service, certificate: ClientCertificate | None) -> Service:
    """Give a service another certificate than its own."""
    return replace(service, certificate=certificate)


def refused(answer: TestResponse) -> bool:
    """Tell whether an answer says that the client is not who it claims to be, and no more."""
    return answer.status_code == 401 and answer.json == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }


class TestIssued:
    """tls_client_auth: an authority vouches for the one registered name."""

    @pytest.mark.spec("RFC 8705", "2.1", "MUST")
    @pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
    def test_certificate_with_the_registered_subject_is_taken_at_each_endpoint(
        self, behind_tls: Provider, path: str
    ) -> None:
        """With the client_id, and nothing else; as often as the connection is used."""
        service = behind_tls.a_client(authentication_method=TLS, certificate=AUTHORITY.issue())

        assert [ask(behind_tls, service, path).status_code for _ in range(2)] == [200, 200]

    @pytest.mark.spec("RFC 8705", "2.1", "MUST")
    def test_certificate_of_anybody_else_is_refused(self, behind_tls: Provider) -> None:
        """None, another subject, another authority, nobody's word, an authority's own, another client's."""
        service = behind_tls.a_client(authentication_method=TLS, certificate=AUTHORITY.issue("parking"))
        other = behind_tls.a_client(authentication_method=TLS, certificate=AUTHORITY.issue("swimming"))

        answers = [
            ask(behind_tls, showing(service, certificate))
            for certificate in (
                None,
                other.certificate,
                AUTHORITY.issue("Parking of somebody"),
                STRANGER.issue("parking"),
                self_signed("parking"),
            )
        ]
        answers.append(ask(behind_tls, service, client_id=other.client_id))

        assert [refused(answer) for answer in answers] == [True] * len(answers)
        assert ask(behind_tls, service).status_code == 200

    @pytest.mark.parametrize(
        "since, until", [(-90, -1), (1, 90)], ids=["it has expired", "it is not valid yet"]
    )
    def test_certificate_outside_its_dates_is_refused(
        self, behind_tls: Provider, since: int, until: int
    ) -> None:
        """The proxy may have looked, or not: we do."""
        now = behind_tls.clock()
        certificate = AUTHORITY.issue(since=now + timedelta(days=since), until=now + timedelta(days=until))
        service = behind_tls.a_client(authentication_method=TLS, certificate=certificate)

        assert refused(ask(behind_tls, service))

    def test_certificate_ends_while_we_run(
        self, database: Database, clock: SettableClock, tmp_path: Path
    ) -> None:
        """Nothing about it is remembered."""
        provider = a_provider(database, clock, **sections(tmp_path))
        until = clock() + timedelta(hours=1)
        service = provider.a_client(authentication_method=TLS, certificate=AUTHORITY.issue(until=until))

        assert ask(provider, service).status_code == 200
        clock.advance(hours=1, seconds=1)
        assert refused(ask(provider, service))

    @pytest.mark.spec("RFC 8705", "2.1.2", "MUST")
    @pytest.mark.parametrize(
        "kind, value, other",
        [
            ("san_dns", "Parking.example.org", "example.org"),
            ("san_uri", "urn:ville:parking", "urn:ville:Parking"),
            ("san_ip", "2001:db8:0::7", "2001:db8::8"),
            ("san_email", "tls@Parking.example.org", "TLS@parking.example.org"),
            (SUBJECT, "cn=parking,o=ville de  test,c=FR", "CN=parking,O=Ville de test"),
        ],
    )
    def test_one_registered_name_decides(
        self, behind_tls: Provider, kind: str, value: str, other: str
    ) -> None:
        """Compared as its kind is; a name of another kind does not help."""
        names = {"dns": "parking.example.org", "uri": "urn:ville:parking", "ip": "2001:db8::7"}
        certificate = AUTHORITY.issue("parking", names=names | {"email": "tls@parking.example.org"})
        right, wrong = (
            behind_tls.a_client(
                authentication_method=TLS,
                certificate=certificate,
                certificate_subject=CertificateSubject(kind, name),
            )
            for name in (value, other)
        )

        assert ask(behind_tls, right).status_code == 200
        assert refused(ask(behind_tls, wrong))

    @pytest.mark.parametrize(
        "subject",
        [None, CertificateSubject(SUBJECT, ""), CertificateSubject("unknown", "parking")],
        ids=["none", "empty", "of an unknown kind"],
    )
    def test_client_without_a_name_is_nobody(
        self, behind_tls: Provider, subject: CertificateSubject | None
    ) -> None:
        """A registration that says too little lets nobody in."""
        service = behind_tls.a_client(
            authentication_method=TLS, certificate=AUTHORITY.issue(), certificate_subject=subject
        )

        assert refused(ask(behind_tls, service))

    def test_without_authorities_nobody_is_trusted_unless_the_proxy_is(
        self, database: Database, clock: SettableClock
    ) -> None:
        """`verified_by_proxy` is the administrator's word that the proxy has checked; dates and name are ours."""
        alone = a_provider(database, clock, **BEHIND_TLS)
        trusting = a_provider(
            database,
            clock,
            **(BEHIND_TLS | {"mutual_tls": BEHIND_TLS["mutual_tls"] | {"verified_by_proxy": True}}),
        )
        service = alone.a_client(authentication_method=TLS, certificate=STRANGER.issue())
        expired = STRANGER.issue(until=clock() - timedelta(hours=1))

        assert refused(ask(alone, service))
        assert ask(trusting, service).status_code == 200
        assert refused(ask(trusting, showing(service, STRANGER.issue("somebody"))))
        assert refused(ask(trusting, showing(service, expired)))


class TestSelfSigned:
    """self_signed_tls_client_auth: the certificate, or its key, is registered itself."""

    @pytest.mark.spec("RFC 8705", "2.2", "MUST")
    @pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
    @pytest.mark.parametrize("by", ["certificate", "key"])
    def test_registered_certificate_or_key_is_taken(self, behind_tls: Provider, alg: str, by: str) -> None:
        """By `x5c`, or as a bare public key."""
        certificate = self_signed(key=a_key(alg).private)
        jwk = certificate.jwk if by == "certificate" else public_jwk(certificate.private)
        service = behind_tls.a_client(
            authentication_method=SELF_SIGNED_TLS, certificate=certificate, jwks={"keys": [jwk]}
        )

        assert ask(behind_tls, service).status_code == 200

    @pytest.mark.spec("RFC 8705", "2.2", "MUST")
    def test_certificate_that_is_not_registered_is_refused(self, behind_tls: Provider) -> None:
        """None, another with the same names, another client's, one that our authority issued."""
        service = behind_tls.a_client(authentication_method=SELF_SIGNED_TLS)
        other = behind_tls.a_client(authentication_method=SELF_SIGNED_TLS)

        answers = [
            ask(behind_tls, showing(service, certificate))
            for certificate in (None, self_signed(service.client_id), other.certificate, AUTHORITY.issue())
        ]

        assert [refused(answer) for answer in answers] == [True] * len(answers)
        assert ask(behind_tls, service).status_code == 200

    def test_same_key_in_another_certificate_is_not_the_registered_certificate(
        self, behind_tls: Provider
    ) -> None:
        """With `x5c`, that very certificate was registered."""
        service = behind_tls.a_client(authentication_method=SELF_SIGNED_TLS)
        assert service.certificate is not None
        renewed = self_signed(service.client_id, key=service.certificate.private)

        assert refused(ask(behind_tls, showing(service, renewed)))

    def test_expired_certificate_is_refused(self, behind_tls: Provider) -> None:
        """A proxy that lets self-signed certificates through looks at no dates."""
        certificate = self_signed(until=behind_tls.clock() - timedelta(seconds=1))
        service = behind_tls.a_client(authentication_method=SELF_SIGNED_TLS, certificate=certificate)

        assert refused(ask(behind_tls, service))

    def test_word_of_the_proxy_does_not_stand_for_the_registration(
        self, database: Database, clock: SettableClock
    ) -> None:
        """What a proxy verifies is who issued, not whose it is."""
        trusting = BEHIND_TLS | {"mutual_tls": BEHIND_TLS["mutual_tls"] | {"verified_by_proxy": True}}
        provider = a_provider(database, clock, **trusting)
        service = provider.a_client(authentication_method=SELF_SIGNED_TLS)

        assert refused(ask(provider, showing(service, self_signed(service.client_id))))

    def test_client_that_changes_its_certificate_is_not_turned_away(
        self, database: Database, clock: SettableClock, serve: Callable[[WSGIApplication], str]
    ) -> None:
        """The new one is found at the `jwks_uri` at once; the old one is nobody's when it is gone."""
        old, new = self_signed(), self_signed()
        published: list[dict[str, Any]] = [old.jwk]

        def site(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "application/jwk-set+json")])
            return [json.dumps({"keys": published}).encode()]

        provider = a_provider(database, clock, outbound={"allow_private_networks": True}, **BEHIND_TLS)
        service = provider.a_client(
            authentication_method=SELF_SIGNED_TLS, certificate=old, jwks_uri=f"{serve(site)}/jwks.json"
        )

        assert ask(provider, service).status_code == 200
        published[:] = [new.jwk]
        assert ask(provider, showing(service, new)).status_code == 200
        assert refused(ask(provider, service))


class TestHeader:
    """How the proxy hands a certificate over, and who may (RFC 9440 section 4)."""

    @pytest.fixture
    def certificate(self) -> ClientCertificate:
        """A certificate of our authority."""
        return AUTHORITY.issue()

    def post(self, provider: Provider, service: Service, *, peer: str = "127.0.0.1", **headers: str) -> int:
        """Ask with headers of one's own, from an address."""
        answer = provider.back_channel.post(
            "/token",
            data={**CREDENTIALS, "client_id": service.client_id},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            environ_overrides={"REMOTE_ADDR": peer},
        )
        assert answer.status_code == 200 or refused(answer)
        return answer.status_code

    def test_each_way_of_writing_it_is_read(
        self, behind_tls: Provider, certificate: ClientCertificate
    ) -> None:
        """Client-Cert, nginx's escaped PEM, PEM on one line, base64 alone."""
        service = behind_tls.a_client(authentication_method=TLS, certificate=certificate)
        ways = [
            certificate.client_cert,
            certificate.escaped,
            certificate.pem.replace("\n", " "),
            certificate.pem.replace("\n", "\t"),
            base64.b64encode(certificate.der).decode(),
        ]

        assert [self.post(behind_tls, service, Client_Cert=way) for way in ways] == [200] * len(ways)

    def test_what_is_no_certificate_is_none(
        self, behind_tls: Provider, certificate: ClientCertificate
    ) -> None:
        """Refused as any other, and no 500; a client that needs none is not hindered."""
        service = behind_tls.a_client(authentication_method=TLS, certificate=certificate)
        plain = behind_tls.a_client()
        good = certificate.client_cert
        torn = [
            "", ":", "::", "%", "(null)", "é", ":Zm9v:", good[:-9], f"{good}, {good}", f"{good},{good}",
            certificate.escaped + certificate.escaped, certificate.pem.replace("\n", "  ") * 2,
            ":" + base64.b64encode(certificate.der * 2).decode() + ":", "A" * 8_000,
        ]  # fmt: skip

        assert [self.post(behind_tls, service, Client_Cert=value) for value in torn] == [401] * len(torn)
        authorization = basic(plain.client_id, plain.secret)
        answer = behind_tls.back_channel.post(
            "/token", data=CREDENTIALS, headers={"Client-Cert": "torn", "Authorization": authorization}
        )
        assert answer.status_code == 200

    @pytest.mark.spec("RFC 9440", "4", "MUST")
    def test_certificate_from_anybody_else_is_not_believed(
        self, behind_tls: Provider, certificate: ClientCertificate
    ) -> None:
        """From another address, or in another header."""
        service = behind_tls.a_client(authentication_method=TLS, certificate=certificate)
        good = certificate.client_cert

        assert self.post(behind_tls, service, Client_Cert=good) == 200
        assert self.post(behind_tls, service, peer="203.0.113.9", Client_Cert=good) == 401
        for header in ("X_SSL_Cert", "X_Client_Cert", "X_Forwarded_Client_Cert", "SSL_Client_Cert"):
            assert self.post(behind_tls, service, **{header: good}) == 401

    def test_where_certificates_are_off_none_is_believed(
        self, lasting_provider: Provider, certificate: ClientCertificate
    ) -> None:
        """Whoever sends it."""
        service = lasting_provider.a_client(authentication_method=TLS, certificate=certificate)

        assert self.post(lasting_provider, service, Client_Cert=certificate.client_cert) == 401


@pytest.fixture
def methods(behind_tls: Provider) -> dict[ClientAuthenticationMethod, Service]:
    """A service of each method, all with one certificate."""
    certificate = AUTHORITY.issue()
    return {
        method: behind_tls.a_client(authentication_method=method, certificate=certificate)
        for method in ClientAuthenticationMethod
    }


@pytest.mark.spec("OIDC Core", "9", "MUST")
def test_each_method_opens_for_those_who_registered_it_and_for_nobody_else(
    behind_tls: Provider, methods: dict[ClientAuthenticationMethod, Service]
) -> None:
    """Forty-nine pairs: how one is registered, how another would prove itself in its name."""
    taken = set()
    for registered, service in methods.items():
        for used in ClientAuthenticationMethod:
            posing = replace(
                service,
                client=replace(service.client, authentication_method=used),
                secret=service.secret or "x" * 53,
                key=service.key if used is ClientAuthenticationMethod.PRIVATE_KEY_JWT else None,
                certificate=service.certificate
                if used in {ClientAuthenticationMethod.TLS, ClientAuthenticationMethod.SELF_SIGNED_TLS}
                else None,
            )
            if used is ClientAuthenticationMethod.PRIVATE_KEY_JWT and posing.key is None:
                posing = replace(posing, key=a_key())
            if ask(behind_tls, posing, "/revoke").status_code == 200:
                taken.add((registered, used))

    by_certificate = {ClientAuthenticationMethod.TLS, ClientAuthenticationMethod.SELF_SIGNED_TLS}
    expected = {(method, method) for method in ClientAuthenticationMethod}
    # A certificate is shown by the connection: the request of the two methods is one, and that of a public client too.
    expected |= {(one, other) for one in by_certificate for other in by_certificate}
    expected |= {(ClientAuthenticationMethod.NONE, method) for method in by_certificate}
    assert taken == expected


def test_certificate_does_not_stand_for_a_secret_that_is_wrong(
    behind_tls: Provider, methods: dict[ClientAuthenticationMethod, Service]
) -> None:
    """Two methods at once are one too many."""
    service = methods[TLS]
    assertion = {"client_assertion": "x.y.z", "client_assertion_type": "x"}

    answers = [
        ask(behind_tls, service, client_secret="wrong"),
        ask(behind_tls, service, **assertion),
        behind_tls.back_channel.post(
            "/token",
            data=CREDENTIALS,
            headers={
                "Client-Cert": service.certificate.client_cert if service.certificate else "",
                "Authorization": basic(service.client_id, "wrong"),
            },
        ),
    ]

    assert [refused(answer) for answer in answers] == [True] * len(answers)


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
@pytest.mark.parametrize("method", [TLS, SELF_SIGNED_TLS])
def test_certificate_is_a_proof_under_fapi(behind_tls: Provider, method: ClientAuthenticationMethod) -> None:
    """One of the two kinds of proof that the profile has."""
    service = behind_tls.a_client(
        profile=Profile.FAPI2, authentication_method=method, certificate=AUTHORITY.issue()
    )

    assert ask(behind_tls, service, "/revoke").status_code == 200
    assert refused(ask(behind_tls, showing(service, None), "/revoke"))
