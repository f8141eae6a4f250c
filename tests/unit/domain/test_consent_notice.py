"""The words of the consent screen: made from the contract, without a value of the person (CON-2, CON-5)."""

from __future__ import annotations

import pytest

from idp.domain.client import ClaimUse, Client, LegalBasis, SubjectType
from idp.domain.consent_notice import Notice, Occasion, Screen, notice_of
from idp.domain.data_words import claim_label, legal_basis_label
from idp.domain.purposes import Purpose
from idp.protocol.claims.standard import PERSON_CLAIMS

EMAIL = ClaimUse("email", {"fr": "Pour vous écrire.", "en": "To write to you."}, required=True)
BIRTHDATE = ClaimUse("birthdate", {"fr": "Pour le panel."}, minimum_level=600)
PROVIDERS = Purpose(
    "mobile_providers",
    "1",
    {"fr": "Payer par mobile", "en": "Pay by phone"},
    {"fr": "J’autorise la transmission.", "en": "I allow it."},
    {"fr": "Je n’autorise pas la transmission.", "en": "I do not allow it."},
    ("PayByPhone", "Indigo Neo"),
)
PARKING = Client(
    "parking",
    "Stationnement {name}",
    organisation="Direction de la Voirie",
    policy_uri="https://parking.example.org/donnees",
    tos_uri="https://parking.example.org/cgu",
    policy_version="3",
    retention={"fr": "Un an.", "en": "A year."},
    recipients=("Hébergeur", "Régie"),
    storage_location="France",
    data_protection_contact="dpd@parking.example.org",
    legal_basis=LegalBasis.PUBLIC_INTEREST,
)


def a_notice(client: Client = PARKING, occasion: Occasion = Occasion.FIRST, **changes: object) -> Notice:
    """Make the notice of a screen that asks for an address, with changes."""
    usual: dict[str, object] = {"language": "fr", "host": "parking.example.org", "uses": (EMAIL, BIRTHDATE)}
    return notice_of(Screen(client, occasion, **(usual | changes)))  # type: ignore[arg-type] # a table of cases


@pytest.mark.rule("CON-1", "CON-2")
def test_notice_says_everything_that_the_contract_holds() -> None:
    """Who, what, why, on which ground, how long, with whom, where, and whom to write to."""
    words = a_notice(purposes=(PROVIDERS,)).words

    for said in (
        "Stationnement {name} recevra vos données à l’adresse parking.example.org.",
        "Responsable\u00a0: Direction de la Voirie. Service vérifié par la Ville.",
        "Adresse e-mail\nPour vous écrire.",
        "Date de naissance\nPour le panel.\nLe service demande une donnée certifiée par l’État.",
        "Base légale\u00a0: une mission de service public",
        "Base légale des questions\u00a0: votre consentement",
        "Durée de conservation\u00a0: Un an.",
        "Autres destinataires\u00a0: Hébergeur, Régie",
        "Lieu de conservation\u00a0: France",
        "À qui écrire\u00a0: dpd@parking.example.org",
        "Destinataires si vous acceptez\u00a0: PayByPhone, Indigo Neo.",
        "J’autorise la transmission.\nJe n’autorise pas la transmission.",
    ):
        assert said in words


@pytest.mark.rule("CON-2")
@pytest.mark.parametrize("basis", list(LegalBasis))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_notice_speaks_of_consent_only_where_consent_is_the_ground(basis: LegalBasis, language: str) -> None:
    """A duty of law or a public task is no consent, and can't be withdrawn as one (D-19)."""
    client = Client("a", "A", legal_basis=basis)

    words = a_notice(client, language=language).words

    speaks = "consentement" in words or "consent" in words
    assert speaks is (basis is LegalBasis.CONSENT)


@pytest.mark.rule("CON-2")
@pytest.mark.parametrize(
    "basis, objects",
    [
        (LegalBasis.PUBLIC_INTEREST, True),
        (LegalBasis.LEGITIMATE_INTEREST, True),
        (LegalBasis.CONSENT, False),
        (LegalBasis.LEGAL_OBLIGATION, False),
    ],
)
def test_notice_names_the_right_to_object_where_there_is_one(basis: LegalBasis, *, objects: bool) -> None:
    """RGPD article 21: against a public task and a legitimate interest."""
    assert ("vous opposer" in a_notice(Client("a", "A", legal_basis=basis)).words) is objects


@pytest.mark.rule("CON-2", "CON-8")
@pytest.mark.parametrize(
    "occasion, changes, title, said",
    [
        (Occasion.FIRST, {}, "Ce que ce service va recevoir", ""),
        (Occasion.FIRST, {"uses": ()}, "Ce que ce service va recevoir", "sans recevoir aucune autre donnée"),
        (Occasion.FIRST, {"uses": (), "purposes": (PROVIDERS,)}, "Votre choix pour ce service", ""),
        (Occasion.PURPOSES, {"uses": (), "purposes": (PROVIDERS,)}, "Votre choix pour ce service", "Valider"),
        (
            Occasion.GROWN,
            {"uses": (BIRTHDATE,), "new": frozenset({"birthdate"}), "kept": ("email", "gender")},
            "De nouvelles données sont demandées",
            "Déjà autorisé, rien ne change\u00a0: Adresse e-mail, Sexe.",
        ),
        (
            Occasion.GROWN,
            {"uses": (), "in_absence": True, "in_absence_is_new": True},
            "Une nouvelle autorisation est demandée",
            "En votre absence\u00a0: Nouveau le service peut relire",
        ),
        (Occasion.POLICY_CHANGED, {}, "La politique de ce service a changé", "(version 3)"),
        (
            Occasion.POLICY_CHANGED,
            {"new": frozenset({"email"})},
            "La politique de ce service a changé",
            "Adresse e-mail Nouveau",
        ),
        (Occasion.AGAIN, {}, "Ce que ce service va recevoir", "Une nouvelle réponse vous est demandée."),
        (
            Occasion.AGAIN,
            {"interfaces": ("api",)},
            "Ce que ce service va recevoir",
            "services de la Ville\u00a0: api",
        ),
    ],
)
def test_notice_says_why_it_is_shown(
    occasion: Occasion, changes: dict[str, object], title: str, said: str
) -> None:
    """A first time, an addition, another policy, once more, or a question alone."""
    notice = a_notice(occasion=occasion, **changes)

    assert notice.title == title
    assert said in notice.words


@pytest.mark.rule("CON-2", "CON-6")
def test_notice_says_whether_the_identifier_is_for_this_service_alone() -> None:
    """Where no datum is asked, the service knows the person all the same: it is said how."""
    public = Client("a", "A", subject_type=SubjectType.PUBLIC)

    assert "un identifiant fait pour ce service seul" in a_notice(uses=()).words
    assert "un identifiant, sans" in a_notice(public, uses=()).words
    assert "Base légale" not in a_notice(public, uses=()).words


@pytest.mark.rule("CON-2")
def test_unknown_service_and_device_are_warned_of() -> None:
    """A service that registered itself, and a code that somebody else may have given."""
    stranger = Client("a", "A", is_verified=False, contacts=("a@example.org",), organisation="Moi")

    notice = a_notice(stranger, for_device=True, city_contact="dpd@paris.example")

    assert [one.title for one in notice.cautions] == [
        "Un service que la Ville n’a pas vérifié",
        "Êtes-vous devant l’appareil\u00a0?",
    ]
    assert "A recevra vos données sur l’appareil qui affichait le code." in notice.words
    assert "Responsable\u00a0: Moi\n" in notice.words
    assert "vérifié par la Ville." not in notice.words
    assert "À qui écrire\u00a0: a@example.org" in notice.words


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize(
    "contact, city, href",
    [
        ("dpd@example.org", "", "mailto:dpd@example.org"),
        ("https://example.org/dpd", "x@example.org", "https://example.org/dpd"),
        (None, "dpd@paris.example", "mailto:dpd@paris.example"),
        (None, "", None),
    ],
)
def test_contact_is_the_service_s_own_else_the_city_s(
    contact: str | None, city: str, href: str | None
) -> None:
    """Somebody can be written to about the data."""
    notice = a_notice(Client("a", "A", data_protection_contact=contact), city_contact=city)

    assert [fact.href for fact in notice.facts if fact.label.startswith("À qui")] == ([href] if href else [])


@pytest.mark.rule("UX-1")
@pytest.mark.parametrize("occasion", list(Occasion))
@pytest.mark.parametrize("is_rich", [True, False])
def test_english_notice_has_the_same_parts(occasion: Occasion, *, is_rich: bool) -> None:
    """Every sentence is there in both languages, and no placeholder is left in any."""
    rich: dict[str, object] = {
        "new": frozenset({"email"}), "kept": ("gender",), "purposes": (PROVIDERS, PROVIDERS),
        "in_absence": True, "interfaces": ("api",), "for_device": True, "city_contact": "a@example.org",
    }  # fmt: skip
    changes = rich if is_rich else {"uses": ()}

    french = a_notice(occasion=occasion, **changes)
    english = a_notice(occasion=occasion, language="en", **changes)

    assert len(french.words.splitlines()) == len(english.words.splitlines())
    assert [fact.href for fact in french.facts] == [fact.href for fact in english.facts]
    shared = set(french.words.splitlines()) & set(english.words.splitlines())
    # What the contract has in French only, and what is no word at all.
    assert shared <= {"Pour le panel."}
    assert "[" not in french.words + english.words


@pytest.mark.parametrize("name", PERSON_CLAIMS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_claim_has_words(name: str, language: str) -> None:
    """Nobody is asked about a wire name; a claim of tomorrow keeps it until it has words."""
    assert claim_label(name, language) != name
    assert claim_label("shoe_size", language) == "shoe_size"


@pytest.mark.parametrize("basis", list(LegalBasis))
def test_each_legal_basis_has_words(basis: LegalBasis) -> None:
    """In both languages."""
    assert legal_basis_label(basis, "fr") != legal_basis_label(basis, "en") != ""
