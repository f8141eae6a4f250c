"""Client metadata, checked on create and on update (OIDC Registration 2, RFC 7591 section 2; CON-1).

`problems` names everything that is wrong at once, so that an administrator corrects it at once.
Messages are ASCII: they also go on the wire, as `error_description`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from idp.domain.authentication import ACR_VALUES
from idp.domain.client import (
    RESPONSE_MODES,
    ApplicationType,
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    Encryption,
    GrantType,
    SubjectType,
)
from idp.protocol.authorization.response_type import RESPONSE_TYPES
from idp.protocol.claims.standard import COMPANIONS, PERSON_CLAIMS, SCOPE_CLAIMS
from idp.protocol.claims.subject import redirect_hosts
from idp.protocol.clients.contract import contract_faults
from idp.protocol.clients.profile import profile_faults
from idp.protocol.clients.public_keys import (
    CONTENT_ENCRYPTIONS,
    ENCRYPTION_ALGORITHMS,
    can_decrypt,
    can_verify,
    key_set_faults,
)
from idp.protocol.clients.uris import (
    has_answer_parameter,
    https_faults,
    is_host,
    is_local,
    is_remote_https,
    origin_faults,
    origin_of,
    parsable,
    redirect_faults,
    resource_faults,
    web_faults,
)
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, SUPPORTED_SCOPES
from idp.protocol.scope import parse as parse_scope
from idp.protocol.signature_algorithms import SIGNING_ALGORITHMS

#: The one algorithm of client_secret_jwt: a MAC with the secret that both sides hold (OIDC Core 9).
SECRET_ALGORITHM: Final = "HS256"
#: The city's scale of certification (FC-6).
CLAIM_LEVELS: Final = (100, 250, 600)
#: The names by which a certificate may be known (RFC 8705 section 2.1.2), without their prefix.
CERTIFICATE_NAMES: Final = ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email")
#: Where the logo of a client is served; nothing else ever stands in its `logo_uri`.
LOGO_PATH: Final = "/services/{client_id}/logo"

_MOST_URIS: Final = 50
_MOST_SCOPES: Final = 100
_LONGEST_NAME: Final = 200
_LONGEST_SCOPE: Final = 200
_LONGEST_SUBJECT: Final = 1024
_LONGEST_ACR: Final = 200
_LONGEST_REASON: Final = 1000
#: Ten digits, as `max_age` itself may have.
_LONGEST_AGE: Final = 9_999_999_999

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~\-]{1,255}")
_SUBJECT_LIKE = re.compile(r"[A-Za-z0-9_\-]{43}")
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+")
_HASH = re.compile(r"[A-Za-z0-9_\-=]*")
_ACR = re.compile(r"[\x21-\x7E]+")


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
    """What differs from one installation to another, and from an administrator to a client that registers itself.

    Attributes:
        signing_algs: What the keyring has keys to sign with.
        decryption_algs: What the keyring has keys to decrypt with.
        response_types: Those that may be registered.
        authentication_methods: Those that are served.
    """

    signing_algs: tuple[str, ...] = SIGNING_ALGORITHMS
    decryption_algs: tuple[str, ...] = ENCRYPTION_ALGORITHMS
    response_types: tuple[str, ...] = tuple(RESPONSE_TYPES)
    authentication_methods: tuple[str, ...] = tuple(ClientAuthenticationMethod)


DEFAULT_RULES: Final = Rules()


def problems(client: Client, rules: Rules = DEFAULT_RULES) -> tuple[MetadataProblem, ...]:
    """Name everything that is wrong with a client.

    Args:
        client: As it would be stored; its types are right, nothing else is trusted.
        rules: What this installation has.

    Returns:
        The problems in the order of `CHECKS`, each once; empty when the client may be stored.
    """
    found = (MetadataProblem(field, message) for check in CHECKS for field, message in check(client, rules))
    return tuple(dict.fromkeys(found))


def is_client_id(text: str) -> bool:
    """Tell whether a text may be the identifier of a client: then it can be looked for."""
    return _CLIENT_ID.fullmatch(text) is not None


Found = Iterator[tuple[str, str]]


def _identity(client: Client, _: Rules) -> Found:
    if not is_client_id(client.client_id):
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
    if len(client.contacts) > _MOST_URIS or any(_CONTACT.fullmatch(text) is None for text in client.contacts):
        yield "contacts", f"must be e-mail addresses, {_MOST_URIS} at most"
    yield from _period(client)


def _period(client: Client) -> Found:
    moments = {"starts_at": client.starts_at, "ends_at": client.ends_at}
    unzoned = [field for field, moment in moments.items() if moment is not None and moment.tzinfo is None]
    # Compared with the present at each request: one without a zone can't be.
    yield from ((field, "must have a time zone") for field in unzoned)
    if not unzoned and client.starts_at and client.ends_at and client.ends_at <= client.starts_at:
        yield "ends_at", "must be after starts_at"


def _redirect_uris(client: Client, _: Rules) -> Found:
    yield from _redirects("redirect_uris", client.redirect_uris, client)
    if _has_front_channel(client) and not client.redirect_uris:
        yield "redirect_uris", "must have at least one URI for people to come back to"
    for uri in client.redirect_uris:
        if has_answer_parameter(uri):
            yield "redirect_uris", "must not have a query parameter that the answer adds"
    if GrantType.IMPLICIT in client.grant_types:
        yield from _implicit_redirects(client)


def _implicit_redirects(client: Client) -> Found:
    # OIDC Registration 2: "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using
    # the https scheme as redirect_uris; they MUST NOT use localhost as the hostname".
    is_native = client.application_type is ApplicationType.NATIVE
    for uri in parsable(client.redirect_uris):
        if not is_remote_https(uri) and not (is_native and is_local(uri)):
            yield "redirect_uris", "must use https, and not localhost, where tokens are in the answer itself"


def _post_logout_redirect_uris(client: Client, _: Rules) -> Found:
    yield from _redirects("post_logout_redirect_uris", client.post_logout_redirect_uris, client)


def _pages(client: Client, _: Rules) -> Found:
    pages = {
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "client_uri": client.service_uri,
        "initiate_login_uri": client.initiate_login_uri,
    }
    for field, uri in pages.items():
        if uri is not None:
            yield from ((field, fault) for fault in web_faults(uri))
    own = LOGO_PATH.format(client_id=client.client_id)
    if client.logo_uri is not None and client.logo_uri.partition("?")[0] != own:
        # An image elsewhere tells that place who signs in where, and may change after it was looked at.
        yield "logo_uri", "must be uploaded by `idp clients update --logo`"


def _logout(client: Client, _: Rules) -> Found:
    back, front = client.backchannel_logout_uri, client.frontchannel_logout_uri
    if back is not None:
        yield from (("backchannel_logout_uri", fault) for fault in web_faults(back))
    if front is None:
        return
    faults = tuple(web_faults(front))
    yield from (("frontchannel_logout_uri", fault) for fault in faults)
    origins = {origin_of(uri) for uri in parsable(client.redirect_uris)}
    if not faults and origin_of(front) not in origins:
        # Front-Channel Logout 2: "The domain, port, and scheme of this URL MUST be the same as that of a
        # registered Redirection URI value".
        yield "frontchannel_logout_uri", "must have the scheme, host and port of a redirect URI"


def _authentication(client: Client, rules: Rules) -> Found:
    method, alg = client.authentication_method, client.authentication_signing_alg
    if method not in rules.authentication_methods:
        methods = " ".join(rules.authentication_methods)
        yield "token_endpoint_auth_method", f"must be one of {methods}"
    by_secret = method is ClientAuthenticationMethod.SECRET_JWT
    algs = (SECRET_ALGORITHM,) if by_secret else SIGNING_ALGORITHMS
    if alg is not None and alg not in algs:
        yield "token_endpoint_auth_signing_alg", f"must be one of {' '.join(algs)}"
    if client.is_public and not client.require_pkce:
        yield "require_pkce", "can't be off for a client without a secret"
    if client.is_public and client.secrets:
        yield "client_secret", "must not exist for a client that authenticates with none"
    if client.is_public and client.resource_identifier is not None:
        yield "resource_identifier", "needs a client that authenticates"


def _certificates(client: Client, _: Rules) -> Found:
    subject = client.certificate_subject
    if client.authentication_method is ClientAuthenticationMethod.TLS and subject is None:
        yield "tls_client_auth_subject_dn", "or another name of the certificate is needed for tls_client_auth"
    if subject is None:
        return
    if subject.kind not in CERTIFICATE_NAMES:
        yield "certificate_subject", f"must be one of {' '.join(CERTIFICATE_NAMES)}"
    elif not 0 < len(subject.value) <= _LONGEST_SUBJECT or not subject.value.isprintable():
        yield f"tls_client_auth_{subject.kind}", f"must have 1 to {_LONGEST_SUBJECT} printable characters"


def _grants(client: Client, _: Rules) -> Found:
    grants = client.grant_types
    if not grants or not grants <= {grant.value for grant in GrantType}:
        yield "grant_types", f"must be some of {' '.join(GrantType)}"
    if GrantType.CLIENT_CREDENTIALS in grants and client.is_public:
        # RFC 6749 section 4.4: "MUST only be used by confidential clients".
        yield "grant_types", "client_credentials needs a client that authenticates"
    if GrantType.REFRESH_TOKEN in grants and grants.isdisjoint(
        {GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE}
    ):
        yield "grant_types", "refresh_token needs authorization_code or the device code"


def _responses(client: Client, rules: Rules) -> Found:
    types = client.response_types
    if not types <= frozenset(rules.response_types):
        yield "response_types", f"must be some of: {', '.join(rules.response_types)}"
    words = {word for text in types for word in text.split()}
    # OIDC Registration 2, the table of response_types and grant_types.
    if ("code" in words) != (GrantType.AUTHORIZATION_CODE in client.grant_types):
        yield "response_types", "code goes with the authorization_code grant, and with it only"
    if (not words.isdisjoint({"id_token", "token"})) != (GrantType.IMPLICIT in client.grant_types):
        yield "response_types", "id_token and token go with the implicit grant, and with it only"
    if "token" in words and (client.dpop_bound_access_tokens or client.tls_bound_access_tokens):
        yield "response_types", "with token can't be had by a client whose tokens are bound to a key"
    if not client.response_modes or not client.response_modes <= RESPONSE_MODES:
        yield "response_modes", f"must be some of {' '.join(sorted(RESPONSE_MODES))}"


def _algorithms(client: Client, rules: Rules) -> Found:
    ours = {
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "userinfo_signed_response_alg": client.userinfo_signed_response_alg,
        "authorization_signed_response_alg": client.authorization_signed_response_alg,
        "introspection_signed_response_alg": client.introspection_signed_response_alg,
    }
    for field, alg in ours.items():
        if alg is not None and alg not in rules.signing_algs:
            yield field, f"must be one of {' '.join(rules.signing_algs)}"
    if client.request_object_signing_alg not in {None, *SIGNING_ALGORITHMS}:
        yield "request_object_signing_alg", f"must be one of {' '.join(SIGNING_ALGORITHMS)}"


def _encryption(client: Client, rules: Rules) -> Found:
    to_us = client.request_object_encryption
    if to_us is not None:
        yield from _encryption_faults("request_object_encryption", to_us, rules.decryption_algs)
    to_client = {
        "id_token_encrypted_response": client.id_token_encryption,
        "userinfo_encrypted_response": client.userinfo_encryption,
        "authorization_encrypted_response": client.authorization_encryption,
        "introspection_encrypted_response": client.introspection_encryption,
    }
    for prefix, encryption in to_client.items():
        if encryption is None:
            continue
        yield from _encryption_faults(prefix, encryption, ENCRYPTION_ALGORITHMS)
        if client.jwks_uri is None and not can_decrypt(client.jwks or {}, encryption.alg):
            yield "jwks", "must have a key that the client can decrypt with, of the kind of the algorithm"


def _encryption_faults(prefix: str, encryption: Encryption, algs: tuple[str, ...]) -> Found:
    if encryption.alg not in algs:
        yield f"{prefix}_alg", f"must be one of {' '.join(algs)}"
    if encryption.enc not in CONTENT_ENCRYPTIONS:
        yield f"{prefix}_enc", f"must be one of {' '.join(CONTENT_ENCRYPTIONS)}"


def _keys(client: Client, _: Rules) -> Found:
    if client.jwks is not None and client.jwks_uri is not None:
        # OIDC Registration 2: "The jwks_uri and jwks parameters MUST NOT be used together".
        yield "jwks_uri", "must not stand beside jwks"
    if client.jwks_uri is not None:
        yield from (("jwks_uri", fault) for fault in web_faults(client.jwks_uri))
    method = client.authentication_method
    signs = method is ClientAuthenticationMethod.PRIVATE_KEY_JWT
    if client.jwks is None:
        needs = signs or method is ClientAuthenticationMethod.SELF_SIGNED_TLS
        if needs and client.jwks_uri is None:
            yield "jwks", f"or jwks_uri is needed for {method}"
        return
    yield from (("jwks", fault) for fault in key_set_faults(client.jwks))
    if signs and not can_verify(client.jwks):
        yield "jwks", f"must have a key that signs for {method}"


def _requests(client: Client, _: Rules) -> Found:
    if len(client.request_uris) > _MOST_URIS:
        yield "request_uris", f"must have {_MOST_URIS} URIs at most"
    for uri in client.request_uris:
        # OIDC Core 6.2: the fragment may be the SHA-256 of the content.
        address, _hash, fragment = uri.partition("#")
        yield from (("request_uris", fault) for fault in https_faults(address))
        if _HASH.fullmatch(fragment) is None:
            yield "request_uris", "must have no fragment but the SHA-256 of the content, in base64url"


def _levels(client: Client, _: Rules) -> Found:
    for field, age in (
        ("default_max_age", client.default_max_age),
        ("userinfo_max_age", client.userinfo_max_age),
    ):
        if age is not None and not 0 <= age <= _LONGEST_AGE:
            yield field, "must be a number of seconds, 0 or more"
    values = client.default_acr_values
    if len(values) > _MOST_URIS or any(
        len(value) > _LONGEST_ACR or _ACR.fullmatch(value) is None for value in values
    ):
        yield "default_acr_values", "must be levels, without spaces"
    if client.userinfo_acr is not None and client.userinfo_acr not in ACR_VALUES:
        yield "userinfo_acr", f"must be one of {' '.join(ACR_VALUES)}"


def _interfaces(client: Client, _: Rules) -> Found:
    for field, values in (("allowed_origins", client.allowed_origins), ("resources", client.resources)):
        if len(values) > _MOST_URIS:
            yield field, f"must have {_MOST_URIS} values at most"
    for origin in client.allowed_origins:
        yield from (("allowed_origins", fault) for fault in origin_faults(origin))
    if client.resource_identifier is not None:
        faults = resource_faults(client.resource_identifier)
        yield from (("resource_identifier", fault) for fault in faults)
    for resource in client.resources:
        yield from (("resources", fault) for fault in resource_faults(resource))


def _subjects(client: Client, _: Rules) -> Found:
    sector, uri = client.sector_identifier, client.sector_identifier_uri
    if uri is not None:
        faults = tuple(https_faults(uri))
        yield from (("sector_identifier_uri", fault) for fault in faults)
        if not faults and sector != urlsplit(uri).hostname:
            # OIDC Core 8.1: "the Sector Identifier used for pairwise identifier calculation is the host
            # component of" that address.
            yield "sector_identifier", "must be the host of sector_identifier_uri"
    if sector is not None and not is_host(sector):
        yield "sector_identifier", "must be a host name in lower case"
    if client.subject_type is not SubjectType.PAIRWISE or sector is not None:
        return
    if len(redirect_hosts(parsable(client.redirect_uris))) > 1:
        # OIDC Core 8.1: without it the subject would depend on which host comes first.
        yield "sector_identifier", "is needed for pairwise subjects with several redirect hosts"


def _scopes(client: Client, _: Rules) -> Found:
    scopes = client.scopes
    if len(scopes) > _MOST_SCOPES or any(
        len(scope) > _LONGEST_SCOPE or parse_scope(scope) != frozenset({scope}) for scope in scopes
    ):
        yield "scope", f"must be {_MOST_SCOPES} scopes at most, in the characters of RFC 6749 section 3.3"
    if not client.is_verified and not scopes <= frozenset(SUPPORTED_SCOPES):
        # Scopes of the city's APIs mean something: nobody gives them to oneself.
        yield "scope", f"must be some of {' '.join(SUPPORTED_SCOPES)}"
    if OPENID not in scopes and not scopes.isdisjoint(SCOPE_CLAIMS):
        yield "scope", "must contain openid beside a scope of personal data"
    if _has_front_channel(client) and not scopes:
        yield "scope", "must contain openid, or a scope of an API"
    if OFFLINE_ACCESS in scopes and not client.may_refresh:
        yield "scope", "offline_access needs the refresh_token grant"


def _claims(client: Client, _: Rules) -> Found:
    names = [use.name for use in client.claims]
    if len(set(names)) < len(names):
        yield "claims", "must name each claim once"
    for use in client.claims:
        yield from (("claims", fault) for fault in _claim_faults(use))


def _contract(client: Client, _: Rules) -> Found:
    yield from contract_faults(client)


def _profile(client: Client, _: Rules) -> Found:
    yield from profile_faults(client)


Check = Callable[[Client, Rules], Found]
#: Every check, in the order of the fields.
CHECKS: Final[tuple[Check, ...]] = (
    _identity,
    _redirect_uris,
    _post_logout_redirect_uris,
    _pages,
    _logout,
    _authentication,
    _certificates,
    _grants,
    _responses,
    _algorithms,
    _encryption,
    _keys,
    _requests,
    _levels,
    _interfaces,
    _subjects,
    _scopes,
    _claims,
    _contract,
    _profile,
)


def _has_front_channel(client: Client) -> bool:
    return not client.grant_types.isdisjoint({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})


def _redirects(field: str, uris: tuple[str, ...], client: Client) -> Found:
    if len(uris) > _MOST_URIS:
        yield field, f"must have {_MOST_URIS} URIs at most"
    for uri in uris:
        yield from ((field, fault) for fault in redirect_faults(uri, client))


def _claim_faults(use: ClaimUse) -> Iterable[str]:
    if use.name in COMPANIONS:
        yield f"{use.name} comes with {COMPANIONS[use.name]} and is not asked apart"
    elif use.name not in PERSON_CLAIMS:
        yield f"must be some of {' '.join(n for n in PERSON_CLAIMS if n not in COMPANIONS)}"
    if not use.reason.get("fr", "").strip():
        yield "must have a reason in French for each claim"
    if not all(len(text) <= _LONGEST_REASON and text.isprintable() for text in use.reason.values()):
        yield f"must have reasons of {_LONGEST_REASON} characters at most, without control characters"
    if use.minimum_level not in CLAIM_LEVELS:
        yield "must have a minimum level of 100, 250 or 600"
