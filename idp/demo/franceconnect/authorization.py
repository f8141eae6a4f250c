"""The authorization request: a fixed list of parameters, and nothing else (FranceConnect v2).

The checks run in the order of `read`. Those that come before the redirect URI is proven end on a
page; so does any breach of the parameter list, although the redirect URI may then be good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from idp.demo.franceconnect.claims import known_scopes
from idp.demo.franceconnect.errors import PageError, RedirectedError, bad_parameters
from idp.demo.franceconnect.portal import LEVELS, Portal
from idp.demo.franceconnect.settings import FranceConnectClient, FranceConnectSettings

REQUIRED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "acr_values",
)
OPTIONAL = ("prompt", "claims", "idp_hint", "ui_locales")

MIN_NONCE_LENGTH = 22
PROMPTS = frozenset({"login", "consent"})


@dataclass(frozen=True)
class Target:
    """Where an answer may go: a redirect URI proven to be the client's, and the state."""

    client: FranceConnectClient
    redirect_uri: str
    state: str


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that passed every check.

    Attributes:
        target: Where the answer goes.
        scopes: Known and granted; the unknown ones were dropped.
        nonce: For the ID token.
        level: Of assurance: what the ID token will say.
        wants_amr: Whether the ID token carries `amr`.
    """

    target: Target
    scopes: frozenset[str]
    nonce: str
    level: str
    wants_amr: bool

    @property
    def client(self) -> FranceConnectClient:
        """Return the service that asks."""
        return self.target.client


def parameters(values: Mapping[str, list[str]]) -> dict[str, str]:
    """Check the parameter list: no other, each once, the required ones not empty.

    Raises:
        PageError: Y030007.
    """
    for name, given in values.items():
        if name not in REQUIRED + OPTIONAL:
            raise bad_parameters(f"« {name} » n’est pas accepté")
        if len(given) != 1:
            raise bad_parameters(f"« {name} » est répété")
    single = {name: given[0] for name, given in values.items()}
    for name in REQUIRED:
        if not single.get(name):
            raise bad_parameters(f"« {name} » est obligatoire")
    _check_values(single)
    return single


def _check_values(single: dict[str, str]) -> None:
    """Check the parameters that FranceConnect's filter looks into."""
    if len(single["nonce"]) < MIN_NONCE_LENGTH:
        raise bad_parameters(f"« nonce » doit avoir au moins {MIN_NONCE_LENGTH} caractères")
    if "prompt" in single:
        prompts = single["prompt"].split(" ")
        if not set(prompts) <= PROMPTS:
            raise bad_parameters("« prompt » n’accepte que login et consent")
    if "claims" in single and _claims(single) is None:
        raise bad_parameters("« claims » n’est pas un objet JSON")


def _claims(single: dict[str, str]) -> dict[str, object] | None:
    """Parse the claims parameter; None when it is not a JSON object."""
    try:
        claims = json.loads(single.get("claims", "{}"))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def target(settings: FranceConnectSettings, single: dict[str, str]) -> Target:
    """Prove the redirect URI.

    Raises:
        PageError: Y04EA6EF for an unknown client, Y04C013C for an unregistered URI.
    """
    client = settings.client(single["client_id"])
    if client is None:
        raise PageError("Y04EA6EF", 400, "Ce service n’est pas connu de FranceConnect.")
    if single["redirect_uri"] not in client.redirect_uris:
        raise PageError("Y04C013C", 400, "L’adresse de retour n’est pas celle de ce service.")
    return Target(client, single["redirect_uri"], single["state"])


def read(single: dict[str, str], where: Target, portal: Portal) -> AuthorizationRequest:
    """Check what an error may be redirected for.

    Raises:
        RedirectedError: The service asked for what it may not have.
        PageError: Y100009, when `amr` is asked without being granted.
    """
    _check_response_type(single["response_type"])
    scopes = _granted_scopes(single["scope"], where.client, portal)
    level = _asked_level(single["acr_values"], portal)
    _check_hint(single.get("idp_hint"), where.client)
    wants_amr = _asks_amr(single) or "amr" in scopes
    if wants_amr and "amr" not in where.client.scopes:
        raise PageError("Y100009", 400, "Ce service n’a pas droit au moyen d’authentification.")
    return AuthorizationRequest(where, scopes, single["nonce"], level, wants_amr)


def _check_response_type(response_type: str) -> None:
    """Accept the code flow only; a front-channel response type gets its error in the fragment."""
    if response_type == "code":
        return
    in_fragment = bool({"token", "id_token"} & set(response_type.split(" ")))
    description = "requested response_type is not supported"
    raise RedirectedError("unsupported_response_type", description, in_fragment)


def _granted_scopes(scope: str, client: FranceConnectClient, portal: Portal) -> frozenset[str]:
    """Drop the unknown scopes, refuse the known ones that this service was not granted."""
    asked = frozenset(scope.split(" ")) & known_scopes(portal)
    if "openid" not in asked:
        raise RedirectedError(
            "invalid_request",
            "openid scope must be requested when using the acr_values parameter",
        )
    if not asked <= client.scopes:
        raise RedirectedError("invalid_scope", "requested scope is not allowed")
    return asked


def _asked_level(acr_values: str, portal: Portal) -> str:
    """Take the lowest known level, which must be one of this portal; none known counts as its lowest."""
    asked = sorted(set(acr_values.split(" ")) & set(LEVELS)) or list(portal.levels)
    if asked[0] not in portal.levels:
        expected = ", ".join(portal.levels)
        raise RedirectedError(
            "invalid_acr",
            f"acr_value is not valid, should be equal one of these values, expected {expected}, got {asked[0]}",
        )
    return asked[0]


def _check_hint(hint: str | None, client: FranceConnectClient) -> None:
    """Accept the identity providers that this service may point to."""
    if hint is not None and hint not in client.idp_hints:
        raise RedirectedError("invalid_idp_hint", "An idp_hint was provided but is not allowed")


def _asks_amr(single: dict[str, str]) -> bool:
    """Tell whether the claims parameter asks for `amr` in the ID token."""
    asked = (_claims(single) or {}).get("id_token")
    return isinstance(asked, dict) and "amr" in asked
