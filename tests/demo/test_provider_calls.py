"""What Mon Paris asks of a service by itself: begin a login, end a session; and what a service must refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jws
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.demo.parking import ParkingSettings, create_app
from idp.demo.provider_calls import BACK_CHANNEL, FRONT_CHANNEL, INITIATE
from tests.demo.provider import (
    ABSENT,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    LOGOUT_EVENT,
    FakeProvider,
    parameters,
)

pytestmark = pytest.mark.rule("CON-9", "OID-6")

BASE_URL = "http://parking.test"


@dataclass
class Parking:
    """The parking service, its provider, and a browser."""

    folder: Path
    provider: FakeProvider = field(default_factory=FakeProvider)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Start the service."""
        self.app = create_app(
            ParkingSettings(
                issuer=ISSUER,
                base_url=BASE_URL,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                data_dir=self.folder,
                mon_paris_account_url="http://provider.test/compte",
                clock=lambda: self.provider.now,
                send=self.provider.send,
            )
        )
        self.browser = self.app.test_client()

    def get(self, path: str, **query: str) -> TestResponse:
        """Open a page."""
        return self.browser.get(path, query_string=query, base_url=BASE_URL)

    def sign_in(self) -> None:
        """Go through a login."""
        callback = self.provider.go(self.get("/connexion").headers["Location"])
        assert self.browser.get(callback.removeprefix(BASE_URL), base_url=BASE_URL).status_code == 303

    def is_signed_in(self) -> bool:
        """Tell whether the space opens."""
        return self.get("/espace").status_code == 200

    def tell(self, *tokens: str) -> int:
        """Post logout tokens; gives back the status."""
        answer = self.app.test_client().post(
            BACK_CHANNEL, data={"logout_token": list(tokens)}, base_url=BASE_URL
        )
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code


@pytest.fixture
def parking(tmp_path: Path) -> Parking:
    """The service, with somebody signed in."""
    started = Parking(tmp_path)
    started.sign_in()
    return started


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("of another issuer", {"iss": "https://evil.example"}),
    ("for another service", {"aud": "other"}),
    ("for us and others", {"aud": [CLIENT_ID, "other"]}),
    ("expired", {"exp": 1}),
    ("without an end", {"exp": ABSENT}),
    ("of the future", {"iat": 4_000_000_000}),
    ("without a date", {"iat": ABSENT}),
    ("without jti", {"jti": ABSENT}),
    ("with an empty jti", {"jti": ""}),
    ("without events", {"events": ABSENT}),
    ("of another event", {"events": {"http://schemas.openid.net/event/other": {}}}),
    ("whose event is no object", {"events": {LOGOUT_EVENT: True}}),
    ("whose events are a list", {"events": [LOGOUT_EVENT]}),
    ("with a nonce", {"nonce": "n"}),
    ("of nobody", {"sub": ABSENT, "sid": ABSENT}),
    ("whose sid is a number", {"sid": 1}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in WRONG], ids=[name for name, _ in WRONG])
def test_logout_token_that_is_wrong_ends_nothing(parking: Parking, changes: dict[str, Any]) -> None:
    """Each check of Back-Channel Logout 2.6 by itself."""
    assert parking.tell(parking.provider.logout_token(**changes)) == 400
    assert parking.is_signed_in()


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", ABSENT], ids=["an ID token's", "an access token's", "none"])
def test_token_of_another_type_ends_nothing(parking: Parking, typ: object) -> None:
    """No other token of the provider passes for a logout token."""
    parking.provider.header_changes = {"typ": typ}

    assert parking.tell(parking.provider.logout_token()) == 400
    assert parking.is_signed_in()


def test_token_that_the_provider_did_not_sign_ends_nothing(parking: Parking) -> None:
    """Another key, no signature, a shared secret."""
    genuine = parking.provider.logout_token()
    stranger = ECKey.generate_key("P-256")
    header = jws.extract_compact(genuine.encode()).headers()
    payload = jws.extract_compact(genuine.encode()).payload
    forged = jws.serialize_compact(header, payload, stranger, algorithms=["ES256"])
    parking.provider.header_changes = {"alg": "none"}
    unsigned = parking.provider.logout_token()
    parking.provider.header_changes = {"alg": "HS256"}
    symmetric = parking.provider.logout_token()

    assert [parking.tell(token) for token in (forged, unsigned, symmetric, "x", "a.b.c", "")] == [400] * 6
    assert parking.is_signed_in()


def test_two_logout_tokens_at_once_are_refused(parking: Parking) -> None:
    """Of two values neither is believed."""
    provider = parking.provider

    assert parking.tell(provider.logout_token(), provider.logout_token()) == 400
    assert parking.tell() == 400
    assert parking.is_signed_in()


@pytest.mark.parametrize(
    "named", [{}, {"sub": ABSENT}, {"sid": ABSENT}], ids=["both", "sid alone", "sub alone"]
)
def test_logout_token_ends_the_session_that_it_names(parking: Parking, named: dict[str, Any]) -> None:
    """By session, by person, or both (Back-Channel Logout 2.6)."""
    assert parking.tell(parking.provider.logout_token(**named)) == 200

    assert not parking.is_signed_in()


@pytest.mark.parametrize(
    "named", [{"sid": "sid-2"}, {"sub": "subject-2"}, {"sub": "subject-2", "sid": ABSENT}]
)
def test_logout_token_of_another_session_or_person_ends_nothing_here(
    parking: Parking, named: dict[str, Any]
) -> None:
    """Nothing to end is a success all the same: it is not here any more."""
    assert parking.tell(parking.provider.logout_token(**named)) == 200

    assert parking.is_signed_in()


def test_logout_token_is_taken_once(parking: Parking) -> None:
    """Whoever repeats one does not end the next session with it."""
    token = parking.provider.logout_token()
    assert parking.tell(token) == 200
    parking.sign_in()

    assert parking.tell(token) == 400
    assert parking.is_signed_in()


def test_used_logout_tokens_are_forgotten_with_their_time(parking: Parking) -> None:
    """What would be refused for its age needs no memory."""
    token = parking.provider.logout_token()
    parking.tell(token)
    parking.provider.now += timedelta(minutes=5)

    assert parking.tell(token) == 400
    assert parking.tell(parking.provider.logout_token()) == 200


def test_service_that_can_not_have_the_keys_asks_to_be_told_again(tmp_path: Path) -> None:
    """503, so that the provider tries later."""
    parking = Parking(tmp_path)
    token = parking.provider.logout_token()
    parking.provider.down = True

    assert parking.tell(token) == 503


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"iss": ISSUER},
        {"sid": "sid-1"},
        {"iss": "https://evil.example", "sid": "sid-1"},
        {"iss": ISSUER, "sid": "x"},
    ],
    ids=["nothing", "no session", "no issuer", "another issuer", "another session"],
)
def test_frame_that_names_another_session_ends_nothing(parking: Parking, query: dict[str, str]) -> None:
    """Front-Channel Logout 3: an image on any page must not sign people out."""
    assert parking.get(FRONT_CHANNEL, **query).status_code == 200

    assert parking.is_signed_in()


def test_frame_ends_the_session_of_this_browser(parking: Parking) -> None:
    """And only the provider's pages may show it."""
    answer = parking.get(FRONT_CHANNEL, iss=ISSUER, sid="sid-1")

    assert "frame-ancestors http://provider.test" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert not parking.is_signed_in()


@pytest.mark.parametrize("issuers", [[], [""], ["https://evil.example"], [ISSUER, ISSUER], [ISSUER + "/"]])
def test_login_for_another_provider_is_not_begun(parking: Parking, issuers: list[str]) -> None:
    """OIDC Core 4: only with whom we are registered."""
    answer = parking.browser.get(INITIATE, query_string={"iss": issuers}, base_url=BASE_URL)

    assert answer.status_code == 400
    assert "ne vient pas de Mon Paris" in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_login_begins_at_the_providers_wish(tmp_path: Path, method: str) -> None:
    """By GET and by POST; the hint goes along, and the page that was wanted comes after."""
    parking = Parking(tmp_path)
    given = {"iss": ISSUER, "login_hint": "zoe@example.org", "target_link_uri": f"{BASE_URL}/demande"}
    sent = {"query_string": given} if method == "GET" else {"data": given}

    answer = parking.browser.open(INITIATE, method=method, base_url=BASE_URL, **sent)  # type: ignore[arg-type] # one of two
    asked = parameters(answer.headers["Location"])
    callback = parking.provider.go(answer.headers["Location"])
    end = parking.browser.get(callback.removeprefix(BASE_URL), base_url=BASE_URL)

    assert answer.status_code == 303
    assert asked["login_hint"] == "zoe@example.org"
    assert end.headers["Location"] == "/demande"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "http://parking.test.evil.example/", "javascript:alert(1)",
     "http://parking.test@evil.example/", "http://[", "/\\\\evil.example", BASE_URL, f"{BASE_URL}/",
     f"{BASE_URL}//evil.example"],
)  # fmt: skip
def test_login_never_ends_elsewhere(tmp_path: Path, target: str) -> None:
    """OIDC Core 4: "verify the value of the target_link_uri to prevent being used as an open redirector"."""
    parking = Parking(tmp_path)

    answer = parking.get(INITIATE, iss=ISSUER, target_link_uri=target)
    callback = parking.provider.go(answer.headers["Location"])
    end = parking.browser.get(callback.removeprefix(BASE_URL), base_url=BASE_URL)

    assert end.headers["Location"] == "/espace"
