"""The flags of a client: one for each attribute of `Client`, in groups (CON-1, ADM-2)."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from idp.domain.authentication import ACR_VALUES
from idp.domain.client import (
    RESPONSE_MODES,
    ApplicationType,
    ClientAuthenticationMethod,
    GrantType,
    LegalBasis,
    Profile,
    SubjectType,
)
from idp.protocol.clients.metadata import CERTIFICATE_NAMES

Command = TypeVar("Command", bound=Callable[..., object])

#: How no profile is written: an empty value would not be among the choices.
NO_PROFILE: Final = "none"
_ENCRYPTION: Final = "ALG[:ENC]"
_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)


class GroupedOption(click.Option):
    """An option that knows under which heading it stands in the help."""

    def __init__(self, names: list[str], *, group: str, **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(names, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """Shows its options in groups: sixty in a row are read by nobody."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, then what belongs to none."""

        def heading(parameter: click.Parameter) -> str:
            return parameter.group if isinstance(parameter, GroupedOption) else "Options"

        for name, members in groupby(self.get_params(ctx), heading):
            records = [record for one in members if (record := one.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def client_options(command: Command) -> Command:
    """Give a command the flags of a client."""
    for group, names, settings in reversed(_FLAGS):
        decorate = click.option(*names, cls=GroupedOption, group=group, **settings)
        command = decorate(command)
    return command


def _values(kind: type[StrEnum]) -> click.Choice[str]:
    # Given the class, click would ask for the names in capitals.
    return click.Choice([member.value for member in kind])


def _flag(group: str, *names: str, **settings: Any) -> tuple[str, tuple[str, ...], dict[str, Any]]:  # noqa: ANN401 - click's own
    return group, names, settings


def _switch(group: str, *names: str, **settings: Any) -> tuple[str, tuple[str, ...], dict[str, Any]]:  # noqa: ANN401 - click's own
    return group, names, {"default": None, **settings}


_SEEN: Final = "What people see"
_WAYS: Final = "Where people go"
_DATA: Final = "What it may ask of people"
_PROOF: Final = "How it proves itself"
_REQUESTS: Final = "Its requests"
_ANSWERS: Final = "What it gets: algorithms to sign and encrypt"
_LOGOUT: Final = "How it hears that a session has ended"
_INTERFACES: Final = "Scripts and APIs"

_FLAGS: Final = (
    _flag(_SEEN, "--name", help="As people see it."),
    _flag(_SEEN, "--description", "description_fr", help="One sentence in French."),
    _flag(_SEEN, "--description-en", help="One sentence in English."),
    _flag(_SEEN, "--organisation", help="Who is responsible for the service."),
    _flag(_SEEN, "--service-uri", help="Its home page."),
    _flag(_SEEN, "--policy-uri", help="Its privacy policy."),
    _flag(_SEEN, "--policy-version", help="Raise it to ask for consent again."),
    _flag(_SEEN, "--tos-uri", help="Its terms of service."),
    _flag(_SEEN, "--logo", "logo_file", type=_FILE, help="Image to upload: PNG, JPEG or WebP, 64 KiB."),
    _flag(_SEEN, "--no-logo", "without_logo", is_flag=True, help="Take the logo away."),
    _flag(_SEEN, "--rubrique", help="The sector page it belongs to."),
    _flag(_SEEN, "--contact", "contacts", multiple=True, help="E-mail address; may be repeated."),
    _flag(_SEEN, "--legal-basis", type=_values(LegalBasis), help="GDPR article 6."),
    _flag(_SEEN, "--retention", "retention_fr", help="How long it keeps the data, in French."),
    _flag(_SEEN, "--retention-en", help="The same in English."),
    _flag(_SEEN, "--recipient", "recipients", multiple=True, help="Who else gets the data; may be repeated."),
    _flag(_SEEN, "--storage-location", help='Where the data are kept, such as "France".'),
    _flag(
        _SEEN,
        "--data-protection-contact",
        help="Whom people write to about their data: an address, or a form; the city's own when absent.",
    ),
    _switch(
        _SEEN,
        "--verified/--unverified",
        "is_verified",
        help="Whether the city knows the service; people are warned of one that it doesn't know.",
    ),
    _flag(_WAYS, "--redirect-uri", "redirect_uris", multiple=True, help="Exact; may be repeated."),
    _flag(
        _WAYS,
        "--post-logout-redirect-uri",
        "post_logout_redirect_uris",
        multiple=True,
        help="The same, after a logout.",
    ),
    _flag(
        _WAYS,
        "--application-type",
        type=_values(ApplicationType),
        help="native: an app, with a scheme of its own or on this very machine.",
    ),
    _flag(_WAYS, "--initiate-login-uri", help="Where somebody else may send people to sign in."),
    _flag(
        _DATA,
        "--scope",
        "scopes",
        multiple=True,
        help='"openid profile email offline_access", and those of APIs; openid when absent.',
    ),
    _flag(
        _DATA,
        "--claim",
        "claims",
        multiple=True,
        metavar="NAME:REASON[:required][:LEVEL]",
        help="A claim and, in French, why; optional unless said; lowest level 100, 250 or 600. May be repeated."
        " Without any, the claims of the scopes, each one optional.",
    ),
    _flag(
        _DATA,
        "--claim-en",
        "claims_en",
        multiple=True,
        metavar="NAME:REASON",
        help="The reason in English.",
    ),
    _switch(
        _DATA,
        "--consent/--no-consent",
        "consent_required",
        help="Ask the person. Purposes (a yes or no of their own) are written in the file: --file, or `apply`.",
    ),
    _switch(
        _DATA,
        "--consent-always/--no-consent-always",
        "consent_always",
        help="Ask at each authorization, even where nothing has changed.",
    ),
    _flag(
        _DATA,
        "--required-acr",
        type=click.Choice(["", *ACR_VALUES]),
        help="Nobody gets in with a login of a lower level; empty for any.",
    ),
    _flag(
        _DATA,
        "--minimum-age",
        type=click.IntRange(0, 18),
        help="Below it a parent's permission is asked; 0 for any age.",
    ),
    _flag(_DATA, "--subject-type", type=_values(SubjectType)),
    _flag(_DATA, "--sector", "sector_identifier", help="Host that pairwise subjects are made for."),
    _flag(
        _DATA,
        "--sector-uri",
        "sector_identifier_uri",
        help="JSON file that lists the redirect URIs of the whole sector; it is read at once.",
    ),
    _flag(_DATA, "--default-max-age", type=int, help="Oldest login, in seconds, where a request says none."),
    _flag(
        _DATA,
        "--default-acr",
        "default_acr_values",
        multiple=True,
        help="Level; may be repeated, best first.",
    ),
    _switch(
        _DATA, "--auth-time/--no-auth-time", "require_auth_time", help="Always tell when they signed in."
    ),
    _flag(_DATA, "--userinfo-acr", help="Level that UserInfo asks for (RFC 9470)."),
    _flag(_DATA, "--userinfo-max-age", type=int, help="Oldest login that UserInfo takes, in seconds."),
    _flag(
        _DATA,
        "--starts-at",
        type=click.DateTime(["%Y-%m-%d"]),
        help="Closed before that day (midnight in Paris).",
    ),
    _flag(_DATA, "--ends-at", type=click.DateTime(["%Y-%m-%d"]), help="Closed from then on."),
    _flag(
        _PROOF,
        "--profile",
        type=click.Choice([NO_PROFILE, *(profile.value for profile in Profile)]),
        help="A security profile, enforced as a whole: what it needs is set, unless another flag says it.",
    ),
    _flag(_PROOF, "--auth-method", "authentication_method", type=_values(ClientAuthenticationMethod)),
    _flag(
        _PROOF,
        "--auth-alg",
        "authentication_signing_alg",
        help="Only this algorithm for private_key_jwt; HS256 alone for client_secret_jwt.",
    ),
    _flag(_PROOF, "--jwks", "jwks_file", type=_FILE, help="File with its public keys."),
    _flag(_PROOF, "--jwks-uri", help="Where it publishes them."),
    _flag(
        _PROOF,
        "--certificate",
        "certificate_subject",
        metavar="KIND=NAME",
        help=f"Name of its certificate for tls_client_auth; kinds: {', '.join(CERTIFICATE_NAMES)}.",
    ),
    _switch(
        _PROOF,
        "--endpoint-audience/--no-endpoint-audience",
        "accepts_endpoint_audience",
        help="Take assertions made for the token endpoint, of a service that can't be changed yet.",
    ),
    _switch(
        _PROOF,
        "--dpop-bound/--no-dpop-bound",
        "dpop_bound_access_tokens",
        help="Bind its tokens to a key (RFC 9449).",
    ),
    _switch(
        _PROOF,
        "--tls-bound/--no-tls-bound",
        "tls_bound_access_tokens",
        help="Bind its tokens to its certificate (RFC 8705).",
    ),
    _flag(
        _REQUESTS,
        "--grant-type",
        "grant_types",
        multiple=True,
        type=_values(GrantType),
        help="Those of the response types when absent, with refresh_token for the scope offline_access.",
    ),
    _flag(
        _REQUESTS,
        "--response-type",
        "response_types",
        multiple=True,
        help='code when absent; the others, such as "code id_token", are legacy. May be repeated.',
    ),
    _flag(
        _REQUESTS,
        "--response-mode",
        "response_modes",
        multiple=True,
        type=click.Choice(sorted(RESPONSE_MODES)),
        help="All when absent; may be repeated.",
    ),
    _switch(_REQUESTS, "--pkce/--no-pkce", "require_pkce", help="PKCE may be waived with a secret only."),
    _switch(
        _REQUESTS,
        "--require-par/--no-require-par",
        "require_pushed_requests",
        help="Take pushed requests only (RFC 9126).",
    ),
    _switch(
        _REQUESTS,
        "--require-signed-request/--no-require-signed-request",
        "require_signed_requests",
        help="Take signed requests only (RFC 9101).",
    ),
    _flag(_REQUESTS, "--request-object-alg", "request_object_signing_alg", help="Only this algorithm."),
    _flag(_REQUESTS, "--request-object-encryption", metavar=_ENCRYPTION, help="How it encrypts them for us."),
    _flag(
        _REQUESTS,
        "--request-uri",
        "request_uris",
        multiple=True,
        help="Where its request objects are; may be repeated.",
    ),
    _flag(_ANSWERS, "--id-token-alg", "id_token_signed_response_alg", help="ES256 when absent."),
    _flag(_ANSWERS, "--id-token-encryption", metavar=_ENCRYPTION, help="Encrypt ID tokens."),
    _flag(
        _ANSWERS, "--userinfo-alg", "userinfo_signed_response_alg", help="Sign UserInfo; JSON when absent."
    ),
    _flag(_ANSWERS, "--userinfo-encryption", metavar=_ENCRYPTION, help="Encrypt UserInfo."),
    _flag(_ANSWERS, "--authorization-alg", "authorization_signed_response_alg", help="For JARM."),
    _flag(_ANSWERS, "--authorization-encryption", metavar=_ENCRYPTION, help="The same, encrypted."),
    _flag(_ANSWERS, "--introspection-alg", "introspection_signed_response_alg", help="For RFC 9701."),
    _flag(_ANSWERS, "--introspection-encryption", metavar=_ENCRYPTION, help="The same, encrypted."),
    _flag(_LOGOUT, "--backchannel-logout-uri", help="Where our server tells its server."),
    _switch(
        _LOGOUT,
        "--backchannel-session/--no-backchannel-session",
        "backchannel_logout_session_required",
        help="It needs to know which session.",
    ),
    _flag(_LOGOUT, "--frontchannel-logout-uri", help="A page of its own that the browser opens in a frame."),
    _switch(
        _LOGOUT,
        "--frontchannel-session/--no-frontchannel-session",
        "frontchannel_logout_session_required",
        help="The same.",
    ),
    _flag(
        _INTERFACES,
        "--events-uri",
        help="Where we push signed events to its server (RFC 8935): a purpose changed, an account erased.",
    ),
    _flag(
        _INTERFACES,
        "--allowed-origin",
        "allowed_origins",
        multiple=True,
        help="Origin of its scripts that may call us (CORS); may be repeated.",
    ),
    _flag(_INTERFACES, "--resource-identifier", help="It is the API of this address (RFC 8707)."),
    _flag(
        _INTERFACES,
        "--resource",
        "resources",
        multiple=True,
        help="API that it may ask tokens for; may be repeated.",
    ),
    _flag("From a file", "--file", "file", type=_FILE, help="TOML with the attributes; flags go before it."),
)
