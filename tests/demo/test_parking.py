"""The parking service: an ordinary relying party, and a personal space whose buttons work."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.demo import provider_documents
from idp.demo.parking import ParkingSettings, create_app
from idp.demo.parking_rights import read_address, read_plate
from tests.demo.provider import (
    ABSENT,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    FakeProvider,
    parameters,
)

pytestmark = pytest.mark.rule("CON-9")

BASE_URL = "http://parking.test"
ACCOUNT = "http://provider.test/compte"


@dataclass
class Resident:
    """A browser, the parking service and its provider."""

    folder: Path
    provider: FakeProvider = field(default_factory=FakeProvider)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Start the service."""
        self.provider.person = {
            "given_name": "Zoé Claire",
            "family_name": "Œuvrard",
            "email": "zoe@example.org",
        }
        self.restart()

    def restart(self) -> None:
        """Start the service again: its sessions are gone, its data stay."""
        settings = ParkingSettings(
            issuer=ISSUER,
            base_url=BASE_URL,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            data_dir=self.folder,
            mon_paris_account_url=ACCOUNT,
            clock=lambda: self.provider.now,
            send=self.provider.send,
        )
        self.browser = create_app(settings).test_client()

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.browser.get(path, base_url=BASE_URL)

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form, with the token that the space carries."""
        return self.browser.post(path, data={"csrf": self.csrf(), **form}, base_url=BASE_URL)

    def csrf(self) -> str:
        """Read the token of the forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/espace").text)
        return "" if found is None else found[1]

    def sign_in(self, start: str = "/espace") -> TestResponse:
        """Follow the redirects of a login; return the answer of the callback."""
        answer = self.get(start)
        while "/connexion" in answer.headers["Location"]:
            answer = self.get(answer.headers["Location"])
        return self.get(self.provider.go(answer.headers["Location"]))

    def right(self, plate: str) -> str:
        """Find the address of a right."""
        page = self.get("/espace").text
        found = re.search(rf'id="right-(\d+)"><span[^>]*>[^<]*</span>{plate}<', page)
        assert found is not None, plate
        return f"/droits/{found[1]}"


@pytest.fixture
def resident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resident:
    """A resident who is not signed in."""
    monkeypatch.setattr(provider_documents, "DISCOVERY_PAUSE_SECONDS", 0)
    return Resident(tmp_path)


@pytest.fixture
def signed_in(resident: Resident) -> Resident:
    """A resident on the personal space."""
    resident.sign_in()
    return resident


# Signing in


def test_home_is_public_and_has_the_button(resident: Resident) -> None:
    """The home page needs no login and leads to the space."""
    page = resident.get("/")

    assert page.status_code == 200
    assert 'href="/espace"' in page.text
    assert "Gérer mon droit et suivre mes demandes" in page.text
    assert resident.provider.requests == []


@pytest.mark.parametrize("path", ["/espace", "/demande"])
def test_page_without_login_asks_for_one_then_shows_it(resident: Resident, path: str) -> None:
    """The login starts by itself, in the same tab, and lands on the page that was asked."""
    answer = resident.sign_in(path)

    assert answer.status_code == 303
    assert answer.headers["Location"] == path
    assert resident.get(path).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["//evil.test", "http://evil.test", "/\\evil.test", "espace", "", "/a\nb"],
    ids=["two slashes", "address", "backslash", "relative", "empty", "line break"],
)
def test_login_never_lands_elsewhere(resident: Resident, wanted: str) -> None:
    """The page after the login is one of ours."""
    begun = resident.browser.get("/connexion", query_string={"suite": wanted}, base_url=BASE_URL)

    answer = resident.get(resident.provider.go(begun.headers["Location"]))

    assert answer.headers["Location"] == "/espace"


def test_login_changes_the_cookie(resident: Resident) -> None:
    """A session named before the login is worth nothing after it (session fixation)."""
    begun = resident.get("/connexion")
    before = resident.browser.get_cookie("stationnement_session", domain="parking.test")

    answer = resident.get(resident.provider.go(begun.headers["Location"]))

    after = resident.browser.get_cookie("stationnement_session", domain="parking.test")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]


def test_callback_of_another_browser_is_refused(resident: Resident) -> None:
    """An answer to a login that this browser did not begin is not taken."""
    callback = resident.provider.go(resident.get("/connexion").headers["Location"])
    resident.browser.delete_cookie("stationnement_session", domain="parking.test")

    answer = resident.get(callback)

    assert answer.status_code == 400
    assert "Cette connexion a expiré" in answer.text
    assert resident.provider.token_requests == []


def test_callback_twice_lands_on_the_space(resident: Resident) -> None:
    """A doubled callback of somebody who is signed in is no error."""
    callback = resident.provider.go(resident.get("/connexion").headers["Location"])
    resident.get(callback)

    assert resident.get(callback).headers["Location"] == "/espace"
    assert len(resident.provider.token_requests) == 1


@pytest.mark.parametrize(
    "changes, status, text",
    [
        ({"code": ABSENT, "error": "access_denied"}, 403, "pas donné votre accord"),
        ({"code": ABSENT, "error": "server_error"}, 502, "pas pu vous connecter"),
        ({"iss": "http://evil.test"}, 502, "pas pu être vérifiée"),
    ],
    ids=["refused", "error", "issuer"],
)
def test_failed_login_is_explained(
    resident: Resident,
    changes: dict[str, object],
    status: int,
    text: str,
) -> None:
    """Each way a login can fail has a page that says what to do."""
    resident.provider.answer_changes = changes

    answer = resident.sign_in()

    assert answer.status_code == status
    assert text in answer.text
    assert resident.get("/espace").status_code == 303


def test_provider_down_has_a_clear_page(resident: Resident) -> None:
    """When Mon Paris does not answer, the page says so and when to come back."""
    resident.provider.down = True

    answer = resident.get("/connexion")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Mon Paris ne répond pas" in answer.text


# What Mon Paris sends


def test_space_shows_what_was_received(signed_in: Resident) -> None:
    """The space shows the claims, and where to manage them."""
    page = signed_in.get("/espace").text

    assert "Zoé Œuvrard" in page
    assert "zoe@example.org" in page
    assert ACCOUNT in page


VOUCHED_FOR = {
    "verification": {"trust_framework": "eidas"},
    "claims": {"given_name": "Zoé Claire", "family_name": "Œuvrard"},
}


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "verified",
    [
        None,
        "eidas",
        [],
        {},
        {**VOUCHED_FOR, "verification": {"trust_framework": "nist_800_63A"}},
        {**VOUCHED_FOR, "verification": None},
        {**VOUCHED_FOR, "claims": {"given_name": "Zoé Claire"}},
        {**VOUCHED_FOR, "claims": {"given_name": "Zoé Claire", "family_name": "Dupont"}},
    ],
    ids=["none", "text", "list", "empty", "other framework", "no framework", "one name", "another name"],
)
def test_identity_that_nobody_vouches_for_can_be_confirmed(signed_in: Resident, verified: object) -> None:
    """What was typed, or is vouched for in part, is not said to be certified; the button is there."""
    signed_in.provider.person["verified_claims"] = verified

    page = signed_in.get("/espace").text

    assert "ne nous a pas transmis d’identité certifiée" in page
    assert 'href="/identite"' in page


@pytest.mark.rule("FC-6")
def test_certified_identity_is_said_name_by_name(signed_in: Resident) -> None:
    """Both names have their mark for as long as Mon Paris says so, and the button is gone."""
    signed_in.provider.person["verified_claims"] = VOUCHED_FOR
    certified = signed_in.get("/espace").text
    del signed_in.provider.person["verified_claims"]

    assert certified.count("Certifié</span>") == 2
    assert 'href="/identite"' not in certified
    assert "Certifié</span>" not in signed_in.get("/espace").text


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC Core", "5.5.1.1", "SHOULD")
def test_button_asks_for_a_level_and_for_verified_names(signed_in: Resident) -> None:
    """In one request: the login must reach eidas1, and the names come as verified claims."""
    asked = json.loads(parameters(signed_in.get("/identite").headers["Location"])["claims"])

    assert asked["id_token"] == {"acr": {"essential": True, "values": ["eidas1"]}}
    assert asked["userinfo"]["verified_claims"]["claims"] == {"given_name": None, "family_name": None}


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "acr, status", [("eidas1", 303), ("password", 502), (ABSENT, 502)], ids=["reached", "lower", "not told"]
)
def test_lower_level_than_demanded_is_not_taken(signed_in: Resident, acr: object, status: int) -> None:
    """Whoever relies on a level looks at the ID token, whatever the provider was asked."""
    signed_in.provider.id_token_changes = {"acr": acr}

    answer = signed_in.get(signed_in.provider.go(signed_in.get("/identite").headers["Location"]))

    assert answer.status_code == status


@pytest.mark.rule("FC-6")
def test_person_who_declines_to_confirm_stays_signed_in(signed_in: Resident) -> None:
    """Nothing is lost: the space says so, and works as before."""
    signed_in.provider.answer_changes = {"code": ABSENT, "error": "access_denied"}

    answer = signed_in.get(signed_in.provider.go(signed_in.get("/identite").headers["Location"]))

    assert answer.headers["Location"] == "/espace"
    assert "Rien n’a changé" in signed_in.get("/espace").text


def test_space_is_refreshed_at_each_visit(signed_in: Resident) -> None:
    """A change at Mon Paris shows at the next visit."""
    signed_in.provider.person["email"] = "nouvelle@example.org"

    assert "nouvelle@example.org" in signed_in.get("/espace").text


def test_space_uses_the_refresh_token_when_the_access_token_is_old(signed_in: Resident) -> None:
    """An expired access token is renewed without a login."""
    signed_in.provider.now += timedelta(minutes=30)

    assert signed_in.get("/espace").status_code == 200
    assert signed_in.provider.token_requests[-1]["grant_type"] == "refresh_token"


@pytest.mark.rule("CON-4")
@pytest.mark.parametrize("gives_refresh_token", [True, False], ids=["refresh token", "none"])
def test_withdrawn_consent_is_said_and_ends_the_session(
    resident: Resident,
    gives_refresh_token: bool,  # noqa: FBT001
) -> None:
    """When Mon Paris refuses the tokens, the page says so and the session is over."""
    resident.provider.gives_refresh_token = gives_refresh_token
    resident.sign_in()
    resident.provider.withdrawn = True

    answer = resident.get("/espace")

    assert answer.status_code == 403
    assert "Mon Paris ne nous transmet plus vos données" in answer.text
    assert resident.get("/espace").status_code == 303


def test_space_during_an_outage_goes_on_and_says_so(signed_in: Resident) -> None:
    """When Mon Paris is down, the space stays usable with what it knows."""
    signed_in.provider.down = True

    answer = signed_in.get("/espace")

    assert answer.status_code == 200
    assert "Mon Paris ne répond pas en ce moment" in answer.text
    assert "zoe@example.org" in answer.text


# Rights


def test_newcomer_sees_one_right_of_each_kind(signed_in: Resident) -> None:
    """The history has a plate, a status and a request date for each right."""
    page = signed_in.get("/espace").text

    for text in (
        "FK-482-ZD",
        "Droits activés",
        "valide jusqu’au 18/09/2027",
        "Demandé le 18/09/2026",
        "Annulée par l’usager",
        "En attente de paiement",
        "Changer de véhicule",
        "Changer d’adresse (gratuit)",
        "Changer d’adresse (10\u00a0€)",
        "Renouvellement",
        "Voir le détail",
        "Nouvelle demande",
    ):
        assert text in page, text


def test_rights_survive_a_restart_and_belong_to_one_subject(signed_in: Resident) -> None:
    """Rights are kept per subject; another person sees none of them."""
    address = signed_in.right("FK-482-ZD")
    signed_in.post(f"{address}/vehicule", plate="zz 999 zz")

    signed_in.restart()
    signed_in.sign_in()
    assert "ZZ-999-ZZ" in signed_in.get("/espace").text

    signed_in.restart()
    signed_in.provider.subject = "subject-2"
    signed_in.sign_in()
    assert "ZZ-999-ZZ" not in signed_in.get("/espace").text
    assert signed_in.get(address).status_code == 404


def test_new_request_waits_for_payment_then_is_active(signed_in: Resident) -> None:
    """A request can be made and paid."""
    signed_in.post("/demande", plate="ab-123-cd", address="1, rue X, 75011 Paris")
    address = signed_in.right("AB-123-CD")
    assert "En attente de paiement" in signed_in.get(address).text

    signed_in.post(f"{address}/paiement")

    assert "22/11/2027" in signed_in.get(address).text
    assert signed_in.get(f"{address}/paiement").status_code == 404


@pytest.mark.parametrize(
    "form",
    [{}, {"plate": "ABC", "address": "Lyon"}, {"plate": "AB-123-CD"}, {"address": "x" * 500}],
    ids=["empty", "wrong", "no address", "long"],
)
def test_new_request_with_errors_comes_back_with_what_was_typed(
    signed_in: Resident,
    form: dict[str, str],
) -> None:
    """A form with an error comes back, with each error by its field."""
    before = signed_in.get("/espace").text.count("<article")

    answer = signed_in.post("/demande", **form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    for value in form.values():
        assert value in answer.text
    assert signed_in.get("/espace").text.count("<article") == before


def test_change_of_address_is_free_once(signed_in: Resident) -> None:
    """The first change is free, the next is announced with its price."""
    address = signed_in.right("FK-482-ZD")

    signed_in.post(f"{address}/adresse", address="5, quai Y, 75004 Paris")

    assert "5, quai Y, 75004 Paris" in signed_in.get(address).text
    assert "coûte 10\u00a0€" in signed_in.get(f"{address}/adresse").text


def test_renewal_makes_a_request_for_the_same_vehicle(signed_in: Resident) -> None:
    """A right near its end can be renewed."""
    signed_in.post(signed_in.right("CN-719-PA") + "/renouvellement")

    assert signed_in.get("/espace").text.count("</span>CN-719-PA<") == 2


def test_cancelled_request_says_by_whom(signed_in: Resident) -> None:
    """A request that is not paid can be given up."""
    address = signed_in.right("GH-264-LT")

    signed_in.post(f"{address}/annulation")

    assert "Annulée par l’usager" in signed_in.get(address).text


@pytest.mark.parametrize(
    "plate, action",
    [
        ("AB-305-WX", "vehicule"),
        ("AB-305-WX", "adresse"),
        ("FK-482-ZD", "renouvellement"),
        ("FK-482-ZD", "paiement"),
        ("CN-719-PA", "annulation"),
    ],
)
def test_action_that_does_not_apply_is_not_found(
    signed_in: Resident,
    plate: str,
    action: str,
) -> None:
    """An action is there only when the right allows it."""
    assert signed_in.post(f"{signed_in.right(plate)}/{action}").status_code == 404


def test_form_without_its_token_changes_nothing(signed_in: Resident) -> None:
    """A foreign page can't act for the person."""
    address = signed_in.right("GH-264-LT")

    answer = signed_in.post(f"{address}/annulation", csrf="guess")

    assert answer.status_code == 400
    assert "En attente de paiement" in signed_in.get(address).text


@pytest.mark.parametrize(
    "typed, plate",
    [
        ("ab123cd", "AB-123-CD"),
        (" AB-123-CD ", "AB-123-CD"),
        ("123 abc 75", "123 ABC 75"),
        ("1234AB2A", "1234 AB 2A"),
        ("AB-12-CD", None),
        ("", None),
        ("AB-123-CDE", None),
    ],
)
def test_plate_is_read_as_it_stands_on_cars(typed: str, plate: str | None) -> None:
    """Both formats of plates are read, and nothing else."""
    assert read_plate(typed) == plate


@pytest.mark.parametrize(
    "typed, address",
    [
        ("12 bis,  rue Z,\n75020 Paris", "12 bis, rue Z, 75020 Paris"),
        ("1, rue Z, 75116 Paris", "1, rue Z, 75116 Paris"),
        ("1, rue Z, 69001 Lyon", None),
        ("1, rue Z, 75021 Paris", None),
        ("", None),
    ],
)
def test_address_is_in_paris(typed: str, address: str | None) -> None:
    """An address needs a postal code of Paris."""
    assert read_address(typed) == address


# Mobile providers


@pytest.mark.rule("CON-3")
def test_mobile_choice_is_not_made_in_advance(signed_in: Resident) -> None:
    """Two equal answers in the exact words that were declared, none ticked, no date before the first choice."""
    page = signed_in.get("/espace").text

    assert page.count('type="radio" name="mobile"') == 2
    assert " checked" not in page
    assert "Dernière mise à jour" not in page
    assert "Toute modification prend effet immédiatement." in page
    assert "J’autorise PayByPhone, Flowbird, EasyPark et Indigo Neo." in page
    assert "Je n’autorise pas." in page
    assert "vous payez à l’horodateur" in page


@pytest.mark.rule("CON-3")
def test_mobile_choice_is_kept_by_mon_paris_dated_and_can_be_changed(signed_in: Resident) -> None:
    """The choice holds at once, with its date, and can be changed; nothing of it is kept here."""
    signed_in.post("/consentement", mobile="yes", version="1")
    page = signed_in.get("/espace").text
    assert re.search(r'value="yes" checked', page)
    assert "Dernière mise à jour le 22/11/2026" in page

    signed_in.provider.now += timedelta(hours=1, days=1)
    signed_in.restart()
    signed_in.sign_in()
    signed_in.post("/consentement", mobile="no", version="1")

    page = signed_in.get("/espace").text
    assert re.search(r'value="no" checked', page)
    assert "Dernière mise à jour le 23/11/2026" in page
    assert signed_in.provider.choice is not None
    assert signed_in.provider.choice["answer"] is False


@pytest.mark.rule("CON-3")
def test_choice_made_elsewhere_shows_at_the_next_look(signed_in: Resident) -> None:
    """The claim is read at each visit."""
    signed_in.get("/espace")
    signed_in.provider.choose(allowed=True)

    assert re.search(r'value="yes" checked', signed_in.get("/espace").text)


@pytest.mark.rule("CON-3")
@pytest.mark.parametrize("mobile", ["", "maybe"])
def test_mobile_choice_without_an_answer_changes_nothing(
    signed_in: Resident,
    mobile: str,
) -> None:
    """No answer is not an answer."""
    answer = signed_in.post("/consentement", mobile=mobile, version="1")

    assert answer.status_code == 400
    assert "Choisissez l’une des deux réponses." in answer.text
    assert " checked" not in answer.text
    assert signed_in.provider.choice is None


@pytest.mark.rule("CON-3")
def test_answer_to_other_words_is_asked_again(signed_in: Resident) -> None:
    """The question was worded anew while the page was open: the new words are shown, and nothing was kept."""
    csrf = signed_in.csrf()
    signed_in.provider.purpose_version = "2"

    answer = signed_in.post("/consentement", csrf=csrf, mobile="yes", version="1")

    assert answer.status_code == 409
    assert "La question a été reformulée" in answer.text
    assert 'name="version" value="2"' in answer.text
    assert signed_in.provider.choice is None


@pytest.mark.rule("CON-3")
def test_choice_during_an_outage_is_not_lost_in_silence(signed_in: Resident) -> None:
    """The page says that nothing can be read nor changed; an answer sent all the same is refused."""
    csrf = signed_in.csrf()
    signed_in.provider.down = True

    page = signed_in.get("/espace")
    answer = signed_in.post("/consentement", csrf=csrf, mobile="yes", version="1")

    assert page.status_code == 200
    assert "ne peut être ni lu ni changé" in page.text
    assert 'name="mobile"' not in page.text
    assert answer.status_code == 503


@pytest.mark.rule("CON-3")
@pytest.mark.parametrize(
    "claim",
    [
        {"purposes": ABSENT},
        {"purposes": []},
        {"purposes": {"mobile_providers": True}},
        {"purposes": {"mobile_providers": {"answer": "yes", "version": "1", "updated_at": 1}}},
        {"purposes": {"mobile_providers": {"answer": True, "version": "1", "updated_at": "today"}}},
    ],
    ids=["absent", "list", "true", "text", "no-date"],
)
def test_claim_that_can_not_be_read_is_no_yes(signed_in: Resident, claim: dict[str, object]) -> None:
    """Nothing is transmitted on a guess."""
    signed_in.provider.userinfo_changes = claim

    assert " checked" not in signed_in.get("/espace").text


@pytest.mark.rule("CON-3")
def test_service_that_declares_no_question_asks_none(signed_in: Resident) -> None:
    """The registration at Mon Paris says what is asked."""
    signed_in.provider.purpose_version = None

    assert 'name="mobile"' not in signed_in.get("/espace").text


# Signing out


def test_sign_out_ends_the_session_here_then_at_the_provider(signed_in: Resident) -> None:
    """Logout closes the local session, then goes on to Mon Paris by itself."""
    answer = signed_in.post("/deconnexion")

    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found is not None
    sent = parameters(found[1].replace("&amp;", "&"))
    assert sent["post_logout_redirect_uri"] == f"{BASE_URL}/deconnecte"
    assert sent["id_token_hint"].count(".") == 2
    assert signed_in.get("/espace").status_code == 303
    assert "/revoke" in signed_in.provider.requests
    assert "Vous êtes déconnecté" in signed_in.get("/deconnecte?state=x").text


def test_sign_out_during_an_outage_still_ends_the_session(signed_in: Resident) -> None:
    """When Mon Paris is down, the person is signed out here and told so."""
    csrf = signed_in.csrf()
    signed_in.provider.down = True

    answer = signed_in.post("/deconnexion", csrf=csrf)

    assert "Mon Paris n’a pas répondu" in answer.text
    assert signed_in.get("/espace").status_code == 303


def test_sign_out_without_its_token_does_nothing(signed_in: Resident) -> None:
    """A foreign page can't sign the person out."""
    assert signed_in.post("/deconnexion", csrf="").status_code == 400
    assert signed_in.get("/espace").status_code == 200


def test_idle_session_ends(signed_in: Resident) -> None:
    """A session that is not used ends by itself."""
    signed_in.provider.now += timedelta(hours=2)

    assert signed_in.get("/espace").status_code == 303


# Pages


@pytest.mark.parametrize("path", ["/", "/espace", "/demande", "/deconnecte", "/nowhere"])
def test_page_is_in_french_with_one_title_and_a_strict_policy(
    signed_in: Resident,
    path: str,
) -> None:
    """Every page has its language, one h1, a main landmark, and runs no script."""
    answer = signed_in.get(path)

    assert '<html lang="fr">' in answer.text
    assert answer.text.count("<h1") == 1
    assert answer.text.count("<main") == 1
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


# What becomes of requests, on Mon Paris


@pytest.mark.rule("PRO-6")
def test_what_becomes_of_a_request_is_told_on_mon_paris(signed_in: Resident) -> None:
    """At the first visit what there is; then what is asked for, paid, given up; with the address of its page here."""
    notices = signed_in.provider.notices
    signed_in.get("/espace")
    at_first = {notice["title"]: notice["status"] for notice in notices}
    del notices[:]

    signed_in.post("/demande", plate="ab-123-cd", address="1, rue X, 75011 Paris")
    signed_in.post(f"{signed_in.right('AB-123-CD')}/paiement")
    signed_in.post(f"{signed_in.right('GH-264-LT')}/annulation")
    signed_in.get("/espace")

    assert at_first == {
        "Droit de stationnement pour AB-305-WX": "canceled",
        "Droit de stationnement pour CN-719-PA": "paid",
        "Droit de stationnement pour FK-482-ZD": "paid",
        "Droit de stationnement pour GH-264-LT": "to_pay",
    }
    assert [notice["status"] for notice in notices] == ["to_pay", "paid", "canceled"]
    assert {notice["subject"] for notice in notices} == {signed_in.provider.subject}
    assert notices[1]["url"] == BASE_URL + signed_in.right("AB-123-CD")
    assert notices[1]["reference"] == notices[0]["reference"]
    assert [(notice["step"], notice["steps"]) for notice in notices] == [(2, 3), (None, None), (None, None)]


@pytest.mark.rule("PRO-6")
def test_notice_that_mon_paris_does_not_take_keeps_nobody_waiting(signed_in: Resident) -> None:
    """The request stands at the service whatever becomes of the notice."""
    signed_in.provider.takes_notices = False

    signed_in.post("/demande", plate="ab-123-cd", address="1, rue X, 75011 Paris")

    assert "En attente de paiement" in signed_in.get(signed_in.right("AB-123-CD")).text
