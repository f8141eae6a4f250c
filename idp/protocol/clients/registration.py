"""From the JSON of a registration to `Client`, and back (RFC 7591 section 2; OIDC Registration 2; OID-7).

The members of every extension stand in the tables below: RFC 8705 9.5 (mutual TLS), RFC 9101 10.5 (request objects),
RFC 9126 6 (pushed requests), RFC 9449 5.2 (DPoP), RFC 9701 6 (introspection), JARM 3, and the logout specifications.
Members that are unknown are ignored, names with a language tag among them; so is `logo_uri`, for a logo is uploaded
by an administrator and never fetched: an answer tells a client what it has got (RFC 7591 section 3.2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from idp.domain.client import (
    ApplicationType,
    CertificateSubject,
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    Encryption,
    GrantType,
    RegistrationPolicy,
    SubjectType,
)
from idp.protocol.authorization.response_type import canonical as canonical_response_type
from idp.protocol.claims.standard import COMPANIONS, PERSON_CLAIMS
from idp.protocol.clients.contract import NEUTRAL_REASON
from idp.protocol.clients.metadata import CERTIFICATE_NAMES, MetadataProblem
from idp.protocol.clients.public_keys import known_members
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, SUPPORTED_SCOPES, serialise

#: A change of these makes another service of the one that the city verified.
_SHOWN: Final = (
    "name",
    "service_uri",
    "policy_uri",
    "tos_uri",
    "initiate_login_uri",
    "redirect_uris",
    "post_logout_redirect_uris",
)
#: How a client without a name is called when its addresses have no host either.
_NAMELESS: Final = "Service"

_TEXTS: Final = {
    "client_uri": "service_uri",
    "policy_uri": "policy_uri",
    "tos_uri": "tos_uri",
    "initiate_login_uri": "initiate_login_uri",
    "jwks_uri": "jwks_uri",
    "sector_identifier_uri": "sector_identifier_uri",
    "token_endpoint_auth_signing_alg": "authentication_signing_alg",
    "request_object_signing_alg": "request_object_signing_alg",
    "id_token_signed_response_alg": "id_token_signed_response_alg",
    "userinfo_signed_response_alg": "userinfo_signed_response_alg",
    "authorization_signed_response_alg": "authorization_signed_response_alg",
    "introspection_signed_response_alg": "introspection_signed_response_alg",
    "backchannel_logout_uri": "backchannel_logout_uri",
    "frontchannel_logout_uri": "frontchannel_logout_uri",
}
_LISTS: Final = {
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "request_uris": "request_uris",
    "contacts": "contacts",
    "default_acr_values": "default_acr_values",
}
_FLAGS: Final = {
    "require_auth_time": "require_auth_time",
    "require_pushed_authorization_requests": "require_pushed_requests",
    "require_signed_request_object": "require_signed_requests",
    "dpop_bound_access_tokens": "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens": "tls_bound_access_tokens",
    "backchannel_logout_session_required": "backchannel_logout_session_required",
    "frontchannel_logout_session_required": "frontchannel_logout_session_required",
}
_ENCRYPTIONS: Final = {
    "id_token_encrypted_response": "id_token_encryption",
    "userinfo_encrypted_response": "userinfo_encryption",
    "authorization_encrypted_response": "authorization_encryption",
    "introspection_encrypted_response": "introspection_encryption",
    "request_object_encryption": "request_object_encryption",
}
_CHOICES: Final[dict[str, tuple[str, type[StrEnum]]]] = {
    "application_type": ("application_type", ApplicationType),
    "subject_type": ("subject_type", SubjectType),
    "token_endpoint_auth_method": ("authentication_method", ClientAuthenticationMethod),
}
#: The defaults of the standards, where they are not those of an administrator: OIDC Registration 2, JARM 3.
_DEFAULTS: Final = {
    "id_token_signed_response_alg": "RS256",
    "authorization_signed_response_alg": "RS256",
}
_CERTIFICATE_PREFIX: Final = "tls_client_auth_"
_TO_STATEMENT: Final = "is not supported: send the metadata themselves"
#: What only the answer of a registration carries; who sends them back has mixed two things up (RFC 7592 section 2.2).
ANSWER_MEMBERS: Final = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Members have the wrong type, or contradict each other; all at once."""

    problems: tuple[MetadataProblem, ...]


def read(
    members: Mapping[str, object], policy: RegistrationPolicy, present: Client | None = None
) -> Client | Unreadable:
    """Make a client of what it says of itself; `metadata.problems` then says whether it may be stored.

    Args:
        members: The JSON object that came; nothing of it is trusted. A null is a member that is absent.
        policy: What a client that registers itself may have.
        present: The client that is changed (RFC 7592 section 2.2): what it left out goes back to the default,
            and what an administrator decided stays.

    Returns:
        The client, without an identifier unless it has one already; or what can't be read.
    """
    reading = _Reading({name: value for name, value in members.items() if value is not None})
    attributes = reading.attributes()
    if reading.problems:
        return Unreadable(tuple(reading.problems))
    base = _newcomer(policy) if present is None else present
    client = replace(base, **attributes)
    client = replace(
        client,
        name=attributes.get("name") or _name_of(client),
        require_pkce=base.require_pkce or client.is_public,
        scopes=_scopes(reading.scopes, client, base),
        sector_identifier=_sector(client),
    )
    return client if present is None else replace(client, is_verified=_is_still_verified(present, client))


def written(client: Client) -> dict[str, Any]:
    """Write everything that a client registered; what it doesn't have is left out."""
    found: dict[str, Any] = {
        "client_id": client.client_id,
        "client_name": client.name,
        "grant_types": sorted(client.grant_types),
        "response_types": sorted(client.response_types),
        "scope": serialise(client.scopes),
    }
    if client.created_at is not None:
        found["client_id_issued_at"] = int(client.created_at.timestamp())
    found |= {wire: getattr(client, name) for wire, name in (_TEXTS | _FLAGS).items()}
    found |= {wire: list(getattr(client, name)) or None for wire, name in _LISTS.items()}
    found |= {wire: getattr(client, name).value for wire, (name, _) in _CHOICES.items()}
    found |= {"default_max_age": client.default_max_age, "jwks": client.jwks}
    if client.certificate_subject is not None:
        found[_CERTIFICATE_PREFIX + client.certificate_subject.kind] = client.certificate_subject.value
    for prefix, name in _ENCRYPTIONS.items():
        encryption: Encryption | None = getattr(client, name)
        if encryption is not None:
            found |= {f"{prefix}_alg": encryption.alg, f"{prefix}_enc": encryption.enc}
    return {wire: value for wire, value in found.items() if value is not None}


def _newcomer(policy: RegistrationPolicy) -> Client:
    """Give what a client has that registers itself, and can't choose (S-73)."""
    claims = tuple(ClaimUse(name, NEUTRAL_REASON) for name in PERSON_CLAIMS if name not in COMPANIONS)
    return Client(
        client_id="",
        name="",
        claims=claims,
        is_verified=False,
        consent_required=True,
        require_pkce=policy.require_pkce,
    )


def _is_still_verified(present: Client, changed: Client) -> bool:
    return present.is_verified and all(getattr(present, name) == getattr(changed, name) for name in _SHOWN)


def _name_of(client: Client) -> str:
    for uri in client.redirect_uris:
        try:
            host = urlsplit(uri).hostname
        except ValueError:
            continue
        if host:
            return host
    return _NAMELESS


def _sector(client: Client) -> str | None:
    """Give the host of the sector's address (OIDC Core 8.1); None where it has none, for the checks to refuse."""
    uri = client.sector_identifier_uri
    if uri is None:
        return None
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None


def _scopes(asked: frozenset[str] | None, client: Client, base: Client) -> frozenset[str]:
    """Give the scopes that it asked for and may have; all of them when it names none.

    RFC 7591 section 2, `scope`: "If omitted, an authorization server MAY register a client with a default set".
    """
    may_have = frozenset(SUPPORTED_SCOPES) | base.scopes
    given = may_have if asked is None else asked & may_have
    speaks_of_people = client.grant_types & {
        GrantType.AUTHORIZATION_CODE,
        GrantType.IMPLICIT,
        GrantType.DEVICE_CODE,
    }
    if not speaks_of_people:
        return given - frozenset(SUPPORTED_SCOPES)
    return (given | {OPENID}) - (frozenset() if client.may_refresh else {OFFLINE_ACCESS})


class _Reading:
    """Reads members by their type, and collects what is wrong.

    Args:
        members: Without nulls.
    """

    def __init__(self, members: Mapping[str, object]) -> None:
        self._members = members
        self.problems: list[MetadataProblem] = []
        self.scopes: frozenset[str] | None = None

    def attributes(self) -> dict[str, Any]:
        """Give every attribute of `Client` that is on the wire, at its default where it is absent."""
        if "software_statement" in self._members:
            self._complain("software_statement", _TO_STATEMENT)
        scope = self._text("scope")
        self.scopes = None if scope is None else frozenset(scope.split())
        found: dict[str, Any] = {"name": self._text("client_name")}
        found |= {name: self._text(wire, _DEFAULTS.get(wire)) for wire, name in _TEXTS.items()}
        found |= {name: tuple(self._texts(wire) or ()) for wire, name in _LISTS.items()}
        found |= {name: self._flag(wire) for wire, name in _FLAGS.items()}
        found |= {name: self._choice(wire, kind) for wire, (name, kind) in _CHOICES.items()}
        found |= {name: self._encryption(prefix) for prefix, name in _ENCRYPTIONS.items()}
        found |= {
            "default_max_age": self._number("default_max_age"),
            "jwks": self._key_set(),
            "certificate_subject": self._certificate_subject(),
        }
        # An unsigned request object is refused, whatever is registered: what is left is the default, any
        # algorithm that we know (OIDC Registration 2).
        if found["request_object_signing_alg"] == "none":
            found["request_object_signing_alg"] = None
        return found | self._flows()

    def _flows(self) -> dict[str, Any]:
        grants, types = self._texts("grant_types"), self._texts("response_types")
        wanted = None if types is None else frozenset(map(canonical_response_type, types))
        if grants is None:
            words = {word for text in wanted or {"code"} for word in text.split()}
            given = {GrantType.AUTHORIZATION_CODE.value} if "code" in words else set()
            grants = (*given, *({GrantType.IMPLICIT.value} if words & {"id_token", "token"} else set()))
        if wanted is None:
            wanted = frozenset({"code"} if GrantType.AUTHORIZATION_CODE in grants else ())
        return {"grant_types": frozenset(grants), "response_types": wanted}

    def _text(self, wire: str, default: str | None = None) -> str | None:
        value = self._members.get(wire, default)
        if value is None or isinstance(value, str):
            return value
        self._complain(wire, "must be a string")
        return None

    def _texts(self, wire: str) -> tuple[str, ...] | None:
        value = self._members.get(wire)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(dict.fromkeys(value))
        self._complain(wire, "must be an array of strings")
        return ()

    def _flag(self, wire: str) -> bool:
        value = self._members.get(wire, False)
        if isinstance(value, bool):
            return value
        self._complain(wire, "must be true or false")
        return False

    def _number(self, wire: str) -> int | None:
        value = self._members.get(wire)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._complain(wire, "must be an integer")
        return None

    def _choice(self, wire: str, kind: type[StrEnum]) -> StrEnum:
        default = {
            ApplicationType: ApplicationType.WEB,
            SubjectType: SubjectType.PAIRWISE,
            ClientAuthenticationMethod: ClientAuthenticationMethod.SECRET_BASIC,
        }[kind]
        value = self._text(wire)
        if value is None:
            return default
        found = {member.value: member for member in kind}.get(value)
        if found is None:
            self._complain(wire, f"must be one of {' '.join(kind)}")
        return found or default

    def _encryption(self, prefix: str) -> Encryption | None:
        alg, enc = self._text(f"{prefix}_alg"), self._text(f"{prefix}_enc")
        if alg is None:
            if enc is not None:
                # OIDC Registration 2: "When [enc] is included, [alg] MUST also be provided".
                self._complain(f"{prefix}_enc", f"needs {prefix}_alg")
            return None
        return Encryption(alg) if enc is None else Encryption(alg, enc)

    def _key_set(self) -> dict[str, Any] | None:
        value = self._members.get("jwks")
        if value is None:
            return None
        if isinstance(value, dict):
            return known_members(value)
        self._complain("jwks", "must be an object")
        return None

    def _certificate_subject(self) -> CertificateSubject | None:
        names = [name for name in CERTIFICATE_NAMES if _CERTIFICATE_PREFIX + name in self._members]
        if len(names) > 1:
            # RFC 8705 section 2.1.2: "MUST use exactly one of the below metadata parameters".
            self._complain(_CERTIFICATE_PREFIX + names[1], "must not stand beside another name")
        if not names:
            return None
        value = self._text(_CERTIFICATE_PREFIX + names[0])
        return None if value is None else CertificateSubject(names[0], value)

    def _complain(self, wire: str, message: str) -> None:
        self.problems.append(MetadataProblem(wire, message))
