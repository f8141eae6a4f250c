"""The demonstration services take security events, act on each once, and refuse what is none (RFC 8935 section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.demo import provider_documents
from idp.demo.events import ACCOUNT_PURGED, EVENTS
from idp.demo.parking import ParkingSettings, create_app
from tests.demo.provider import ABSENT, CLIENT_ID, CLIENT_SECRET, ISSUER, FakeProvider

pytestmark = pytest.mark.rule("LIF-4")

BASE_URL = "http://parking.test"
PURPOSE_CHANGED = f"{ISSUER}/events/purpose-changed"
MEDIA_TYPE = "application/secevent+jwt"


@dataclass
class Parking:
    """The parking service, its provider, and a resident who is signed in."""

    folder: Path
    provider: FakeProvider = field(default_factory=FakeProvider)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Start the service, and sign in."""
        app = create_app(
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
        self.browser = app.test_client()
        self.sign_in()

    def sign_in(self) -> None:
        """Go the whole way to the space."""
        answer = self.get("/connexion")
        self.get(self.provider.go(answer.headers["Location"]))

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.browser.get(path, base_url=BASE_URL)

    def tell(self, token: str, media_type: str = MEDIA_TYPE) -> TestResponse:
        """Push an event, as Mon Paris does."""
        return self.browser.post(EVENTS, data=token, content_type=media_type, base_url=BASE_URL)

    def pay(self) -> None:
        """Change a row, so that it differs from the sample."""
        page = self.get("/espace").text
        found = re.search(r"/droits/(\d+)/paiement", page)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None
        assert csrf is not None
        paid = self.browser.post(f"/droits/{found[1]}/paiement", data={"csrf": csrf[1]}, base_url=BASE_URL)
        assert paid.status_code == 303

    def is_as_it_was(self) -> bool:
        """Tell whether the changed row is still there, and its owner signed in."""
        page = self.get("/espace")
        return page.status_code == 200 and "/paiement" not in page.text


@pytest.fixture
def parking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parking:
    """The service, where the resident has paid for a right."""
    monkeypatch.setattr(provider_documents, "DISCOVERY_PAUSE_SECONDS", 0)
    made = Parking(tmp_path)
    made.pay()
    return made


@pytest.mark.spec("RFC 8935", "2.3", "MUST")
@pytest.mark.parametrize(
    "changes, err",
    [
        ({"iss": "http://other.test"}, "invalid_issuer"),
        ({"aud": "explorateurs"}, "invalid_audience"),
        ({"aud": ABSENT}, "invalid_audience"),
        ({"jti": ABSENT}, "invalid_request"),
        ({"iat": ABSENT}, "invalid_request"),
        ({"iat": 9_999_999_999}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": [ACCOUNT_PURGED]}, "invalid_request"),
        ({"events": {ACCOUNT_PURGED: None}}, "invalid_request"),
        ({"sub_id": ABSENT}, "invalid_request"),
        ({"sub_id": {"format": "email", "email": "zoe@example.org"}}, "invalid_request"),
        (
            {"sub_id": {"format": "iss_sub", "iss": "http://other.test", "sub": "subject-1"}},
            "invalid_request",
        ),
        ({"sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": ""}}, "invalid_request"),
        ({"typ": "JWT"}, "invalid_request"),
        ({"typ": "logout+jwt"}, "invalid_request"),
    ],
    ids=[
        "issuer",
        "audience",
        "no-audience",
        "no-jti",
        "no-date",
        "future",
        "no-event",
        "list",
        "no-details",
        "nobody",
        "email",
        "subject-of-another",
        "empty-subject",
        "id-token-type",
        "logout-type",
    ],
)
def test_token_that_is_no_event_for_us_is_refused(
    parking: Parking, changes: dict[str, Any], err: str
) -> None:
    """Another issuer's, another service's, of another type, of nobody: nothing is erased."""
    answer = parking.tell(parking.provider.event_token(ACCOUNT_PURGED, **changes))

    assert (answer.status_code, answer.json["err"]) == (400, err)  # type: ignore[index]
    assert parking.is_as_it_was()


@pytest.mark.spec("RFC 8417", "2", "MUST")
def test_token_with_a_wrong_signature_is_refused(parking: Parking) -> None:
    """Anybody can reach the address."""
    parking.provider.sign_with_wrong_key = True

    answer = parking.tell(parking.provider.event_token(ACCOUNT_PURGED))

    assert (answer.status_code, answer.json["err"]) == (400, "invalid_request")  # type: ignore[index]
    assert parking.is_as_it_was()


@pytest.mark.parametrize(
    "token, media_type",
    [
        ("", MEDIA_TYPE),
        ("x.y.z", MEDIA_TYPE),
        ("é" * 100, MEDIA_TYPE),
        ("x" * 20_000, MEDIA_TYPE),
        ("logout_token=x", "application/x-www-form-urlencoded"),
    ],
    ids=["empty", "no-jwt", "no-ascii", "too-large", "form"],
)
@pytest.mark.spec("RFC 8935", "2.3", "MUST")
def test_body_that_is_no_token_is_refused(parking: Parking, token: str, media_type: str) -> None:
    """With JSON that says so."""
    answer = parking.tell(token, media_type)

    assert (answer.status_code, answer.json["err"]) == (400, "invalid_request")  # type: ignore[index]
    assert parking.is_as_it_was()


@pytest.mark.spec("RFC 8935", "2.4", "MAY")
def test_key_that_is_not_known_yet_may_be_known_later(parking: Parking) -> None:
    """The refusal says that it is the key, so that the event is told again."""
    parking.provider.kid = "unpublished"
    token = parking.provider.event_token(ACCOUNT_PURGED)
    parking.provider.kid = "first"

    answer = parking.tell(token)

    assert (answer.status_code, answer.json["err"]) == (400, "invalid_key")  # type: ignore[index]


def test_event_during_an_outage_is_asked_again(parking: Parking) -> None:
    """Without the provider's keys nothing can be said of it."""
    token = parking.provider.event_token(ACCOUNT_PURGED)
    parking.provider.now = parking.provider.now.replace(hour=23)
    parking.provider.down = True

    assert parking.tell(token).status_code == 503


@pytest.mark.spec("RFC 8935", "2.2", "SHALL")
def test_purged_account_is_erased_here_too_once(parking: Parking) -> None:
    """Rows and session go; the same event again is acknowledged and erases nothing more."""
    token = parking.provider.event_token(ACCOUNT_PURGED)

    told = parking.tell(token)

    assert (told.status_code, told.data) == (202, b"")
    assert parking.get("/espace").status_code == 303
    parking.sign_in()
    assert not parking.is_as_it_was()
    parking.pay()
    assert parking.tell(token).status_code == 202
    assert parking.is_as_it_was()


def test_account_of_somebody_else_leaves_ours_alone(parking: Parking) -> None:
    """The subject decides."""
    who = {"format": "iss_sub", "iss": ISSUER, "sub": "subject-2"}

    assert parking.tell(parking.provider.event_token(ACCOUNT_PURGED, sub_id=who)).status_code == 202
    assert parking.is_as_it_was()


@pytest.mark.rule("CON-3")
def test_changed_answer_is_dropped_until_it_is_read_anew(parking: Parking) -> None:
    """When Mon Paris then does not answer, an old yes does not go on."""
    parking.provider.choose(allowed=True)
    assert 'value="yes" checked' in parking.get("/espace").text

    told = parking.tell(parking.provider.event_token(PURPOSE_CHANGED))
    parking.provider.userinfo_changes = {"purposes": ABSENT}

    assert told.status_code == 202
    assert " checked" not in parking.get("/espace").text


def test_event_of_a_type_that_is_not_known_is_acknowledged(parking: Parking) -> None:
    """New types come; they change nothing here."""
    assert parking.tell(parking.provider.event_token("https://example.org/events/other")).status_code == 202
    assert parking.is_as_it_was()
