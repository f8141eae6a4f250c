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
_SWITCHED_OFF = "Vous avez désactivé l’usage de FranceConnect dans vos préférences."

IDENTITY_ERRORS: dict[str, tuple[int, str, str]] = {
    "Y010004": (403, "access_denied", _REGISTER),
    "Y010006": (403, "access_denied", _REGISTER),
    "Y010007": (403, "access_denied", _REGISTER),
    "Y010008": (403, "access_denied", _REGISTER),
    "Y010009": (403, "access_denied", _REGISTER),
    "Y010011": (504, "temporarily_unavailable", _UNAVAILABLE),
    "Y010012": (504, "temporarily_unavailable", _UNAVAILABLE),
    "Y010013": (400, "server_error", "Une erreur technique est survenue."),
    "Y010015": (403, "access_denied", "Cette identité ne permet plus de se connecter."),
    "Y180001": (403, "access_denied", _SWITCHED_OFF),
    "Y600006": (
        400,
        "server_error",
        "Le fournisseur d’identité a transmis une identité incomplète ou mal formée.",
    ),
}


def bad_parameters(detail: str) -> PageError:
    """Refuse an authorization request whose parameters are not the listed ones (Y030007)."""
    return PageError("Y030007", 400, f"Paramètre d’appel invalide : {detail}.")


def session_lost() -> PageError:
    """Refuse a page whose FranceConnect session ended, or belongs to another browser."""
    return PageError("Y190001", 401, "Votre session FranceConnect a expiré.")
