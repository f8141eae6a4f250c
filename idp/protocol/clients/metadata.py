"""Client metadata, checked on create and on update (OIDC Registration 2, RFC 7591 section 2; CON-1).

`problems` names everything that is wrong at once, so that an administrator corrects it at once.
Messages are ASCII: they also go on the wire, as `error_description`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from idp.domain.client import (
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    GrantType,
    SubjectType,
)
from idp.protocol.authorization.redirect_uri import FORBIDDEN_SCHEMES, scheme
from idp.protocol.authorization.request import RESPONSE_TYPES
from idp.protocol.authorization.response_mode import ResponseMode
from idp.protocol.claims.standard import COMPANIONS, PERSON_CLAIMS
from idp.protocol.claims.subject import redirect_hosts
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, SUPPORTED_SCOPES

#: What an ID Token may be signed with for a client; the keyring says which of them it can.
SIGNING_ALGORITHMS: Final = ("ES256", "RS256", "PS256", "EdDSA")
#: What each kind of public key can verify, with the one curve that goes with it.
KEY_ALGORITHMS: Final = {
    "EC": ("P-256", ("ES256",)),
    "OKP": ("Ed25519", ("EdDSA", "Ed25519")),
    "RSA": (None, ("RS256", "PS256")),
}
#: The city's scale of certification (FC-6).
CLAIM_LEVELS: Final = (100, 250, 600)

_MOST_URIS = 50
_MOST_KEYS = 20
_LONGEST_URI = 2048
_LONGEST_NAME = 200
# 2048 bits in base64url, which is what `n` is written in.
_SHORTEST_MODULUS = 341
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# What an answer adds to a redirect URI: there would be two of them.
_ANSWER_PARAMETERS = frozenset(
    {"code", "state", "iss", "error", "error_description", "id_token", "access_token", "response"}
)

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~\-]{1,255}")
_SUBJECT_LIKE = re.compile(r"[A-Za-z0-9_\-]{43}")
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?")
_APP_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(?:\.[a-z0-9+\-]+)+")
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """One thing that is wrong.

    Attributes:
        field: Its name on the wire, or in `Client` for what the wire has no name for.
        message: What is wrong with it, ASCII.
    """

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs from one installation to another.

    Attributes:
        signing_algs: What the keyring has keys for.
        scopes: Scopes that exist.
    """

    signing_algs: tuple[str, ...] = SIGNING_ALGORITHMS
    scopes: frozenset[str] = frozenset(SUPPORTED_SCOPES)


DEFAULT_RULES: Final = Rules()


def problems(client: Client, rules: Rules = DEFAULT_RULES) -> tuple[MetadataProblem, ...]:
    """Name everything that is wrong with a client.

    Args:
        client: As it would be stored; its types are right, nothing else is trusted.
        rules: What this installation has.

    Returns:
        The problems in the order of `CHECKS`; empty when the client may be stored.
    """
    return tuple(
        MetadataProblem(field, message) for check in CHECKS for field, message in check(client, rules)
    )


Found = Iterator[tuple[str, str]]


def _identity(client: Client, _: Rules) -> Found:
    if _CLIENT_ID.fullmatch(client.client_id) is None:
        yield "client_id", "must be 1 to 255 letters, digits, dots, hyphens, underscores or tildes"
    if _SUBJECT_LIKE.fullmatch(client.client_id):
        # RFC 9700 section 4.15: no client id may be confused with a person's subject.
        yield "client_id", "must not have the form of a subject identifier (43 characters)"
    if not client.name.strip() or len(client.name) > _LONGEST_NAME:
        yield "client_name", f"must have 1 to {_LONGEST_NAME} characters"
    elif not client.name.isprintable():
        yield "client_name", "must not have control or invisible characters"
    if not client.policy_version.strip():
        yield "policy_version", "must not be empty"
    if any(_CONTACT.fullmatch(contact) is None for contact in client.contacts):
        yield "contacts", "must be e-mail addresses"
    if client.starts_at and client.ends_at and client.ends_at <= client.starts_at:
        yield "ends_at", "must be after starts_at"


def _redirect_uris(client: Client, _: Rules) -> Found:
    yield from _uris("redirect_uris", client.redirect_uris, client)
    if GrantType.AUTHORIZATION_CODE in client.grant_types and not client.redirect_uris:
        yield "redirect_uris", "must have at least one URI for the authorization code grant"
    for uri in client.redirect_uris:
        if _has_answer_parameter(uri):
            yield "redirect_uris", "must not have a query parameter that the answer adds"


def _post_logout_redirect_uris(client: Client, _: Rules) -> Found:
    yield from _uris("post_logout_redirect_uris", client.post_logout_redirect_uris, client)


def _pages(client: Client, _: Rules) -> Found:
    pages = {
        "logo_uri": client.logo_uri,
        "policy_uri": client.policy_uri,
        "client_uri": client.service_uri,
    }
    for field, uri in pages.items():
        if uri is not None:
            yield from ((field, fault) for fault in _page_faults(uri))


def _authentication(client: Client, _: Rules) -> Found:
    alg = client.authentication_signing_alg
    if alg is not None and alg not in SIGNING_ALGORITHMS:
        yield "token_endpoint_auth_signing_alg", f"must be one of {' '.join(SIGNING_ALGORITHMS)}"
    signs = client.authentication_method is ClientAuthenticationMethod.PRIVATE_KEY_JWT
    if signs and client.jwks is None:
        yield "jwks", "is needed for private_key_jwt"
    if client.is_public and not client.require_pkce:
        yield "require_pkce", "can't be off for a client without a secret"
    if client.is_public and client.secrets:
        yield "client_secret", "must not exist for a client that authenticates with none"


def _grants(client: Client, _: Rules) -> Found:
    grants = client.grant_types
    if not grants or not grants <= {grant.value for grant in GrantType}:
        yield "grant_types", f"must be some of {' '.join(GrantType)}"
    if GrantType.CLIENT_CREDENTIALS in grants and client.is_public:
        # RFC 6749 section 4.4: "MUST only be used by confidential clients".
        yield "grant_types", "client_credentials needs a client that authenticates"
    if GrantType.REFRESH_TOKEN in grants and GrantType.AUTHORIZATION_CODE not in grants:
        yield "grant_types", "refresh_token needs authorization_code"


def _responses(client: Client, _: Rules) -> Found:
    if not client.response_types <= RESPONSE_TYPES.keys():
        yield "response_types", f"must be some of {' '.join(RESPONSE_TYPES)}"
    if ("code" in client.response_types) != (GrantType.AUTHORIZATION_CODE in client.grant_types):
        yield "response_types", "code goes with the authorization_code grant, and with it only"
    if not client.response_modes or not client.response_modes <= {m.value for m in ResponseMode}:
        yield "response_modes", f"must be some of {' '.join(ResponseMode)}"


def _algorithms(client: Client, rules: Rules) -> Found:
    algs = " ".join(rules.signing_algs)
    if client.id_token_signed_response_alg not in rules.signing_algs:
        yield "id_token_signed_response_alg", f"must be one of {algs}"
    if client.userinfo_signed_response_alg not in {None, *rules.signing_algs}:
        yield "userinfo_signed_response_alg", f"must be absent or one of {algs}"


def _keys(client: Client, _: Rules) -> Found:
    if client.jwks is None:
        return
    keys = client.jwks.get("keys")
    if not isinstance(keys, list) or not keys or len(keys) > _MOST_KEYS:
        yield "jwks", f"must have a keys array of 1 to {_MOST_KEYS} keys"
        return
    for key in keys:
        yield from (("jwks", fault) for fault in _key_faults(key))
    kids = [key.get("kid") for key in keys if isinstance(key, dict)]
    if len(kids) > 1 and len({kid for kid in kids if _is_text(kid)}) < len(kids):
        yield "jwks", "must give each key a kid of its own"


def _subjects(client: Client, _: Rules) -> Found:
    sector = client.sector_identifier
    if sector is not None and _HOST.fullmatch(sector) is None:
        yield "sector_identifier", "must be a host name in lower case"
    if client.subject_type is not SubjectType.PAIRWISE or sector is not None:
        return
    if len(redirect_hosts(_parsable(client.redirect_uris))) > 1:
        # OIDC Core 8.1: without it the subject would depend on which host comes first.
        yield "sector_identifier", "is needed for pairwise subjects with several redirect hosts"


def _scopes(client: Client, rules: Rules) -> Found:
    if not client.scopes <= rules.scopes:
        yield "scope", f"must be some of {' '.join(sorted(rules.scopes))}"
    if GrantType.AUTHORIZATION_CODE in client.grant_types and OPENID not in client.scopes:
        yield "scope", "must contain openid for the authorization_code grant"
    if OFFLINE_ACCESS in client.scopes and not client.may_refresh:
        yield "scope", "offline_access needs the refresh_token grant"


def _claims(client: Client, _: Rules) -> Found:
    names = [use.name for use in client.claims]
    if len(set(names)) < len(names):
        yield "claims", "must name each claim once"
    for use in client.claims:
        yield from (("claims", fault) for fault in _claim_faults(use))


Check = Callable[[Client, Rules], Found]
#: Every check, in the order of the fields.
CHECKS: Final[tuple[Check, ...]] = (
    _identity,
    _redirect_uris,
    _post_logout_redirect_uris,
    _pages,
    _authentication,
    _grants,
    _responses,
    _algorithms,
    _keys,
    _subjects,
    _scopes,
    _claims,
)


def _uris(field: str, uris: tuple[str, ...], client: Client) -> Found:
    if len(uris) > _MOST_URIS:
        yield field, f"must have {_MOST_URIS} URIs at most"
    for uri in uris:
        yield from ((field, fault) for fault in _redirect_faults(uri, client))


def _redirect_faults(uri: str, client: Client) -> Iterator[str]:
    if scheme(uri) in FORBIDDEN_SCHEMES:
        yield "must not have a scheme that runs code or reads what is local"
        return
    faults = tuple(_syntax_faults(uri))
    yield from faults
    if faults or _is_web(uri):
        return
    if scheme(uri) == "http":
        # RFC 9700 section 2.6: "Redirect URIs with the http scheme MUST NOT be allowed" but for
        # loopback.
        yield "must use https, or http on this very machine"
    elif not client.is_public or not _is_app_uri(uri):
        # RFC 8252 section 7.1: a domain name of the app's maker, reversed; and an app is public.
        yield "must use https, or for an app without a secret a reversed domain name as scheme"


def _page_faults(uri: str) -> Iterator[str]:
    faults = tuple(_syntax_faults(uri))
    yield from faults
    if not faults and not _is_web(uri):
        yield "must use https, or http on this very machine"


def _syntax_faults(uri: str) -> Iterator[str]:
    if len(uri) > _LONGEST_URI:
        yield f"must have {_LONGEST_URI} characters at most"
        return
    if "#" in uri:
        # RFC 6749 section 3.1.2: "MUST NOT include a fragment component".
        yield "must not have a fragment"
        return
    if _URI_CHARACTERS.fullmatch(uri) is None or _PERCENT.search(uri):
        # Spaces, controls, backslashes, wildcards and letters beyond ASCII: a browser and a
        # server read them differently.
        yield "must have no wildcard and only the characters of RFC 3986"
        return
    yield from _part_faults(uri)


def _part_faults(uri: str) -> Iterator[str]:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        yield "must have a valid host and port"
        return
    if "@" in parts.netloc:
        yield "must not have a user name or a password"
    elif parts.scheme in {"https", "http"} and (port == 0 or not _is_host(parts.netloc)):
        yield "must have a valid host, in lower case, and a valid port"
    if ".." in parts.path.split("/"):
        yield "must not have dot segments"


def _is_host(netloc: str) -> bool:
    # From the text, not from `hostname`, which is lowered: the comparison of redirect URIs is not.
    if netloc.startswith("["):
        return netloc.partition("]")[0] == "[::1"
    return _HOST.fullmatch(netloc.partition(":")[0]) is not None


def _is_web(uri: str) -> bool:
    if uri.startswith("https://"):
        return True
    return uri.startswith("http://") and urlsplit(uri).hostname in _LOCAL_HOSTS


def _is_app_uri(uri: str) -> bool:
    head, _, rest = uri.partition(":")
    return _APP_SCHEME.fullmatch(head) is not None and rest.startswith("/")


def _parsable(uris: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(uri for uri in uris if not tuple(_syntax_faults(uri)))


def _has_answer_parameter(uri: str) -> bool:
    query = uri.partition("?")[2]
    return any(name in _ANSWER_PARAMETERS for name, _ in parse_qsl(query, keep_blank_values=True))


def _key_faults(key: object) -> Iterator[str]:
    if not isinstance(key, dict):
        yield "must have objects as keys"
        return
    if not _PRIVATE_MEMBERS.isdisjoint(key):
        yield "must have public keys only; this one is to be considered stolen"
    kind = KEY_ALGORITHMS.get(key["kty"]) if _is_text(key.get("kty")) else None
    if kind is None:
        yield f"must have keys of kty {' '.join(KEY_ALGORITHMS)}"
        return
    curve, algs = kind
    if "alg" in key and key["alg"] not in algs:
        yield f"must have keys whose alg, if any, is one of {' '.join(algs)}"
    if key.get("use", "sig") != "sig":
        yield "must have keys whose use, if any, is sig"
    yield from _material_faults(key, curve)


def _material_faults(key: dict[str, Any], curve: str | None) -> Iterator[str]:
    if curve is None:
        if not _is_text(key.get("e")) or len(str(key.get("n", ""))) < _SHORTEST_MODULUS:
            yield "must have RSA keys of 2048 bits or more"
        return
    members = ("x", "y") if key["kty"] == "EC" else ("x",)
    if key.get("crv") != curve or not all(_is_text(key.get(member)) for member in members):
        yield f"must have {key['kty']} keys on the curve {curve}"


def _claim_faults(use: ClaimUse) -> Iterable[str]:
    if use.name in COMPANIONS:
        yield f"{use.name} comes with {COMPANIONS[use.name]} and is not asked apart"
    elif use.name not in PERSON_CLAIMS:
        yield f"must be some of {' '.join(n for n in PERSON_CLAIMS if n not in COMPANIONS)}"
    if not use.reason.get("fr", "").strip():
        yield "must have a reason in French for each claim"
    if use.minimum_level not in CLAIM_LEVELS:
        yield "must have a minimum level of 100, 250 or 600"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
