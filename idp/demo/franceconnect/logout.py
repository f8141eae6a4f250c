"""GET /session/end: what a logout request must hold (RP-Initiated Logout 2, FranceConnect v2)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from idp.demo.franceconnect.errors import PageError, bad_parameters
from idp.demo.franceconnect.keys import SigningKeys
from idp.demo.franceconnect.settings import FranceConnectClient, FranceConnectSettings

ACCEPTED = frozenset(
    {
        "id_token_hint",
        "post_logout_redirect_uri",
        "state",
        "client_id",
        "logout_hint",
        "ui_locales",
    },
)


@dataclass(frozen=True)
class LogoutRequest:
    """A logout request that passed every check.

    Attributes:
        redirect_uri: Registered; None leaves the person on FranceConnect's page.
        state: To give back with it.
    """

    redirect_uri: str | None
    state: str | None


def read(
    values: Mapping[str, list[str]],
    settings: FranceConnectSettings,
    keys: SigningKeys,
) -> LogoutRequest:
    """Check a logout request; the hint may have expired.

    Raises:
        PageError: Always a page: nothing is redirected on error.
    """
    for name, given in values.items():
        if name not in ACCEPTED or len(given) != 1:
            raise bad_parameters(f"« {name} » n’est pas accepté")
    single = {name: given[0] for name, given in values.items()}
    client = _hinted_client(single.get("id_token_hint", ""), settings, keys)
    if single.get("client_id", client.client_id) != client.client_id:
        raise PageError("Y045AFAE", 400, "Le jeton est celui d’un autre service.")
    redirect_uri = single.get("post_logout_redirect_uri")
    if redirect_uri is not None and redirect_uri not in client.post_logout_redirect_uris:
        raise PageError("Y04CFAEF", 400, "L’adresse de retour n’est pas celle de ce service.")
    return LogoutRequest(redirect_uri, single.get("state"))


def _hinted_client(
    hint: str,
    settings: FranceConnectSettings,
    keys: SigningKeys,
) -> FranceConnectClient:
    """Find whose ID token this is, and check that it is ours."""
    if not hint:
        raise bad_parameters("« id_token_hint » est obligatoire")
    client = settings.client(_audience(hint))
    if client is None:
        raise PageError("Y04E2A91", 400, "Le jeton ne désigne aucun service connu.")
    if not keys.signed(hint, client.signing_alg):
        raise PageError("Y045AFAE", 400, "Le jeton n’a pas été émis par FranceConnect.")
    return client


def _audience(hint: str) -> str:
    """Read the audience of a token that is not verified yet."""
    try:
        segment = hint.split(".")[1]
        payload = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
        return str(payload["aud"])
    except (IndexError, KeyError, TypeError, ValueError):
        raise PageError("Y04FEDB9", 400, "Le jeton est illisible.") from None
