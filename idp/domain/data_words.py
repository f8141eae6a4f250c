"""What data and legal bases are called, the same on every page, in every proof and every export (CON-2, D-19)."""

from __future__ import annotations

from typing import Final

from idp.domain.client import LegalBasis

#: The language in which every text of ours, and of a contract, is there.
SOURCE_LANGUAGE: Final = "fr"

_CLAIMS: Final[dict[str, dict[str, str]]] = {
    "given_name": {"fr": "Prénoms", "en": "Given names"},
    "given_name_array": {"fr": "Prénoms, un par un", "en": "Given names, one by one"},
    "family_name": {"fr": "Nom de naissance", "en": "Birth name"},
    "preferred_username": {"fr": "Nom d’usage", "en": "Name in use"},
    "name": {"fr": "Nom complet", "en": "Full name"},
    "birthdate": {"fr": "Date de naissance", "en": "Date of birth"},
    "gender": {"fr": "Sexe", "en": "Sex"},
    "birthplace": {"fr": "Lieu de naissance", "en": "Place of birth"},
    "birthcountry": {"fr": "Pays de naissance", "en": "Country of birth"},
    "email": {"fr": "Adresse e-mail", "en": "E-mail address"},
    "email_verified": {"fr": "État de l’adresse e-mail", "en": "State of the e-mail address"},
    "contact_email": {"fr": "Adresse e-mail de contact", "en": "Contact e-mail address"},
    "phone_number": {"fr": "Téléphone", "en": "Telephone"},
    "phone_number_verified": {"fr": "État du numéro de téléphone", "en": "State of the telephone number"},
    "address": {"fr": "Adresse postale", "en": "Postal address"},
    "locale": {"fr": "Langue préférée", "en": "Preferred language"},
    "place_of_birth": {"fr": "Lieu et pays de naissance", "en": "Place and country of birth"},
    "certification": {"fr": "Origine de vos données", "en": "Where your data come from"},
    "purposes": {"fr": "Vos choix pour ce service", "en": "Your choices for this service"},
    "updated_at": {"fr": "Date de dernière modification", "en": "Date of the last change"},
}
_LEGAL_BASES: Final[dict[LegalBasis, dict[str, str]]] = {
    LegalBasis.CONSENT: {"fr": "votre consentement", "en": "your consent"},
    LegalBasis.CONTRACT: {"fr": "un contrat avec vous", "en": "a contract with you"},
    LegalBasis.LEGAL_OBLIGATION: {"fr": "une obligation légale", "en": "a legal obligation"},
    LegalBasis.PUBLIC_INTEREST: {"fr": "une mission de service public", "en": "a public service task"},
    LegalBasis.LEGITIMATE_INTEREST: {
        "fr": "l’intérêt légitime du service",
        "en": "the legitimate interest of the service",
    },
    LegalBasis.VITAL_INTEREST: {"fr": "la protection de la vie", "en": "the protection of life"},
}


def claim_label(name: str, language: str) -> str:
    """Name a claim in a language, else in French; one that nobody has words for keeps the wire's name."""
    return worded(_CLAIMS.get(name, {}), language) or name


def legal_basis_label(basis: LegalBasis, language: str) -> str:
    """Name a legal basis (RGPD article 6) in a language, else in French."""
    return worded(_LEGAL_BASES[basis], language)


def worded(texts: dict[str, str], language: str) -> str:
    """Choose a wording in a language, else in French; empty when there is neither."""
    return texts.get(language) or texts.get(SOURCE_LANGUAGE, "")
