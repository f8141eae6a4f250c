"""From command-line flags and TOML to what a client registers: one flag for each attribute of `Client` (CON-1)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from idp.cli.exits import Refusal
from idp.domain.client import Client, ClientAuthenticationMethod, GrantType, LegalBasis, SubjectType
from idp.protocol.claims.standard import COMPANIONS, SCOPE_CLAIMS
from idp.protocol.clients.metadata import MetadataProblem
from idp.protocol.scope import OFFLINE_ACCESS

Command = TypeVar("Command", bound=Callable[..., object])

#: What the service does not choose.
_OURS: Final = frozenset({"version", "secrets", "created_at", "disabled_at"})
_ATTRIBUTES: Final = frozenset(field.name for field in fields(Client)) - _OURS
#: Problems carry the names of the wire; a person typed these.
_TYPED_AS: Final = {
    "client_name": "name",
    "client_uri": "service_uri",
    "scope": "scopes",
    "token_endpoint_auth_method": "authentication_method",
    "token_endpoint_auth_signing_alg": "authentication_signing_alg",
}
#: Nobody has to say why for these, and nobody asks for them by default.
_NOT_ASKED: Final = frozenset({"locale", "updated_at"})
_LEVELS: Final = frozenset({"100", "250", "600"})
_NEEDS: Final = {"required": True, "optional": False}


def _values(kind: type[StrEnum]) -> list[str]:
    # Given the class, click would ask for the names in capitals.
    return [member.value for member in kind]


_OPTIONS: Final = (
    click.option("--name", help="As people see it."),
    click.option("--redirect-uri", "redirect_uris", multiple=True, help="Exact; may be repeated."),
    click.option("--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True, help="The same."),
    click.option(
        "--scope", "scopes", multiple=True, help='"openid profile email offline_access"; openid when absent.'
    ),
    click.option(
        "--claim",
        "claims",
        multiple=True,
        metavar="NAME:REASON[:required][:LEVEL]",
        help="A claim and, in French, why; optional unless said; lowest level 100, 250 or 600. May be repeated."
        " Without any, the claims of the scopes, each one optional.",
    ),
    click.option(
        "--claim-en", "claims_en", multiple=True, metavar="NAME:REASON", help="The reason in English."
    ),
    click.option("--description", "description_fr", help="One sentence in French."),
    click.option("--description-en", help="One sentence in English."),
    click.option("--organisation", help="Who is responsible for the service."),
    click.option("--service-uri", help="Its home page."),
    click.option("--policy-uri", help="Its privacy policy."),
    click.option("--policy-version", help="Raise it to ask for consent again."),
    click.option("--logo-uri", help="Its logo."),
    click.option("--rubrique", help="The sector page it belongs to."),
    click.option("--contact", "contacts", multiple=True, help="E-mail address; may be repeated."),
    click.option("--legal-basis", type=click.Choice(_values(LegalBasis)), help="GDPR article 6."),
    click.option("--retention", "retention_fr", help="How long it keeps the data, in French."),
    click.option("--retention-en", help="The same in English."),
    click.option(
        "--auth-method", "authentication_method", type=click.Choice(_values(ClientAuthenticationMethod))
    ),
    click.option("--auth-alg", "authentication_signing_alg", help="Only this algorithm for private_key_jwt."),
    click.option(
        "--jwks",
        "jwks_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="File with its public keys.",
    ),
    click.option(
        "--grant-type",
        "grant_types",
        multiple=True,
        type=click.Choice(_values(GrantType)),
        help="authorization_code when absent, with refresh_token for the scope offline_access.",
    ),
    click.option("--response-mode", "response_modes", multiple=True),
    click.option(
        "--pkce/--no-pkce", "require_pkce", default=None, help="PKCE may be waived with a secret only."
    ),
    click.option("--id-token-alg", "id_token_signed_response_alg", help="ES256 when absent."),
    click.option("--userinfo-alg", "userinfo_signed_response_alg", help="Sign UserInfo; JSON when absent."),
    click.option("--subject-type", type=click.Choice(_values(SubjectType))),
    click.option("--sector", "sector_identifier", help="Host that pairwise subjects are made for."),
    click.option("--consent/--no-consent", "consent_required", default=None, help="Ask the person."),
    click.option("--starts-at", type=click.DateTime(["%Y-%m-%d"]), help="Closed before."),
    click.option("--ends-at", type=click.DateTime(["%Y-%m-%d"]), help="Closed from then on."),
    click.option(
        "--file",
        "file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="TOML with the attributes; flags go before it.",
    ),
)


def client_options(command: Command) -> Command:
    """Give a command the flags of a client."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def asked(flags: dict[str, Any]) -> dict[str, Any]:
    """Put file and flags together.

    Args:
        flags: As click read them.

    Returns:
        Attributes of `Client` that were given, as plain values.

    Raises:
        Refusal: A file can't be read, or has a key that no client has.
    """
    found = _from_file(flags.pop("file", None))
    found.update(_from_flags(flags))
    grants = found.get("grant_types")
    if grants is not None and "response_types" not in found:
        found["response_types"] = ["code"] if GrantType.AUTHORIZATION_CODE in grants else []
    return found


def new_client(attributes: dict[str, Any]) -> Client:
    """Make a client of what was asked.

    Raises:
        Refusal: A value has the wrong type.
    """
    return _converted({"client_id": "", "name": "", **_defaults(attributes), **attributes})


def _defaults(attributes: dict[str, Any]) -> dict[str, Any]:
    """Fill in what the scopes imply: their claims, each one optional, and the grant that `offline_access` needs.

    A service that names a scope and no claim would otherwise get the scope and nothing of it.
    """
    scopes = attributes.get("scopes", [])
    reason = {"fr": "Pour utiliser ce service.", "en": "To use this service."}
    claims = [
        {"name": name, "reason": reason}
        for scope in scopes
        for name in SCOPE_CLAIMS.get(scope, ())
        if name not in COMPANIONS and name not in _NOT_ASKED
    ]
    grants = [GrantType.AUTHORIZATION_CODE]
    if OFFLINE_ACCESS in scopes:
        grants.append(GrantType.REFRESH_TOKEN)
    return {"claims": claims, "grant_types": grants}


def changed_client(present: Client, attributes: dict[str, Any]) -> Client:
    """Apply what was asked to a client."""
    kept = {name: getattr(present, name) for name in _ATTRIBUTES}
    changed = _converted({**dict(msgspec.to_builtins(kept)), **attributes})
    return replace(
        changed,
        version=present.version,
        secrets=present.secrets,
        created_at=present.created_at,
        disabled_at=present.disabled_at,
    )


def in_words(problems: tuple[MetadataProblem, ...]) -> str:
    """Say everything that is wrong, a line each, in the words that were typed."""
    lines = [f"  {_TYPED_AS.get(problem.field, problem.field)} {problem.message}" for problem in problems]
    return "\n".join(["nothing was stored:", *lines])


def _from_flags(flags: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in flags.items() if value not in {None, ()}}
    found = {
        name: _listed(name, value)
        for name, value in given.items()
        if name in _ATTRIBUTES and name != "claims"
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


def _listed(name: str, value: Any) -> Any:  # noqa: ANN401 - as click read it
    if name == "scopes":
        # Both ways of saying it are natural: --scope openid --scope email, --scope "openid email".
        return [scope for text in value for scope in text.split()]
    return list(value) if isinstance(value, tuple) else value


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


def _from_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"{file}: {error}") from error
    jwks_file = found.pop("jwks_file", None)
    if jwks_file is not None:
        found["jwks"] = _json(file.parent / str(jwks_file))
    unknown = sorted(found.keys() - _ATTRIBUTES)
    if unknown:
        raise Refusal(
            f"{file}: no client has {', '.join(unknown)}; there are {', '.join(sorted(_ATTRIBUTES))}"
        )
    return found


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
