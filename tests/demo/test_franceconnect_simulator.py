"""The simulator behaves as FranceConnect v2 is documented to: lists, members, errors, lifetimes."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.demo.franceconnect.errors import IDENTITY_ERRORS
from idp.demo.franceconnect.identities import (
    CUSTOM_DEFAULTS,
    LOCAL_IDENTITIES,
    REFUSED_LOGINS,
    all_identities,
)
from idp.demo.franceconnect_simulator import FranceConnectSettings, create_app
from tests.demo.simulated import (
    ALL_SCOPES,
    AUTHORIZE,
    CALLBACK,
    ISSUER,
    SECRET,
    SIGNED_OUT,
    Service,
    header,
    hidden_fields,
    members,
    query,
)

pytestmark = pytest.mark.rule("FC-8")


@pytest.fixture
def service() -> Service:
    """A fresh simulator."""
    return Service()


# The authorization request


@pytest.mark.parametrize(
    "name",
    [
        "code_challenge",
        "code_challenge_method",
        "response_mode",
        "max_age",
        "display",
        "login_hint",
        "id_token_hint",
        "request",
        "request_uri",
        "resource",
        "utm_source",
    ],
)
def test_authorize_unlisted_parameter_ends_on_a_page(service: Service, name: str) -> None:
    """Any parameter outside the fixed list is a 400 page Y030007, never a redirect."""
    response = service.authorize(**{name: "x"})

    assert response.status_code == 400
    assert "Y030007" in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize("name", list(AUTHORIZE))
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_authorize_required_parameter_absent_ends_on_a_page(
    service: Service,
    name: str,
    value: str | None,
) -> None:
    """Each required parameter must be there and not empty."""
    response = service.authorize(**{name: value})

    assert response.status_code == 400
    assert "Y030007" in response.text


def test_authorize_repeated_parameter_ends_on_a_page(service: Service) -> None:
    """A parameter given twice is refused."""
    parameters = [*AUTHORIZE.items(), ("scope", "openid")]
    response = service.browser.get("/api/v2/authorize", query_string=dict_of_lists(parameters))

    assert response.status_code == 400
    assert "Y030007" in response.text


def dict_of_lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Group values by name."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


@pytest.mark.parametrize(
    "length, status",
    [(21, 400), (22, 303), (128, 303)],
    ids=["21 is short", "22 is enough", "long is fine"],
)
def test_authorize_nonce_length_is_checked(service: Service, length: int, status: int) -> None:
    """A nonce has at least 22 characters."""
    assert service.authorize(nonce="n" * length).status_code == status


@pytest.mark.parametrize("prompt", ["none", "select_account", "", "login none", "login  consent"])
def test_authorize_other_prompt_ends_on_a_page(service: Service, prompt: str) -> None:
    """Only login and consent are prompts."""
    response = service.authorize(prompt=prompt)

    assert response.status_code == 400
    assert "Y030007" in response.text


@pytest.mark.parametrize("prompt", ["login", "consent", "login consent"])
def test_authorize_listed_prompt_goes_on(service: Service, prompt: str) -> None:
    """The listed prompts are accepted."""
    assert service.authorize(prompt=prompt).status_code == 303


@pytest.mark.parametrize("claims", ["{", "[]", "1"])
def test_authorize_malformed_claims_ends_on_a_page(service: Service, claims: str) -> None:
    """The claims parameter is a JSON object."""
    assert service.authorize(claims=claims).status_code == 400


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"client_id": "unknown"}, "Y04EA6EF"),
        ({"redirect_uri": CALLBACK + "/"}, "Y04C013C"),
        ({"redirect_uri": "http://localhost:8000/other"}, "Y04C013C"),
    ],
    ids=["unknown client", "trailing slash", "other URI"],
)
def test_authorize_unproven_redirect_uri_ends_on_a_page(
    service: Service,
    changes: dict[str, str | None],
    code: str,
) -> None:
    """Nothing is redirected to an address that is not the service's."""
    response = service.authorize(**changes)

    assert response.status_code == 400
    assert code in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"scope": "identite_pivot"}, "invalid_request"),
        ({"scope": "openid email", "client_id": "few"}, "invalid_scope"),
        ({"scope": "openid dgfip_rfr"}, "invalid_scope"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"acr_values": "eidas2"}, "invalid_acr"),
        ({"acr_values": "eidas3 eidas2"}, "invalid_acr"),
        ({"idp_hint": "some"}, "invalid_idp_hint"),
    ],
    ids=[
        "no openid",
        "scope not granted",
        "data not granted",
        "other flow",
        "too high",
        "lowest counts",
        "hint",
    ],
)
def test_authorize_refused_request_is_redirected_with_state_and_iss(
    service: Service,
    changes: dict[str, str | None],
    error: str,
) -> None:
    """Once the redirect URI is proven, errors go to the callback with state and iss."""
    response = service.authorize(**changes)

    assert response.status_code == 303
    answer = query(response)
    assert answer["error"] == error
    assert answer["state"] == AUTHORIZE["state"]
    assert answer["iss"] == ISSUER
    assert set(answer) == {"error", "error_description", "state", "iss"}


def test_authorize_implicit_response_type_answers_in_the_fragment(service: Service) -> None:
    """A front-channel response type gets its error in the fragment."""
    location = urlsplit(service.authorize(response_type="id_token").headers["Location"])

    assert not location.query
    assert parse_qs(location.fragment)["error"] == ["unsupported_response_type"]


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "openid unknown_scope"},
        {"acr_values": "unknown"},
        {"acr_values": "eidas2 eidas1"},
        {"ui_locales": "fr"},
        {"client_id": "exceptional", "scope": "openid", "idp_hint": "known"},
    ],
    ids=["unknown scope", "unknown level", "several levels", "ui_locales", "known hint"],
)
def test_authorize_tolerated_request_goes_on(
    service: Service,
    changes: dict[str, str | None],
) -> None:
    """What FranceConnect tolerates is tolerated."""
    response = service.authorize(**changes)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/api/v2/interaction/")


def test_authorize_by_post_goes_on(service: Service) -> None:
    """POST is routed too, with the same parameters in the body."""
    assert service.post("/authorize", **AUTHORIZE).status_code == 303


@pytest.mark.parametrize(
    "changes", [{"code_challenge": "x"}, {"nonce": ""}, {"prompt": "none"}, {"redirect_uri": CALLBACK + "/"}]
)
def test_authorize_by_post_is_as_strict(service: Service, changes: dict[str, str]) -> None:
    """The list is the same whichever way the parameters come."""
    response = service.post("/authorize", **{**AUTHORIZE, **changes})

    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize("path", ["/reg", "/request", "/device/auth", "/token/introspection"])
def test_features_that_are_off_are_not_found(service: Service, path: str) -> None:
    """Registration, pushed requests, devices and introspection have names there, and nothing behind."""
    assert service.post(path).status_code == 404


def test_no_browser_client_is_let_in(service: Service) -> None:
    """No answer allows another origin: a script can't be a client."""
    answer = service.browser.get(
        "/api/v2/.well-known/openid-configuration", headers={"Origin": "https://paris.example"}
    )

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_authorize_amr_not_granted_ends_on_a_page(service: Service) -> None:
    """A service without the exceptional right to amr gets the page Y100009."""
    response = service.authorize(claims='{"id_token":{"amr":{"essential":true}}}')

    assert response.status_code == 400
    assert "Y100009" in response.text


# The person's way


def test_identity_page_lists_every_identity_and_breaks_nothing(service: Service) -> None:
    """The page offers each test identity, grouped, and a custom one."""
    page = service.get(service.authorize().headers["Location"]).text

    for login in all_identities():
        assert f'value="{login}"' in page
    assert "Simulateur FranceConnect — données fictives" in page
    assert "Identité sur mesure" in page


@pytest.mark.parametrize(
    "form",
    [{"login": "test", "password": "1234"}, {"login": "unknown", "password": "123"}, {}],
    ids=["wrong password", "unknown login", "empty"],
)
def test_login_wrong_answers_ask_again(service: Service, form: dict[str, str]) -> None:
    """A wrong login or password shows the page again with an error."""
    interaction = service.authorize().headers["Location"]

    response = service.post(f"{interaction}/login", **form)

    assert response.status_code == 400
    assert "incorrect" in response.text


def test_interaction_of_another_browser_is_refused(service: Service) -> None:
    """An interaction belongs to the browser that began it."""
    interaction = service.authorize().headers["Location"]
    service.browser.delete_cookie("fc_session_id", domain="localhost")

    response = service.get(interaction)

    assert response.status_code == 401
    assert "Y190001" in response.text


def test_interaction_after_half_an_hour_is_refused(service: Service) -> None:
    """An interaction lives 30 minutes."""
    interaction = service.authorize().headers["Location"]
    service.now += timedelta(minutes=30)

    assert service.get(interaction).status_code == 401


def test_consent_without_identity_is_refused(service: Service) -> None:
    """No code is made before the person is known."""
    interaction = service.authorize().headers["Location"]

    assert service.post(f"{interaction}/consent").status_code == 401


def test_consent_twice_gives_one_code(service: Service) -> None:
    """An interaction is answered once."""
    information = service.choose("test").headers["Location"]
    service.post(f"{information}/consent")

    assert service.post(f"{information}/consent").status_code == 401


def test_consent_answers_at_the_callback_with_code_state_and_iss(service: Service) -> None:
    """Success is a 303 with exactly code, state and iss."""
    information = service.choose("test").headers["Location"]

    response = service.post(f"{information}/consent")

    assert response.status_code == 303
    answer = query(response)
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == AUTHORIZE["state"]
    assert answer["iss"] == ISSUER


def test_information_page_shows_what_the_service_receives(service: Service) -> None:
    """The person sees the claims that the scopes give."""
    page = service.get(service.choose("test").headers["Location"]).text

    assert "DUBOIS" in page
    assert "75107" in page
    assert "Nom d’usage" not in page


def test_back_on_the_list_is_a_refusal(service: Service) -> None:
    """Going back from the list answers access_denied, "User auth aborted"."""
    interaction = service.authorize().headers["Location"]

    response = service.get(f"{interaction}/abort")

    assert response.status_code == 302
    assert query(response) == {
        "error": "access_denied",
        "error_description": "User auth aborted",
        "state": AUTHORIZE["state"],
        "iss": ISSUER,
    }


EXPECTED_REFUSALS = {
    "sans_mail": (400, "Y600006", "server_error"),
    "sans_mail_sans_tel": (400, "Y600006", "server_error"),
    "sans_genre": (400, "Y600006", "server_error"),
    "sans_prenom": (400, "Y600006", "server_error"),
    "sans_nom_naissance": (400, "Y600006", "server_error"),
    "sans_birthplace": (400, "Y600006", "server_error"),
    "mois_00": (400, "Y600006", "server_error"),
    "test_INVALID_COG": (400, "Y600006", "server_error"),
    "test_CORSE_INVALID": (400, "Y600006", "server_error"),
    "Désactivé": (403, "Y180001", "access_denied"),
    "E000001": (403, "Y180001", "access_denied"),
    "Y180001": (403, "Y180001", "access_denied"),
    "E010004": (403, "Y010004", "access_denied"),
    "E010006": (403, "Y010006", "access_denied"),
    "E010007": (403, "Y010007", "access_denied"),
    "E010008": (403, "Y010008", "access_denied"),
    "E010009": (403, "Y010009", "access_denied"),
    "E010011": (504, "Y010011", "temporarily_unavailable"),
    "E010012": (504, "Y010012", "temporarily_unavailable"),
    "E010013": (400, "Y010013", "server_error"),
    "E010015": (403, "Y010015", "access_denied"),
    "E010099": (400, "Y010013", "server_error"),
}


@pytest.mark.parametrize("login", list(EXPECTED_REFUSALS))
def test_refused_identity_shows_its_code_then_goes_back_with_the_error(
    service: Service,
    login: str,
) -> None:
    """The page says the code; only its link brings the error to the service."""
    status, code, error = EXPECTED_REFUSALS[login]

    page = service.choose(login)
    back = re.search(r'href="(/api/v2/interaction/[^"]+/abort)"', page.text)

    assert page.status_code == status
    assert code in page.text
    assert back is not None
    answer = query(service.get(back[1]))
    assert answer["error"] == error
    assert "code" not in answer
    assert answer["error_description"] == (
        "user authentication aborted"
        if error == "access_denied"
        else "authentication aborted due to a technical error on the authorization server"
    )


def test_refused_logins_are_all_expected() -> None:
    """Every login that the list announces as an error has its expectation here."""
    assert set(REFUSED_LOGINS) == set(EXPECTED_REFUSALS)


@pytest.mark.parametrize("login", sorted(set(all_identities()) - set(REFUSED_LOGINS)))
def test_every_other_identity_signs_in(service: Service, login: str) -> None:
    """All other test identities give a subject and a signed userinfo."""
    claims = service.claims(login)

    assert re.fullmatch(r"[0-9a-f]{64}v1", claims["sub"])
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", claims["birthdate"])
    assert "00" not in claims["birthdate"].split("-")[1:]


@pytest.mark.parametrize(
    "login, expected",
    [
        (
            "étranger_présumé_né_jour",
            {
                "birthdate": "1992-11-01",
                "idp_birthdate": "1992-11-00",
                "birthplace": "",
                "birthcountry": "99217",
            },
        ),
        (
            "étranger_présumé_né_jour_et_mois",
            {"birthdate": "1992-01-01", "idp_birthdate": "1992-00-00", "birthplace": ""},
        ),
        ("naissance_Algérie", {"birthplace": "", "birthcountry": "99352"}),
        ("naissance_etranger_birthplace_texte", {"birthplace": "", "birthcountry": "99352"}),
        ("naissance_etranger_birthplace_cog", {"birthplace": "90900", "birthcountry": "99100"}),
        (
            "prénom_composé_avec_espace",
            {
                "given_name": "Jean Philippe Pierre Louis",
                "given_name_array": ["Jean Philippe", "Pierre", "Louis"],
                "family_name": "DUBOIS",
                "preferred_username": "Martin",
            },
        ),
        ("plusieurs_prénoms_3", {"given_name_array": ["Jean", "Philippe", "Arnaud"]}),
        ("genre_indéfini", {"gender": "unspecified"}),
        ("naissance_polynesie_française", {"birthplace": "98729", "birthcountry": "99100"}),
        ("test_CORSE_2A", {"birthplace": "2A004"}),
        ("nom_une_lettre", {"family_name": "O"}),
        ("nom_usage_vide", {"preferred_username": ""}),
        ("né_29_février", {"birthdate": "2000-02-29"}),
        ("apostrophe_typographique", {"family_name": "D’ALEMBERT"}),
        ("mail_casse_mixte", {"email": "Claude.MARTIN@Example.ORG"}),
        ("mail_non_ascii", {"email": "élodie.çapra@exemple.org"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_identity_is_received_as_documented(
    service: Service,
    login: str,
    expected: dict[str, object],
) -> None:
    """What the service receives differs from what the provider holds, as documented."""
    claims = service.claims(login)

    assert {name: claims[name] for name in expected} == expected


@pytest.mark.parametrize(
    "login, claim",
    [
        ("test", "preferred_username"),
        ("sans_nom_dusage", "preferred_username"),
        ("birthplace_absent", "birthplace"),
        ("genre_absent_eidas", "gender"),
    ],
)
def test_absent_claim_is_absent_not_empty(service: Service, login: str, claim: str) -> None:
    """A claim that the provider lacks is left out."""
    assert claim not in service.claims(login)


def test_longest_name_has_256_characters(service: Service) -> None:
    """The longest birth name comes through whole."""
    assert len(service.claims("nom_256_caractères")["family_name"]) == 256


def test_custom_identity_is_received(service: Service) -> None:
    """An identity typed by hand goes the same way; a comma in the usage name survives."""
    interaction = service.authorize(scope=ALL_SCOPES).headers["Location"]
    page = service.get(interaction).text
    assert "Countess of Lovelace" in page

    information = service.post(
        f"{interaction}/custom",
        given_name="Augusta Ada",
        family_name="BYRON",
        preferred_username="King, Countess of Lovelace",
        gender="female",
        birthdate="1815-12-10",
        birthplace="",
        birthcountry="99132",
        email="ada@example.org",
    ).headers["Location"]
    code = query(service.post(f"{information}/consent"))["code"]
    access_token = members(service.token(code))["access_token"]
    claims = service.verified(service.userinfo(access_token).text)

    assert claims["preferred_username"] == "King, Countess of Lovelace"
    assert claims["birthplace"] == ""
    assert claims["birthdate"] == "1815-12-10"


def test_custom_identity_incomplete_is_refused(service: Service) -> None:
    """The register's rules hold for custom identities too."""
    interaction = service.authorize().headers["Location"]

    assert "Y600006" in service.post(f"{interaction}/custom", given_name="X").text


# Subjects


def test_subject_is_the_same_at_each_login(service: Service) -> None:
    """The same person has the same subject at the same service."""
    assert service.claims("test")["sub"] == service.claims("test")["sub"]


def test_subject_depends_on_the_entity_not_on_the_client(service: Service) -> None:
    """Services of one entity share subjects, others do not."""
    subjects = []
    for client_id in ("mon-paris", "same-entity", "rsa"):
        alg = "RS256" if client_id == "rsa" else "ES256"
        id_token = service.tokens("test", client_id=client_id)["id_token"]
        subjects.append(service.verified(id_token, alg)["sub"])

    assert subjects[0] == subjects[1] != subjects[2]


def test_subject_changes_with_civil_status_only(service: Service) -> None:
    """A changed civil status changes the subject; the same e-mail does not join two people."""
    before, after = service.claims("sub_avant_changement"), service.claims("sub_après_changement")
    one, other = service.claims("même_mail_1"), service.claims("même_mail_2")

    pivot = ("given_name", "family_name", "gender", "birthdate", "birthplace", "birthcountry")
    assert all(before[name] == after[name] for name in pivot)
    assert before["sub"] != after["sub"]
    assert one["email"] == other["email"]
    assert one["sub"] != other["sub"]


def test_subject_is_kept_over_a_change_that_franceconnect_knows_of(service: Service) -> None:
    """A stored subject is used again: names, birth data and address change under it."""
    before = service.claims("nom_avant_changement")
    changed = {
        login: service.claims(login)
        for login in ("nom_après_changement", "naissance_après_changement", "mail_après_changement")
    }

    assert {claims["sub"] for claims in changed.values()} == {before["sub"]}
    assert changed["nom_après_changement"]["family_name"] == "LEROY-GARNIER"
    assert changed["naissance_après_changement"]["birthdate"] == "1981-06-18"
    assert changed["mail_après_changement"]["email"] != before["email"]


def test_local_identities_have_distinct_logins() -> None:
    """No local case hides a published one."""
    logins = [identity.login for identity in LOCAL_IDENTITIES]

    assert len(logins) == len(set(logins)) == 23


# The token endpoint


def test_token_answer_has_exactly_five_members(service: Service) -> None:
    """The token response is exactly the five documented members, without a refresh token."""
    response = service.token(service.code())

    answer = members(response)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert set(answer) == {"access_token", "expires_in", "id_token", "scope", "token_type"}
    assert answer["expires_in"] == 60
    assert answer["token_type"] == "Bearer"
    assert set(answer["scope"].split()) == {"openid", "identite_pivot", "email"}


@pytest.mark.parametrize("client_id, alg", [("mon-paris", "ES256"), ("rsa", "RS256")])
def test_id_token_has_exactly_the_documented_members(
    service: Service,
    client_id: str,
    alg: str,
) -> None:
    """The header has alg and kid, no typ; the payload 8 members, no at_hash."""
    id_token = service.tokens(client_id=client_id)["id_token"]

    assert header(id_token).keys() == {"alg", "kid"}
    assert header(id_token)["alg"] == alg
    claims = service.verified(id_token, alg)
    now = int(service.now.timestamp())
    assert claims.keys() == {"sub", "auth_time", "acr", "nonce", "aud", "exp", "iat", "iss"}
    assert claims["aud"] == client_id
    assert claims["acr"] == "eidas1"
    assert claims["nonce"] == AUTHORIZE["nonce"]
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (now, now + 60, now)


def test_id_token_with_amr_has_nine_members(service: Service) -> None:
    """A service granted amr gets it when it asks."""
    tokens = service.tokens(
        client_id="exceptional",
        scope="openid",
        claims='{"id_token":{"amr":{"essential":true}}}',
    )

    claims = service.verified(tokens["id_token"])
    assert len(claims) == 9
    assert claims["amr"] == ["fc", "pwd"]


def test_token_by_basic_is_accepted(service: Service) -> None:
    """client_secret_basic works in practice, although undocumented."""
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    basic = b64encode(f"mon-paris:{SECRET}".encode()).decode()

    response = service.browser.post(
        "/api/v2/token",
        data={**form, "code": service.code()},
        headers={"Authorization": f"Basic {basic}"},
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    "changes, status, error, code",
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", "Y0434A7B"),
        ({"client_secret": "é"}, 401, "invalid_client", "Y0434A7B"),
        ({"client_id": "unknown"}, 401, "invalid_client", "Y0434A7B"),
        ({"client_secret": None}, 400, "invalid_request", "Y048017B"),
        ({"code": None}, 400, "invalid_request", "Y048017B"),
        ({"code": ""}, 400, "invalid_request", "Y048017B"),
        ({"redirect_uri": None}, 400, "invalid_request", "Y048017B"),
        ({"grant_type": None}, 400, "invalid_request", "Y048017B"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type", "Y040001"),
        ({"code": "unknown"}, 400, "invalid_grant", "Y049E20B"),
        ({"redirect_uri": CALLBACK + "/"}, 400, "invalid_grant", "Y04F8199"),
        ({"client_id": "few"}, 400, "invalid_grant", "Y049E20B"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_token_bad_request_is_a_documented_error(
    service: Service,
    changes: dict[str, str | None],
    status: int,
    error: str,
    code: str,
) -> None:
    """Errors of /token are JSON with error, error_description and error_uri."""
    response = service.token(service.code(), **changes)

    answer = members(response)
    assert response.status_code == status
    assert answer.keys() == {"error", "error_description", "error_uri"}
    assert answer["error"] == error
    assert f"?code={code}&id=" in answer["error_uri"]


def test_token_error_descriptions_are_the_documented_ones(service: Service) -> None:
    """The descriptions are "message (detail)"."""
    assert [
        members(service.token("x", client_secret="no"))["error_description"],
        members(service.token(""))["error_description"],
        members(service.token("x"))["error_description"],
    ] == [
        "client authentication failed (invalid secret provided)",
        "missing required parameter 'code' (undefined)",
        "grant request is invalid (authorization code not found)",
    ]


def test_code_after_thirty_seconds_is_refused(service: Service) -> None:
    """A code lives 30 seconds."""
    code = service.code()
    service.now += timedelta(seconds=30)

    answer = members(service.token(code))

    assert answer["error"] == "invalid_grant"
    assert "code=Y043F0A8" in answer["error_uri"]


def test_code_used_twice_is_refused_and_ends_the_access_token(service: Service) -> None:
    """A code works once; a replay ends what it gave."""
    code = service.code()
    access_token = members(service.token(code))["access_token"]

    replay = service.token(code)

    assert members(replay)["error"] == "invalid_grant"
    assert service.userinfo(access_token).status_code == 401


def test_token_by_get_is_not_routed(service: Service) -> None:
    """The token endpoint is POST only."""
    assert service.get("/token").status_code == 405


def test_revoked_access_token_is_refused(service: Service) -> None:
    """POST /token/revocation ends an access token."""
    access_token = service.tokens()["access_token"]

    response = service.post(
        "/token/revocation",
        token=access_token,
        client_id="mon-paris",
        client_secret=SECRET,
    )

    assert response.status_code == 200
    assert service.userinfo(access_token).status_code == 401


@pytest.mark.parametrize(
    "changes", [{"token": "x" * 42}, {"client_secret": "s" * 31}, {"client_id": ""}, {"token": ""}]
)
def test_revocation_short_parameter_is_refused(service: Service, changes: dict[str, str]) -> None:
    """A token has 43 characters at least, a secret 32."""
    good = {"token": "x" * 43, "client_id": "mon-paris", "client_secret": SECRET}

    assert service.post("/token/revocation", **good).status_code == 200
    assert service.post("/token/revocation", **{**good, **changes}).status_code == 400


def test_revocation_unlisted_parameter_is_refused(service: Service) -> None:
    """Not even token_type_hint is accepted."""
    response = service.post(
        "/token/revocation",
        token="x" * 43,
        client_id="mon-paris",
        client_secret=SECRET,
        token_type_hint="access_token",
    )

    assert response.status_code == 400


# Userinfo


def test_userinfo_is_a_signed_jwt_with_fifteen_members(service: Service) -> None:
    """With all identity scopes, userinfo has 15 members, signed, as application/jwt."""
    tokens = service.tokens("avec_nom_dusage", scope=ALL_SCOPES)

    response = service.userinfo(tokens["access_token"])

    claims = service.verified(response.text)
    assert response.mimetype == "application/jwt"
    assert len(claims) == 15
    assert {"sub", "aud", "exp", "iat", "iss"} <= claims.keys()
    assert claims["aud"] == "mon-paris"
    assert claims["iss"] == ISSUER
    assert claims["exp"] - claims["iat"] == 60
    assert claims["sub"] == service.verified(tokens["id_token"])["sub"]


@pytest.mark.parametrize(
    "scope, expected",
    [
        ("openid", set()),
        ("openid email", {"email"}),
        ("openid birth", {"birthplace", "birthcountry"}),
        ("openid given_name", {"given_name", "given_name_array"}),
        (
            "openid identite_pivot",
            {
                "given_name",
                "given_name_array",
                "family_name",
                "birthdate",
                "gender",
                "birthplace",
                "birthcountry",
            },
        ),
    ],
)
def test_userinfo_gives_the_claims_of_the_scopes(
    service: Service,
    scope: str,
    expected: set[str],
) -> None:
    """Each scope gives its claims and no more; identite_pivot gives no usage name."""
    claims = service.claims("avec_nom_dusage", scope)

    assert claims.keys() - {"sub", "aud", "exp", "iat", "iss"} == expected


def test_userinfo_after_a_minute_is_refused(service: Service) -> None:
    """An access token lives 60 seconds."""
    access_token = service.tokens()["access_token"]
    service.now += timedelta(seconds=60)

    response = service.userinfo(access_token)

    answer = members(response)
    assert response.status_code == 401
    assert answer["error"] == "invalid_token"
    assert answer["error_description"] == "invalid token provided (access token not found)"
    assert "code=Y040001" in answer["error_uri"]


def test_userinfo_without_token_is_refused(service: Service) -> None:
    """No token has an error of its own."""
    answer = members(service.get("/userinfo"))

    assert answer["error_description"] == "no access token provided (no access token provided)"
    assert "code=Y04146A2" in answer["error_uri"]


def test_userinfo_by_post_is_not_routed(service: Service) -> None:
    """Userinfo is GET only."""
    assert service.post("/userinfo").status_code == 405


def test_userinfo_token_in_the_query_is_accepted(service: Service) -> None:
    """FranceConnect takes the access token in the query too."""
    token = service.tokens()["access_token"]

    assert service.get("/userinfo", access_token=token).status_code == 200


# Single sign-on and logout


def test_second_login_within_half_an_hour_skips_authentication(service: Service) -> None:
    """Single sign-on goes straight to the information page, with the first auth_time."""
    service.tokens()
    signed_in_at = int(service.now.timestamp())
    service.now += timedelta(minutes=29)

    interaction = service.authorize().headers["Location"]
    assert "va recevoir" in service.get(interaction).text
    code = query(service.post(f"{interaction}/consent"))["code"]

    claims = service.verified(members(service.token(code))["id_token"])
    assert claims["auth_time"] == signed_in_at


def test_second_login_after_half_an_hour_asks_again(service: Service) -> None:
    """The session ends after 30 minutes."""
    service.tokens()
    service.now += timedelta(minutes=30)

    assert "Choisir une identité" in service.get(service.authorize().headers["Location"]).text


def test_choosing_another_identity_ends_the_session(service: Service) -> None:
    """The information page lets the person start again."""
    information = service.choose("test").headers["Location"]

    again = service.post(f"{information}/switch").headers["Location"]

    assert "Choisir une identité" in service.get(again).text


def test_logout_goes_back_with_state_and_ends_the_session(service: Service) -> None:
    """Logout answers 303 to the registered URI with the state, an expired hint included."""
    id_token = service.tokens()["id_token"]
    service.now += timedelta(minutes=5)

    response = service.sign_out(
        id_token_hint=id_token,
        post_logout_redirect_uri=SIGNED_OUT,
        state="abc",
    )

    assert response.status_code == 303
    assert response.headers["Location"] == f"{SIGNED_OUT}?state=abc"
    assert "Choisir une identité" in service.get(service.authorize().headers["Location"]).text


def test_logout_without_redirect_uri_stays_at_franceconnect(service: Service) -> None:
    """Without a redirect URI, the person stays on a page."""
    response = service.sign_out(id_token_hint=service.tokens()["id_token"])

    assert "Vous êtes déconnecté" in service.get(response.headers["Location"]).text


def test_logout_hint_signed_by_a_retired_key_still_works(service: Service) -> None:
    """A rotation of keys breaks no logout."""
    id_token = service.tokens()["id_token"]
    service.fault(fault="rotate_keys")

    assert service.sign_out(id_token_hint=id_token).status_code == 303


def test_logout_without_a_live_session_goes_back_too(service: Service) -> None:
    """Whoever is no longer signed in at FranceConnect comes back all the same."""
    id_token = service.tokens()["id_token"]
    service.now += timedelta(hours=2)

    response = service.sign_out(id_token_hint=id_token, post_logout_redirect_uri=SIGNED_OUT)

    assert response.headers["Location"] == SIGNED_OUT


def test_logout_page_submits_itself_and_serves_once(service: Service) -> None:
    """The session ends when the form of the page is posted, not before; a second post finds nothing."""
    page = service.get("/session/end", id_token_hint=service.tokens()["id_token"])
    assert "document.forms[0].submit()" in page.text
    assert "script-src 'sha256-" in page.headers["Content-Security-Policy"]
    assert "va recevoir" in service.get(service.authorize().headers["Location"]).text

    answers = [service.post("/session/end/confirm", **hidden_fields(page)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 401]


def test_logout_goes_on_without_javascript(service: Service) -> None:
    """A browser without scripts is sent on by the page all the same."""
    page = service.get("/session/end", id_token_hint=service.tokens()["id_token"])
    onward = re.search(
        r'<noscript><meta http-equiv="refresh" content="0; url=([^"]+)"></noscript>', page.text
    )

    assert onward is not None
    assert service.get(onward[1]).status_code == 303


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"id_token_hint": ""}, "Y030007"),
        ({"id_token_hint": "nonsense"}, "Y04FEDB9"),
        ({"id_token_hint": "e30.W10.x"}, "Y04FEDB9"),
        ({"id_token_hint": "e30.eyJhdWQiOiJ4In0.x"}, "Y04E2A91"),
        ({"id_token_hint": "e30.eyJhdWQiOiJtb24tcGFyaXMifQ.x"}, "Y045AFAE"),
        ({"post_logout_redirect_uri": SIGNED_OUT + "/"}, "Y04CFAEF"),
        ({"client_id": "rsa"}, "Y045AFAE"),
        ({"utm_source": "x"}, "Y030007"),
    ],
    ids=["empty", "unreadable", "list", "unknown", "unsigned", "URI", "client", "unlisted"],
)
def test_logout_bad_request_ends_on_a_page(
    service: Service,
    changes: dict[str, str],
    code: str,
) -> None:
    """A logout error is a page, never a redirect."""
    good = {"id_token_hint": service.tokens()["id_token"], "post_logout_redirect_uri": SIGNED_OUT}

    response = service.get("/session/end", **{**good, **changes})

    assert response.status_code == 400
    assert code in response.text
    assert "Location" not in response.headers


def test_logout_by_post_is_not_routed(service: Service) -> None:
    """Logout is GET only."""
    assert service.post("/session/end").status_code == 405


# Documents


def test_discovery_announces_what_franceconnect_announces(service: Service) -> None:
    """Discovery has FranceConnect's members, its traps included."""
    response = service.get("/.well-known/openid-configuration")

    document = members(response)
    assert response.headers["Cache-Control"] == "public, max-age=600"
    assert document["issuer"] == ISSUER
    assert document["end_session_endpoint"] == f"{ISSUER}/session/end"
    assert document["subject_types_supported"] == ["pairwise"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert not {"address", "phone", "offline_access"} & set(document["scopes_supported"])
    assert not any(name.startswith("backchannel_logout") for name in document)


def test_jwks_holds_one_public_key_for_each_algorithm(service: Service) -> None:
    """The key set has an ES256 and an RS256 key, and no private member."""
    keys = members(service.get("/jwks"))["keys"]

    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert not any("d" in key for key in keys)


# Faults


@pytest.mark.parametrize(
    "fault, claim, value",
    [
        ("wrong_issuer", "iss", "https://franceconnect.invalid/api/v2"),
        ("wrong_audience", "aud", "un-autre-service"),
        ("wrong_nonce", "nonce", "0" * 64),
        ("lower_acr", "acr", "eidas0"),
    ],
)
def test_fault_once_spoils_one_id_token(
    service: Service,
    fault: str,
    claim: str,
    value: str,
) -> None:
    """A one-shot fault spoils one ID token; the next is right again."""
    service.fault(fault=fault, on="id_token", times=1)

    spoiled, right = (service.verified(service.tokens()["id_token"]) for _ in range(2))

    assert spoiled[claim] == value
    assert right[claim] != value


def test_fault_until_reset_spoils_every_answer(service: Service) -> None:
    """Without a number of times, a fault lasts until it is reset."""
    service.fault(fault="down")
    assert [service.get("/jwks").status_code for _ in range(3)] == [503, 503, 503]

    service.browser.delete("/control")

    assert service.get("/jwks").status_code == 200


def test_fault_wrong_key_breaks_the_signature(service: Service) -> None:
    """A token signed by a key that is not published does not verify."""
    service.fault(fault="wrong_key", on="userinfo", times=1)

    with pytest.raises(Exception, match="bad_signature"):
        service.claims("test")


def test_fault_unsigned_tokens_are_what_they_say(service: Service) -> None:
    """Userinfo can come as plain JSON, and the ID token with alg none."""
    service.fault(fault="unsigned_userinfo", times=1)
    service.fault(fault="unsigned_id_token", times=1)
    tokens = service.tokens()

    assert header(tokens["id_token"]) == {"alg": "none"}
    assert service.userinfo(tokens["access_token"]).is_json


def test_fault_bad_json_does_not_parse(service: Service) -> None:
    """Both back-channel answers can be cut short."""
    service.fault(fault="bad_json", on="token", times=1)

    with pytest.raises(json.JSONDecodeError):
        json.loads(service.token(service.code()).text)


def test_fault_missing_claim_leaves_it_out(service: Service) -> None:
    """Any claim can be left out of userinfo."""
    service.fault(fault="missing_claim", on="userinfo", claim="birthdate", times=1)

    with pytest.raises(KeyError):
        _ = service.claims("test")["birthdate"]


def test_fault_at_the_callback_changes_iss_or_state(service: Service) -> None:
    """The answer at the callback can come from another issuer, or with another state."""
    service.fault(fault="wrong_issuer", on="callback", times=1)
    assert query(service.authorize(acr_values="eidas2"))["iss"] != ISSUER

    service.fault(fault="wrong_state", times=1)
    assert query(service.authorize(acr_values="eidas2"))["state"] == "undefined"


def test_rotated_keys_are_new_and_named_anew(service: Service) -> None:
    """After a rotation, tokens verify with the new key set only."""
    old_kids = {key["kid"] for key in members(service.get("/jwks"))["keys"]}

    service.fault(fault="rotate_keys")

    assert header(service.tokens()["id_token"])["kid"] not in old_kids
    assert service.claims("test")["family_name"] == "DUBOIS"


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "unknown"},
        {},
        {"fault": "down", "times": 0},
        {"fault": "wrong_nonce", "on": "userinfo"},
        {"fault": "missing_claim"},
        {"fault": "slow", "seconds": -1},
        ["down"],
    ],
    ids=["unknown", "empty", "times", "place", "claim", "seconds", "not an object"],
)
def test_control_bad_request_is_refused(service: Service, body: object) -> None:
    """A fault that makes no sense is refused, and none is set."""
    response = service.browser.post("/control", json=body)

    assert response.status_code == 400
    assert members(service.browser.get("/control")) == {"faults": []}


def test_control_form_post_is_refused(service: Service) -> None:
    """A foreign page can post a form but can't read the token of ours."""
    assert service.browser.post("/control", data={"fault": "down"}).status_code == 400
    assert service.browser.post("/control", data={"fault": "down", "token": "x"}).status_code == 400


def test_control_page_sets_lists_and_clears(service: Service) -> None:
    """A person does with a form what a program does with JSON."""
    set_once = control(service, action="set", fault="slow", on="token", times="2", seconds="0,5")
    assert set_once.status_code == 303
    control(service, fault="missing_claim", on="userinfo", detail="birthdate")
    page = control_page(service).text
    assert "lent : répond après un délai, 0.5 s" in page
    assert "encore 2 fois" in page
    assert "donnée manquante : birthdate" in page

    control(service, action="clear", number="1")
    assert members(service.browser.get("/control"))["faults"] == [
        {"fault": "missing_claim", "on": ["userinfo"], "remaining": None}
    ]

    control(service, action="reset")
    assert "Aucune panne" in control_page(service).text


@pytest.mark.parametrize(
    "form",
    [
        {"fault": "unknown"},
        {"fault": "slow", "seconds": "long"},
        {"fault": "down", "times": "x"},
        {"fault": "identity_error", "detail": "Y999999"},
        {"fault": "callback_error"},
        {"fault": "wrong_nonce", "on": "userinfo"},
    ],
)
def test_control_page_says_what_is_wrong(service: Service, form: dict[str, str]) -> None:
    """The form comes back with the reason, and nothing is set."""
    answer = control(service, **form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert members(service.browser.get("/control")) == {"faults": []}


def test_control_page_clears_nothing_for_a_number_that_is_none(service: Service) -> None:
    """A fault that is over already is no error."""
    assert control(service, action="clear", number="x").status_code == 303


def test_control_page_rotates_keys(service: Service) -> None:
    """The button of the page does it at once, and leaves no fault."""
    before = members(service.get("/jwks"))

    control(service, fault="rotate_keys")

    assert members(service.get("/jwks")) != before
    assert members(service.browser.get("/control")) == {"faults": []}


def control_page(service: Service) -> TestResponse:
    """Open the page."""
    return service.browser.get("/control", headers={"Accept": "text/html,*/*;q=0.8"})


def control(service: Service, **form: str) -> TestResponse:
    """Press a button of the page."""
    token = hidden_fields(control_page(service))["token"]
    return service.browser.post("/control", data={**form, "token": token})


def test_fault_at_one_endpoint_leaves_the_others(service: Service) -> None:
    """Down, or an error in HTML, at one place only; the person's pages are one place."""
    service.fault(fault="down", on="jwks", times=1)
    service.fault(fault="error_500", on="userinfo", times=1)
    service.fault(fault="down", on="interaction", times=1)

    assert service.get("/.well-known/openid-configuration").status_code == 200
    assert service.get("/jwks").status_code == 503
    assert service.userinfo("x").status_code == 500
    interaction = service.authorize()
    assert interaction.status_code == 303
    assert service.get(interaction.headers["Location"]).status_code == 503


def test_fault_in_documents_does_not_parse(service: Service) -> None:
    """Discovery and the key set can be cut short too."""
    for place, path in (("discovery", "/.well-known/openid-configuration"), ("jwks", "/jwks")):
        service.fault(fault="bad_json", on=place, times=1)
        with pytest.raises(json.JSONDecodeError):
            json.loads(service.get(path).text)


@pytest.mark.parametrize("code", list(IDENTITY_ERRORS))
def test_error_page_on_demand_by_fault_and_by_identity(service: Service, code: str) -> None:
    """Each documented page can be had for any identity, and by a given name that ends with its code."""
    status, error, _ = IDENTITY_ERRORS[code]
    service.fault(fault="identity_error", code=code, times=1)
    interaction = service.authorize().headers["Location"]
    custom = {**CUSTOM_DEFAULTS, "given_name": f"Ada_{code}"}

    pages = [service.choose("test"), service.post(f"{interaction}/custom", **custom)]

    for page in pages:
        back = re.search(r'href="(/api/v2/interaction/[^"]+/abort)"', page.text)
        assert back is not None
        assert (page.status_code, code in page.text) == (status, True)
        assert query(service.get(back[1]))["error"] == error


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable", "Y500017", "E000000"])
def test_error_at_the_callback_on_demand(service: Service, error: str) -> None:
    """Any error can come back, old codes included."""
    service.fault(fault="callback_error", error=error, times=1)
    information = service.choose("test").headers["Location"]

    answer = query(service.post(f"{information}/consent"))

    assert answer["error"] == error
    assert set(answer) == {"error", "error_description", "state", "iss"}


def test_fault_at_hash_is_there_right_or_wrong(service: Service) -> None:
    """Old versions sent it: services verify it if it is there."""
    service.fault(fault="at_hash", times=1)
    tokens = service.tokens()
    half = sha256(tokens["access_token"].encode()).digest()[:16]
    assert service.verified(tokens["id_token"])["at_hash"] == urlsafe_b64encode(half).decode().rstrip("=")

    service.fault(fault="wrong_at_hash", times=1)
    again = service.tokens()
    assert "at_hash" in service.verified(again["id_token"])


def test_fault_clock_ahead_moves_both_times(service: Service) -> None:
    """The other machine's clock is wrong by some seconds."""
    service.fault(fault="clock_ahead", on="id_token", seconds=20, times=1)

    claims = service.verified(service.tokens()["id_token"])

    assert claims["iat"] == int(service.now.timestamp()) + 20
    assert claims["exp"] - claims["iat"] == 60


def test_old_registration_gets_userinfo_as_json(service: Service) -> None:
    """A service registered without an algorithm for userinfo."""
    tokens = service.tokens(client_id="old")

    answer = service.userinfo(tokens["access_token"])

    assert answer.is_json
    assert members(answer)["family_name"] == "DUBOIS"


# private_key_jwt


@pytest.mark.parametrize(
    "changes, status",
    [
        ({}, 200),
        ({"aud": ISSUER}, 200),
        ({"aud": "https://other.example"}, 401),
        ({"iss": "x"}, 401),
        ({"sub": "x"}, 401),
        ({"exp": 0}, 401),
        ({"jti": None}, 401),
    ],
)
def test_service_may_authenticate_by_a_jwt(changes: dict[str, object], status: int) -> None:
    """The other documented method: an assertion signed by a key that the service publishes."""
    key = ECKey.generate_key("P-256", {"kid": "k", "alg": "ES256"})
    service = Service(published={"keys": [key.as_dict(private=False)]})
    usual = {"iss": "mon-paris", "sub": "mon-paris", "aud": f"{ISSUER}/token", "jti": "1"}
    claims = usual | {"exp": int(service.now.timestamp()) + 60} | changes
    given = {name: value for name, value in claims.items() if value is not None}

    answer = service.token(
        service.code(),
        client_secret=None,
        client_assertion=jwt.encode({"alg": "ES256", "kid": "k"}, given, key, algorithms=["ES256"]),
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"client_assertion": "x"}, "invalid_request"),
        ({"client_assertion": "x", "client_secret": None}, "invalid_request"),
        ({"client_assertion": "x", "client_secret": None, "client_assertion_type": "y"}, "invalid_client"),
    ],
    ids=["two methods", "no type", "another type"],
)
def test_malformed_assertion_is_refused(service: Service, changes: dict[str, str | None], error: str) -> None:
    """One method, and the one type."""
    assert members(service.token("x", **changes))["error"] == error


def test_control_closed_is_not_found() -> None:
    """The switchboard can be left out."""
    app = create_app(FranceConnectSettings(ISSUER, clients=(), control=False))

    assert app.test_client().post("/control", json={"fault": "down"}).status_code == 404
