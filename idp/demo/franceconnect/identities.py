"""The test identities: FranceConnect's published sets, and edge cases of our own (FC-8).

`identities.csv` holds the published sets as the demonstration identity provider gives them:
an empty column is a claim that the provider does not send. What the State's register then
makes of them is in `civil_register`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

#: FranceConnect publishes it: all test identities share it.
PASSWORD = "123"

FRANCE = "99100"


@dataclass(frozen=True)
class TestIdentity:
    """What the identity provider says of a person, before any register is asked.

    Attributes:
        login: Typed on the provider's page.
        family_name: Birth name.
        preferred_username: Usage name; None leaves the claim out, "" sends it empty.
        given_name: All given names, separated by spaces.
        gender: male, female, unspecified, or "" when the provider does not send it.
        birthdate: As the provider has it, `1992-00-00` included.
        birthplace: INSEE code of the town, or "".
        birthcountry: INSEE code of the country.
        email: As the provider has it, not verified.
        group: Where the identity comes from, for the list of the page.
        note: What the identity is good for, in French.
        given_names: When given names do not split at spaces.
        received_birthplace: What the register answers instead; None is the usual rule.
        received_birthcountry: The same for the country.
        received_family_name: The same for the birth name.
        without_claims: Claims left out of userinfo.
        foreign: A European identity (eIDAS), which the French register is not asked about.
        subject_salt: Not empty after a change of civil status: the subject becomes another.
        subject_of: The identity whose subject is kept after a change, as FranceConnect keeps a stored one.
    """

    # pytest would collect a class with this name.
    __test__ = False

    login: str
    family_name: str
    preferred_username: str | None
    given_name: str
    gender: str
    birthdate: str
    birthplace: str
    birthcountry: str
    email: str
    group: str
    note: str = ""
    given_names: tuple[str, ...] = ()
    received_birthplace: str | None = None
    received_birthcountry: str | None = None
    received_family_name: str | None = None
    without_claims: frozenset[str] = frozenset()
    foreign: bool = False
    subject_salt: str = ""
    subject_of: TestIdentity | None = None


GROUPS = {
    "base": "Identités de référence",
    "local": "Cas limites locaux",
    "refused": "Identités qui provoquent une erreur",
    "bdd": "Identités des tests d’acceptation",
    "legacy": "Anciens jeux des partenaires",
}

#: Logins that the register, or the person's own settings, refuse.
REFUSED_LOGINS = {
    "Désactivé": "Y180001 : la personne a désactivé FranceConnect",
    "E000001": "Y180001 : la personne a désactivé FranceConnect",
    "Y180001": "Y180001 : la personne a désactivé FranceConnect",
    "E010004": "Y010004 : réponse approchante au RNIPP",
    "E010006": "Y010006 : plusieurs réponses au RNIPP",
    "E010007": "Y010007 : trouvée sous le seul nom marital",
    "E010008": "Y010008 : inconnue du RNIPP",
    "E010009": "Y010009 : demande rejetée par le RNIPP",
    "E010011": "Y010011 : le RNIPP ne répond pas",
    "E010012": "Y010012 : RNIPP injoignable",
    "E010013": "Y010013 : erreur technique du RNIPP",
    "E010015": "Y010015 : personne décédée",
    "E010099": "Y010013 : erreur technique du RNIPP",
    "mois_00": "Y600006 : jour de naissance sans mois",
    "sans_prenom": "Y600006 : sans prénom",
    "sans_nom_naissance": "Y600006 : sans nom de naissance",
    "sans_mail": "Y600006 : sans adresse électronique",
    "sans_mail_sans_tel": "Y600006 : sans adresse électronique",
    "sans_genre": "Y600006 : sans genre",
    "sans_birthplace": "Y600006 : née en France sans lieu",
    "test_INVALID_COG": "Y600006 : code de commune mal formé",
    "test_CORSE_INVALID": "Y600006 : code de pays mal formé",
}

_ORDINARY = TestIdentity(
    login="",
    family_name="MARTIN",
    preferred_username=None,
    given_name="Claude Dominique",
    gender="female",
    birthdate="1980-05-17",
    birthplace="75112",
    birthcountry=FRANCE,
    email="",
    group="local",
)


def _local(login: str, note: str, **changes: object) -> TestIdentity:
    """Make a local edge case out of an ordinary person."""
    identity = replace(_ORDINARY, login=login, note=note, email=f"{_mailbox(login)}@example.org")
    return replace(identity, **changes)  # type: ignore[arg-type]  # The fields differ in type.


def _mailbox(login: str) -> str:
    """Make an ASCII mailbox name out of a login."""
    return login.encode("ascii", "ignore").decode().lower().replace("+", ".")


_BEFORE = _local(
    "nom_avant_changement",
    "Avec les trois suivantes : une personne, un sub, des données qui changent",
    family_name="LEROY",
    given_name="Alix Camille",
)

#: What the published sets do not cover; the login says what is special.
LOCAL_IDENTITIES = (
    _BEFORE,
    replace(
        _BEFORE,
        login="nom_après_changement",
        note="Même sub, autre nom de naissance et autres prénoms",
        family_name="LEROY-GARNIER",
        given_name="Alix Dominique Camille",
        subject_of=_BEFORE,
    ),
    replace(
        _BEFORE,
        login="naissance_après_changement",
        note="Même sub, autre date et autre lieu de naissance",
        birthdate="1981-06-18",
        birthplace="75113",
        subject_of=_BEFORE,
    ),
    replace(
        _BEFORE,
        login="mail_après_changement",
        note="Même sub, autre adresse et un nom d’usage",
        email="alix.leroy@example.org",
        preferred_username="GARNIER",
        subject_of=_BEFORE,
    ),
    _local("nom_une_lettre", "Nom d’une seule lettre", family_name="O", given_name="Li"),
    _local("nom_une_lettre_accentuée", "Nom d’une seule lettre accentuée", family_name="É"),
    _local(
        "nom_256_caractères",
        "Nom de 256 caractères, le plus long que FranceConnect transmette",
        family_name=("ABCDEFGHIJKLMNOPQRSTUVWXYZ-ÉÈÇŒÆ" * 8),
    ),
    _local("apostrophe_typographique", "Apostrophe U+2019 dans le nom", family_name="D’ALEMBERT"),
    _local(
        "apostrophe_droite",
        "Apostrophe U+0027 dans le nom",
        family_name="D'ALEMBERT",
        given_name="Jeanne",
    ),
    _local("tirets_variés", "Double tiret et tiret insécable", family_name="LE GOFF--SAINT‑CYR"),
    _local("prénom_avec_point", "Point dans un prénom", given_name="Jean J. Paul"),
    _local("né_29_février", "Née un 29 février", birthdate="2000-02-29"),
    _local("plus_de_100_ans", "Plus de cent ans", birthdate="1919-01-02", birthplace="75056"),
    _local(
        "birthplace_absent",
        "Née à l’étranger, birthplace absent au lieu d’être vide",
        birthplace="",
        birthcountry="99134",
        without_claims=frozenset({"birthplace"}),
    ),
    _local("nom_usage_vide", "preferred_username présent et vide", preferred_username=""),
    _local(
        "nom_usage_virgule",
        "Virgule dans le nom d’usage",
        family_name="LYS",
        preferred_username="Roi, de Lys",
    ),
    _local(
        "mail_casse_mixte",
        "Majuscules dans l’adresse",
        given_name="Claude",
        email="Claude.MARTIN@Example.ORG",
    ),
    _local(
        "mail_non_ascii",
        "Lettres accentuées dans l’adresse",
        family_name="ÇAPRA",
        given_name="Élodie",
        email="élodie.çapra@exemple.org",
    ),
    _local(
        "sub_avant_changement",
        "Avec la suivante : même identité pivot, autre sub",
        family_name="CHANGE",
    ),
    _local(
        "sub_après_changement",
        "Même identité pivot que la précédente, sub différent",
        family_name="CHANGE",
        email="sub_avant_changement@example.org",
        subject_salt="état civil rectifié",
    ),
    _local(
        "même_mail_1",
        "Partage son adresse avec la suivante",
        family_name="COUPLE",
        email="couple@example.org",
    ),
    _local(
        "même_mail_2",
        "Partage son adresse avec la précédente",
        family_name="COUPLE",
        given_name="Sacha",
        gender="male",
        birthdate="1979-11-30",
        email="couple@example.org",
    ),
    _local(
        "genre_absent_eidas",
        "Identité européenne : genre absent, lieu en toutes lettres",
        gender="",
        birthplace="Lisboa",
        birthcountry="99139",
        foreign=True,
    ),
)

#: Answers of the register that the published fixtures show to be special.
_RECEIVED: dict[str, dict[str, object]] = {
    "prénom_composé_avec_espace": {
        "given_name": "Jean Philippe Pierre Louis",
        "given_names": ("Jean Philippe", "Pierre", "Louis"),
        "received_family_name": "DUBOIS",
    },
    # An artefact of FranceConnect's own stack, kept because services meet it.
    "naissance_etranger_birthplace_cog": {
        "received_birthplace": "90900",
        "received_birthcountry": FRANCE,
    },
}


def custom_identity(fields: dict[str, str]) -> TestIdentity:
    """Make an identity out of the page's form; an empty usage name leaves the claim out."""
    known = {name: fields.get(name, "").strip() for name in CUSTOM_DEFAULTS}
    usage = known.pop("preferred_username") or None
    return replace(_ORDINARY, login="custom", group="custom", preferred_username=usage, **known)  # type: ignore[arg-type]  # Text fields only.


#: The custom identity that the form proposes.
CUSTOM_DEFAULTS = {
    "given_name": "Augusta Ada",
    "family_name": "BYRON",
    "preferred_username": "King, Countess of Lovelace",
    "gender": "female",
    "birthdate": "1815-12-10",
    "birthplace": "",
    "birthcountry": "99132",
    "email": "ada.lovelace@example.org",
}


@cache
def all_identities() -> dict[str, TestIdentity]:
    """Return every test identity by its login, in the order of the page."""
    identities = [*_published(), *LOCAL_IDENTITIES, *_register_errors()]
    return {identity.login: identity for identity in identities}


def grouped_identities() -> dict[str, list[TestIdentity]]:
    """Sort the identities by the headings of the page."""
    groups: dict[str, list[TestIdentity]] = {title: [] for title in GROUPS.values()}
    for identity in all_identities().values():
        groups[GROUPS[identity.group]].append(identity)
    return groups


def _published() -> list[TestIdentity]:
    """Read FranceConnect's published sets."""
    path = Path(__file__).with_name("identities.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return [_from_row(row) for row in csv.DictReader(lines)]


def _from_row(row: dict[str, str]) -> TestIdentity:
    """Make an identity of one line; an empty usage name is a claim not sent."""
    refusal = REFUSED_LOGINS.get(row["login"])
    group = "refused" if refusal or row["group"] == "errors" else row["group"]
    changes: dict[str, object] = {
        **row,
        "preferred_username": row["preferred_username"] or None,
        "group": group,
        "note": refusal or "",
        **_RECEIVED.get(row["login"], {}),
    }
    return replace(_ORDINARY, **changes)  # type: ignore[arg-type]  # The columns are text fields.


def _register_errors() -> list[TestIdentity]:
    """Make the identities that only trigger an error of the register or of the settings."""
    return [
        _local(login, note, group="refused", given_name=f"Jean_{login}", gender="male")
        for login, note in REFUSED_LOGINS.items()
        if login.startswith("E0")
    ]
