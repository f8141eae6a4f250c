"""FranceConnect's errors and the three shapes they travel in: page, redirect, JSON.

The codes are those of FranceConnect's documentation; a service never receives them, the person
reads them on the page (integrators meet them in `error_uri`).
"""

from __future__ import annotations

from dataclasses import dataclass

ERROR_DOCUMENTATION = "https://docs.partenaires.franceconnect.gouv.fr/fs/fs-technique/fs-technique-erreurs/"

TECHNICAL = "authentication aborted due to a technical error on the authorization server"
ABORTED_BY_USER = "User auth aborted"
ABORTED = "user authentication aborted"


@dataclass(frozen=True)
class PageError(Exception):
    """An error shown at FranceConnect, with no redirect.

    Attributes:
        code: `Y` and six characters.
        status: HTTP status.
        message: For the person, in French.
    """

    code: str
    status: int
    message: str


@dataclass(frozen=True)
class RedirectedError(Exception):
    """An error that the browser carries to the service's callback."""

    error: str
    description: str
    in_fragment: bool = False


@dataclass(frozen=True)
class JSONError(Exception):
    """An error of /token or /userinfo.

    Attributes:
        code: `Y` and six characters, in error_uri only.
        status: HTTP status.
        error: The OAuth error code.
        message: The constant part of the description.
        detail: What follows it, in parentheses.
    """

    code: str
    status: int
    error: str
    message: str
    detail: str

    def body(self, error_id: str) -> dict[str, str]:
        """Write the JSON members, `error_description` being "message (detail)"."""
        return {
            "error": self.error,
            "error_description": f"{self.message} ({self.detail})",
            "error_uri": f"{ERROR_DOCUMENTATION}?code={self.code}&id={error_id}",
        }


class IdentityRefused(Exception):
    """The person can't go on: a page with the code, then a link back to the service."""

    def __init__(self, code: str) -> None:
        """Keep the code of FranceConnect."""
        super().__init__(code)
        self.code = code
        self.status, self.error, self.message = IDENTITY_ERRORS[code]

    @property
    def description(self) -> str:
        """Return the error_description that the service gets."""
        return ABORTED if self.error == "access_denied" else TECHNICAL


_REGISTER = "Vos informations ne permettent pas de confirmer votre identité."
_UNAVAILABLE = "Le répertoire d’état civil ne répond pas. Réessayez plus tard."
_DECEASED = "Les identifiants utilisés correspondent à une identité qui ne permet plus la connexion."
_SWITCHED_OFF = "Vous avez désactivé l’usage de FranceConnect dans vos préférences."
_PROVIDER_BLOCKED = "Vous avez bloqué ce fournisseur d’identité dans votre espace FranceConnect."
_INCOMPLETE = "Le fournisseur d’identité a transmis une identité incomplète ou mal formée."
_TECHNICAL = "Une erreur technique est survenue."
_LEVEL = "Le fournisseur d’identité n’a pas le niveau demandé."
_SESSION = "Votre session FranceConnect a expiré."
_JOURNEY = "Vous êtes revenu en arrière pendant votre connexion."
_DELEGATION = "Ce service n’accepte pas qu’un tiers agisse pour vous."

#: The pages that stop a person, each with a link back to the service: status, error, words.
IDENTITY_ERRORS: dict[str, tuple[int, str, str]] = {
    "Y010004": (403, "access_denied", _REGISTER),
    "Y010006": (403, "access_denied", _REGISTER),
    "Y010007": (403, "access_denied", _REGISTER),
    "Y010008": (403, "access_denied", _REGISTER),
    "Y010009": (403, "access_denied", _REGISTER),
    "Y010011": (504, "temporarily_unavailable", _UNAVAILABLE),
    "Y010012": (504, "temporarily_unavailable", _UNAVAILABLE),
    "Y010013": (400, "server_error", _TECHNICAL),
    "Y010015": (403, "access_denied", _DECEASED),
    "Y020017": (400, "server_error", _TECHNICAL),
    "Y020030": (502, "server_error", _TECHNICAL),
    "Y100001": (400, "invalid_request", _LEVEL),
    "Y100002": (400, "invalid_request", _LEVEL),
    "Y100009": (400, "server_error", _TECHNICAL),
    "Y100011": (403, "access_denied", _PROVIDER_BLOCKED),
    "Y100018": (400, "invalid_request", _LEVEL),
    "Y180001": (403, "access_denied", _SWITCHED_OFF),
    "Y190001": (401, "access_denied", _SESSION),
    "Y190005": (500, "server_error", _TECHNICAL),
    "Y420001": (400, "access_denied", _JOURNEY),
    "Y470001": (400, "server_error", _TECHNICAL),
    "Y600006": (400, "server_error", _INCOMPLETE),
    "Y600020": (400, "access_denied", _DELEGATION),
}


def bad_parameters(detail: str) -> PageError:
    """Refuse an authorization request whose parameters are not the listed ones (Y030007)."""
    return PageError("Y030007", 400, f"Paramètre d’appel invalide : {detail}.")


def session_lost() -> PageError:
    """Refuse a page whose FranceConnect session ended, or belongs to another browser."""
    return PageError("Y190001", 401, "Votre session FranceConnect a expiré.")
