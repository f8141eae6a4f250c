"""What a service's contract may hold, and what it must before people can be told (CON-1, CON-3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idp.domain.authentication import ACR_EIDAS1
from idp.domain.client import ClaimUse, Client
from idp.domain.newsletters import Newsletter
from idp.domain.purposes import Purpose
from idp.protocol.clients.contract import NEUTRAL_REASON, missing
from idp.protocol.clients.metadata import problems
from tests.support.authorization_requests import a_client

BOTH = {"fr": "Oui", "en": "Yes"}
NO = {"fr": "Non", "en": "No"}
PROVIDERS = Purpose("mobile_providers", "1", {"fr": "Titre", "en": "Title"}, BOTH, NO, ("PayByPhone",))
NEWS = Newsletter("news", {"fr": "Titre", "en": "Title"}, BOTH)
WHOLE = a_client(
    organisation="Ville de Paris",
    description={"fr": "Un service.", "en": "A service."},
    retention={"fr": "Un an.", "en": "A year."},
    policy_uri="https://rp.example/donnees",
    contacts=("dpd@example.org",),
    recipients=("Hébergeur", "PayByPhone"),
    storage_location="France",
    data_protection_contact="dpd@example.org",
    required_acr=ACR_EIDAS1,
    minimum_age=15,
    purposes=(PROVIDERS,),
    events_uri="https://rp.example/events",
    claims=(ClaimUse("email", {"fr": "Pour vous écrire."}),),
)


def fields_of(client: Client) -> set[str]:
    """Name the fields that are wrong."""
    return {problem.field for problem in problems(client)}


def lacks(**changes: object) -> set[str]:
    """Name what a whole contract lacks once it was changed."""
    return {field for field, _ in missing(replace(WHOLE, **changes))}  # type: ignore[arg-type] # a table of cases


@pytest.mark.rule("CON-1", "CON-3")
def test_whole_contract_is_accepted() -> None:
    """Every field of the city's contract has a value that passes, and nothing is missing."""
    assert problems(WHOLE) == ()
    assert lacks() == set()


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize(
    "changes, field",
    [
        ({"organisation": "a\nb"}, "organisation"),
        ({"organisation": "a" * 201}, "organisation"),
        ({"rubrique": "a" * 201}, "rubrique"),
        ({"policy_version": "a" * 201}, "policy_version"),
        ({"storage_location": "Fr\x00nce"}, "storage_location"),
        ({"description": {"en": "A service."}}, "description"),
        ({"description": {"fr": "x", "de": "x"}}, "description"),
        ({"description": {"fr": "x" * 1001}}, "description"),
        ({"retention": {"fr": " "}}, "retention"),
        ({"retention": {"fr": "x\u202ey"}}, "retention"),
        ({"recipients": ("",)}, "recipients"),
        ({"recipients": ("a", "a")}, "recipients"),
        ({"recipients": ("a" * 201,)}, "recipients"),
        ({"recipients": tuple(map(str, range(51)))}, "recipients"),
        ({"data_protection_contact": "javascript:x"}, "data_protection_contact"),
        ({"data_protection_contact": "http://rp.example/contact"}, "data_protection_contact"),
        ({"data_protection_contact": "dpd@example"}, "data_protection_contact"),
        ({"data_protection_contact": ""}, "data_protection_contact"),
        ({"required_acr": "eidas4"}, "required_acr"),
        ({"required_acr": ""}, "required_acr"),
        ({"minimum_age": 0}, "minimum_age"),
        ({"minimum_age": 19}, "minimum_age"),
        ({"events_uri": "http://rp.example/events"}, "events_uri"),
        ({"events_uri": "https://rp.example/events#x"}, "events_uri"),
        ({"events_uri": ""}, "events_uri"),
    ],
)
def test_faulty_field_of_the_contract_is_named(changes: dict[str, object], field: str) -> None:
    """Each fault names its field, and no other."""
    assert fields_of(replace(WHOLE, **changes)) == {field}  # type: ignore[arg-type] # a table of cases


@pytest.mark.rule("CON-3")
@pytest.mark.parametrize(
    "purposes",
    [
        (PROVIDERS, PROVIDERS),
        tuple(replace(PROVIDERS, name=f"p{number}") for number in range(21)),
        (replace(PROVIDERS, name=""),),
        (replace(PROVIDERS, name="Mobile"),),
        (replace(PROVIDERS, name="mobile providers"),),
        (replace(PROVIDERS, name="m" * 51),),
        (replace(PROVIDERS, version=" "),),
        (replace(PROVIDERS, version="1" * 51),),
        (replace(PROVIDERS, title={"fr": "Titre"}),),
        (replace(PROVIDERS, title={"fr": "Titre", "en": " "}),),
        (replace(PROVIDERS, yes=BOTH | {"de": "Ja"}),),
        (replace(PROVIDERS, no={}),),
        (replace(PROVIDERS, no=BOTH),),
        (replace(PROVIDERS, no=NO | {"en": "Yes"}),),
        (replace(PROVIDERS, yes={"fr": "x" * 1001, "en": "Yes"}),),
        (replace(PROVIDERS, recipients=("PayByPhone", "PayByPhone")),),
        (replace(PROVIDERS, recipients=("",)),),
    ],
    ids=[
        "twice", "too many", "no name", "capitals", "a space", "long name", "no version", "long version",
        "title in French only", "empty title", "another language", "no answer", "the same answers",
        "the same answers in English", "long sentence", "recipient twice", "recipient without a name",
    ],
)  # fmt: skip
def test_purpose_without_a_whole_wording_is_refused(purposes: tuple[Purpose, ...]) -> None:
    """Nobody can answer what they can't read: each has a name, a version, and both answers in both languages."""
    assert fields_of(replace(WHOLE, purposes=purposes)) == {"purposes"}


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize(
    "newsletters",
    [
        (NEWS, NEWS),
        tuple(replace(NEWS, name=f"n{number}") for number in range(21)),
        (replace(NEWS, name=""),),
        (replace(NEWS, name="Actualités"),),
        (replace(NEWS, name="n" * 51),),
        (replace(NEWS, title={}),),
        (replace(NEWS, title={"fr": "Titre", "en": " "}),),
        (replace(NEWS, description={"fr": "Une lettre."}),),
        (replace(NEWS, description=BOTH | {"fr": "a\nb"}),),
        (replace(NEWS, frequency={"fr": "Chaque mois."}),),
        (replace(NEWS, frequency={"fr": "m" * 1001, "en": "Monthly."}),),
    ],
)
def test_newsletter_without_a_whole_wording_is_refused(newsletters: tuple[Newsletter, ...]) -> None:
    """Nobody can subscribe to what they can't read."""
    assert fields_of(replace(WHOLE, newsletters=newsletters)) == {"newsletters"}


@pytest.mark.rule("PRO-7")
def test_newsletter_may_say_how_often_it_comes() -> None:
    """A whole one is accepted, with and without it."""
    often = replace(NEWS, name="often", frequency={"fr": "Chaque mois.", "en": "Every month."})

    assert fields_of(replace(WHOLE, newsletters=(NEWS, often))) == set()
    assert often.words("de")[2] == "Chaque mois."


def test_messages_about_contracts_can_go_on_the_wire() -> None:
    """They are ASCII, and hold nothing of what was sent."""
    faulty = replace(
        WHOLE,
        organisation="é\x00",
        recipients=("é\x00",),
        purposes=(replace(PROVIDERS, name="é", title={"fr": "é\x00"}, version=""),),
        required_acr="é",
        events_uri="é",
        data_protection_contact="é",
    )

    for problem in problems(faulty):
        assert problem.message.isascii()
        assert problem.message.isprintable()


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize(
    "changes, fields",
    [
        ({"organisation": " "}, {"organisation"}),
        ({"description": {}}, {"description"}),
        ({"retention": {}}, {"retention"}),
        ({"policy_uri": None}, {"policy_uri"}),
        ({"data_protection_contact": None, "contacts": ()}, set()),
        ({"claims": (ClaimUse("email", NEUTRAL_REASON),)}, {"claims"}),
        ({"claims": (), "policy_uri": None}, {"policy_uri"}),
        ({"claims": (), "purposes": (), "policy_uri": None}, set()),
        ({"scopes": frozenset({"api"}), "purposes": (), "policy_uri": None}, set()),
    ],
)
def test_contract_says_what_it_lacks(changes: dict[str, object], fields: set[str]) -> None:
    """Who, what for, how long, where to read and whom to ask: of whoever asks for something about people."""
    assert lacks(**changes) == fields
