"""Which scope gives which claims (FranceConnect v2)."""

from __future__ import annotations

from collections.abc import Iterable

from idp.demo.franceconnect.portal import Portal
from idp.demo.franceconnect.settings import EXCEPTIONAL_SCOPES, IDENTITY_SCOPES, REGISTER_SCOPES

#: Before the name of a claim that the State's register has, at FranceConnect+.
REGISTER = "rnipp_"

_CIVIL = (
    "given_name",
    "given_name_array",
    "family_name",
    "birthdate",
    "gender",
)

#: `identite_pivot` gives no usage name in v2; `profile` does.
SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "openid": (),
    "identite_pivot": (*_CIVIL, "birthplace", "birthcountry"),
    "profile": (*_CIVIL, "preferred_username"),
    "birth": ("birthplace", "birthcountry"),
    "given_name": ("given_name", "given_name_array"),
    "family_name": ("family_name",),
    "birthdate": ("birthdate",),
    "gender": ("gender",),
    "birthplace": ("birthplace",),
    "birthcountry": ("birthcountry",),
    "email": ("email",),
    "preferred_username": ("preferred_username",),
    "idp_birthdate": ("idp_birthdate",),
    "amr": ("amr",),
    "idp_id": ("idp_id",),
}

SCOPE_CLAIMS |= {
    scope: tuple(REGISTER + claim for claim in SCOPE_CLAIMS[scope.removeprefix(REGISTER)])
    for scope in REGISTER_SCOPES
}


#: Some of those that open data of other administrations: known, so refused when they are not granted.
DATA_SCOPES = frozenset(
    {"dgfip_rfr", "dgfip_nbpart", "cnam_paiements_ij", "cnous_statut_boursier", "mesri_statut_etudiant"}
)


def known_scopes(portal: Portal) -> frozenset[str]:
    """Name every scope of a portal; the others are dropped without a word."""
    register = REGISTER_SCOPES if portal.tells_register_apart else frozenset()
    return IDENTITY_SCOPES | EXCEPTIONAL_SCOPES | DATA_SCOPES | register


#: What the information page calls each claim.
LABELS = {
    "given_name": "Prénoms",
    "family_name": "Nom de naissance",
    "preferred_username": "Nom d’usage",
    "gender": "Sexe",
    "birthdate": "Date de naissance",
    "birthplace": "Lieu de naissance (code INSEE)",
    "birthcountry": "Pays de naissance (code INSEE)",
    "email": "Adresse électronique",
}


def claims_of(scopes: Iterable[str]) -> frozenset[str]:
    """Name every claim that these scopes give."""
    return frozenset(claim for scope in scopes for claim in SCOPE_CLAIMS.get(scope, ()))
