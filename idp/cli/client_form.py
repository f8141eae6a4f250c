"""From command-line flags and TOML to what a client registers (CON-1)."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from idp.cli.client_options import NO_PROFILE
from idp.cli.exits import Refusal
from idp.domain.client import CERTIFICATE_METHODS, Client, ClientAuthenticationMethod, GrantType, Profile
from idp.domain.written_dates import PARIS
from idp.protocol.authorization.response_type import canonical as canonical_response_type
from idp.protocol.authorization.response_type import is_in_front
from idp.protocol.claims.standard import COMPANIONS, SCOPE_CLAIMS
from idp.protocol.clients import profile as profiles
from idp.protocol.clients.contract import NEUTRAL_REASON
from idp.protocol.clients.metadata import MetadataProblem
from idp.protocol.clients.public_keys import signing_algorithms
from idp.protocol.scope import OFFLINE_ACCESS
from idp.protocol.signature_algorithms import FAPI_ALGORITHMS

#: What the service does not choose.
_OURS: Final = frozenset({"version", "secrets", "created_at", "disabled_at", "logo_uri"})
_ATTRIBUTES: Final = frozenset(field.name for field in fields(Client)) - _OURS
#: An empty value takes these away.
_CAN_BE_ABSENT: Final = frozenset(field.name for field in fields(Client) if field.default is None)
#: Problems carry the names of the wire; a person typed these.
_TYPED_AS: Final = {
    "authorization_encrypted_response_alg": "authorization_encryption",
    "authorization_encrypted_response_enc": "authorization_encryption",
    "client_name": "name",
    "client_uri": "service_uri",
    "id_token_encrypted_response_alg": "id_token_encryption",
    "id_token_encrypted_response_enc": "id_token_encryption",
    "introspection_encrypted_response_alg": "introspection_encryption",
    "introspection_encrypted_response_enc": "introspection_encryption",
    "request_object_encryption_alg": "request_object_encryption",
    "request_object_encryption_enc": "request_object_encryption",
    "scope": "scopes",
    "tls_client_auth_subject_dn": "certificate_subject",
    "token_endpoint_auth_method": "authentication_method",
    "token_endpoint_auth_signing_alg": "authentication_signing_alg",
    "userinfo_encrypted_response_alg": "userinfo_encryption",
    "userinfo_encrypted_response_enc": "userinfo_encryption",
}
_ENCRYPTIONS: Final = frozenset(name for name in _TYPED_AS.values() if name.endswith("_encryption"))
_MOMENTS: Final = frozenset({"starts_at", "ends_at"})
_LEVELS: Final = frozenset({"100", "250", "600"})
_NEEDS: Final = {"required": True, "optional": False}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        attributes: Of `Client`, as plain values; those that were named.
        logo: A new image, as it was read; None to leave the one that is there.
        without_logo: Take the logo away.
    """

    attributes: dict[str, Any]
    logo: bytes | None = None
    without_logo: bool = False

    @property
    def is_nothing(self) -> bool:
        """Tell whether nothing was named."""
        return not self.attributes and self.logo is None and not self.without_logo

    @property
    def is_legacy(self) -> bool:
        """Tell whether tokens are asked for in the answer of the authorization endpoint."""
        types = self.attributes.get("response_types", ())
        return any(map(is_in_front, types))


def asked(flags: dict[str, Any]) -> Asked:
    """Put file and flags together.

    Args:
        flags: As click read them.

    Raises:
        Refusal: A file can't be read, or has a key that no client has.
    """
    found, logo_file = _from_file(flags.pop("file", None))
    logo_file = flags.pop("logo_file", None) or logo_file
    without_logo = flags.pop("without_logo", False)
    found.update(_from_flags(flags))
    return Asked(_completed(found), None if logo_file is None else _bytes(logo_file), without_logo)


def new_client(attributes: dict[str, Any]) -> Client:
    """Make a client of what was asked.

    Raises:
        Refusal: A value has the wrong type.
    """
    # Types first: what follows reads inside of the values.
    _converted({"client_id": "", "name": "", **attributes})
    implied = _implied(attributes, frozenset(attributes.get("scopes", ())))
    wanted = {"client_id": "", "name": "", **_claims_of_scopes(attributes), **implied, **attributes}
    return _converted(_of_profile(wanted, attributes))


def changed_client(present: Client, attributes: dict[str, Any]) -> Client:
    """Apply what was asked to a client.

    Raises:
        Refusal: A value has the wrong type.
    """
    kept = dict(msgspec.to_builtins({name: getattr(present, name) for name in _ATTRIBUTES}))
    scopes = frozenset(attributes.get("scopes", present.scopes))
    implied = (
        _implied(attributes, scopes, present) if attributes.keys() & {"grant_types", "response_types"} else {}
    )
    changed = _converted(_of_profile({**kept, **implied, **attributes}, attributes))
    return replace(
        changed,
        version=present.version,
        secrets=present.secrets,
        created_at=present.created_at,
        disabled_at=present.disabled_at,
        logo_uri=present.logo_uri,
    )


def in_words(problems: tuple[MetadataProblem, ...]) -> str:
    """Say everything that is wrong, a line each, in the words that were typed."""
    return "\n".join(["nothing was stored:", *(f"  {in_one_line(problem)}" for problem in problems)])


def in_one_line(problem: MetadataProblem) -> str:
    """Say one thing that is wrong, in the words that were typed."""
    return f"{_TYPED_AS.get(problem.field, problem.field)} {problem.message}"


def _claims_of_scopes(attributes: dict[str, Any]) -> dict[str, Any]:
    """Fill in the claims that the scopes imply, each one optional.

    A service that names a scope and no claim would otherwise get the scope and nothing of it.
    """
    claims = [
        {"name": name, "reason": NEUTRAL_REASON}
        for scope in attributes.get("scopes", ())
        for name in SCOPE_CLAIMS.get(scope, ())
        if name not in COMPANIONS
    ]
    return {"claims": claims}


def _implied(
    attributes: dict[str, Any], scopes: frozenset[str], present: Client | None = None
) -> dict[str, Any]:
    """Fill in grants for response types and the other way round (OIDC Registration 2), and that of `offline_access`."""
    grants, types = attributes.get("grant_types"), attributes.get("response_types")
    if grants is not None:
        return {"response_types": ["code"] if GrantType.AUTHORIZATION_CODE in grants else []}
    wanted = ["code"] if types is None else types
    words = {word for text in wanted for word in text.split()}
    front = {GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT}
    implied = set() if present is None else present.grant_types - front
    if "code" in words:
        implied |= {GrantType.AUTHORIZATION_CODE}
    if any(map(is_in_front, wanted)):
        implied |= {GrantType.IMPLICIT}
    if OFFLINE_ACCESS in scopes and "code" in words:
        implied |= {GrantType.REFRESH_TOKEN}
    return {"grant_types": sorted(implied)}


def _of_profile(wanted: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """Set what a profile needs wherever nothing else was named; the checks refuse what was named and doesn't fit."""
    if named.get("profile") is None:
        return wanted
    algs = [alg for alg in signing_algorithms(wanted.get("jwks") or {}) if alg in FAPI_ALGORITHMS]
    method = wanted.get("authentication_method")
    if method not in profiles.METHODS:
        method = ClientAuthenticationMethod.PRIVATE_KEY_JWT.value
    bound = "tls_bound_access_tokens" if method in CERTIFICATE_METHODS else "dpop_bound_access_tokens"
    is_bound = wanted.get("tls_bound_access_tokens") or wanted.get("dpop_bound_access_tokens")
    needed: dict[str, Any] = {
        "authentication_method": method,
        "require_pkce": True,
        "require_pushed_requests": True,
        "accepts_endpoint_audience": False,
        **({} if is_bound else {bound: True}),
    }
    if wanted.get("id_token_signed_response_alg") not in FAPI_ALGORITHMS:
        needed["id_token_signed_response_alg"] = FAPI_ALGORITHMS[0]
    if named["profile"] == Profile.FAPI2_MESSAGE_SIGNING:
        needed |= {
            "require_signed_requests": True,
            "request_object_signing_alg": (algs or FAPI_ALGORITHMS)[0],
            "authorization_signed_response_alg": FAPI_ALGORITHMS[0],
            "introspection_signed_response_alg": FAPI_ALGORITHMS[0],
        }
    return wanted | {name: value for name, value in needed.items() if name not in named}


def _from_flags(flags: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in flags.items() if value not in {None, ()}}
    found = {
        name: _plain(name, value) for name, value in given.items() if name in _ATTRIBUTES and name != "claims"
    }
    for name in ("description", "retention"):
        texts = {language: given[key] for language, key in _texts(name) if key in given}
        if texts:
            found[name] = texts
    if "claims" in given:
        found["claims"] = _claims(given["claims"], given.get("claims_en", ()))
    if "jwks_file" in given:
        found["jwks"] = _json(given["jwks_file"])
    return found


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401 - as click read it
    if isinstance(value, tuple):
        return _listed(name, value)
    if name in _CAN_BE_ABSENT and value in {"", NO_PROFILE}:
        return None
    if name == "minimum_age" and value == 0:
        return None
    if name in _ENCRYPTIONS:
        alg, _, enc = value.partition(":")
        return {"alg": alg, **({"enc": enc} if enc else {})}
    if name == "certificate_subject":
        kind, _, subject = value.partition("=")
        return {"kind": kind, "value": subject}
    return value


def _listed(name: str, values: tuple[str, ...]) -> list[str]:
    if name == "scopes":
        # Both ways of saying it are natural: --scope openid --scope email, --scope "openid email".
        return [scope for text in values for scope in text.split()]
    return [value for value in values if value]


def _texts(name: str) -> tuple[tuple[str, str], ...]:
    return ("fr", f"{name}_fr"), ("en", f"{name}_en")


def _claims(french: tuple[str, ...], english: tuple[str, ...]) -> list[dict[str, Any]]:
    reasons = dict(text.split(":", 1) for text in english if ":" in text)
    return [_claim(text, reasons) for text in french]


def _claim(text: str, english: dict[str, str]) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    parts = rest.split(":")
    # From the end: what is neither a level nor a word of ours belongs to the reason, colons included.
    level = int(parts.pop()) if parts[-1] in _LEVELS else 100
    required = _NEEDS[parts.pop()] if parts and parts[-1] in _NEEDS else False
    # Quotes that a shell has left: nobody means them.
    reason = {"fr": ":".join(parts).strip().strip('"')}
    if name in english:
        reason["en"] = english[name].strip().strip('"')
    return {"name": name.strip(), "reason": reason, "required": required, "minimum_level": level}


def _from_file(file: Path | None) -> tuple[dict[str, Any], Path | None]:
    if file is None:
        return {}, None
    return _from_table(read_toml(file), file)


def read_toml(file: Path) -> dict[str, Any]:
    """Read a file.

    Raises:
        Refusal: It can't be read, or is no TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"{file}: {error}") from error


def asked_by(table: dict[str, Any], file: Path) -> Asked:
    """Take one service of a file of several.

    Raises:
        Refusal: It has a key that no client has, or names a file that can't be read.
    """
    found, logo_file = _from_table(table, file)
    return Asked(_completed(found), None if logo_file is None else _bytes(logo_file))


def _from_table(table: dict[str, Any], file: Path) -> tuple[dict[str, Any], Path | None]:
    found = dict(table)
    jwks_file, logo_file = found.pop("jwks_file", None), found.pop("logo_file", None)
    if jwks_file is not None:
        found["jwks"] = _json(file.parent / str(jwks_file))
    unknown = sorted(found.keys() - _ATTRIBUTES)
    if unknown:
        raise Refusal(
            f"{file}: no client has {', '.join(unknown)}; there are {', '.join(sorted(_ATTRIBUTES))}"
        )
    return found, None if logo_file is None else file.parent / str(logo_file)


def _completed(found: dict[str, Any]) -> dict[str, Any]:
    completed = dict(found) | {name: _moment(found[name]) for name in _MOMENTS & found.keys()}
    types = found.get("response_types")
    if isinstance(types, list):
        completed["response_types"] = [
            canonical_response_type(text) if isinstance(text, str) else text for text in types
        ]
    uri = found.get("sector_identifier_uri")
    if uri and isinstance(uri, str) and "sector_identifier" not in found:
        completed["sector_identifier"] = _host_of(uri)
    return completed


def _moment(value: Any) -> Any:  # noqa: ANN401 - as it was typed, or as the file has it
    """Take a day, or a moment without a zone, for one of the city's; what is neither is for the checks to refuse."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=PARIS)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _host_of(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refusal(f"{file}: {error}") from error


def _json(file: Path) -> Any:  # noqa: ANN401 - whatever stands there: the checks of the metadata say what is wrong
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise Refusal(f"{file}: {error}") from error


def _converted(attributes: dict[str, Any]) -> Client:
    try:
        return msgspec.convert(attributes, Client)
    except msgspec.ValidationError as error:
        raise Refusal(f"nothing was stored: {error}") from error
