"""Checks of a logout request (RP-Initiated Logout 2, 3; OID-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from idp.domain.client import Client
from idp.protocol.authorization.redirect_uri import RedirectTarget, match_post_logout
from idp.protocol.errors import DirectError, ErrorCode, Problem
from idp.protocol.parameters import Parameters, single_values

#: What the end session endpoint defines.
KNOWN_PARAMETERS: Final = frozenset(
    {
        "client_id",
        "id_token_hint",
        "logout_hint",
        "post_logout_redirect_uri",
        "state",
        "ui_locales",
    }
)


@dataclass(frozen=True, slots=True)
class EndSessionRequest:
    """A logout request that passed every check.

    Attributes:
        client: Who sent the person, as far as it is told.
        target: Where the person goes afterwards; None to stay with us.
        state: To be returned unchanged to `target`.
        subject: The person the hint speaks of, as the client knows them.
        sid: The session the hint speaks of, as the client knows it.
        ui_locales: Languages by preference.
        needs_confirmation: Nothing proves that the person's own service asks: the person must
            (RP-Initiated Logout 2: "MUST ask the End-User"). Who ends the session also asks when
            `subject` or `sid` is not that of the browser's session.
    """

    client: Client | None
    target: RedirectTarget | None
    state: str | None
    subject: str | None
    sid: str | None
    ui_locales: tuple[str, ...]
    needs_confirmation: bool


def read(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Read a logout request; the caller then verifies `id_token_hint`, if there is one.

    Raises:
        DirectError: invalid_request, when a parameter is repeated or malformed.
    """
    parameters = single_values(pairs, KNOWN_PARAMETERS)
    broken = parameters.repeated | parameters.malformed
    if broken:
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "A parameter is repeated or malformed.",
            reason=f"repeated or malformed: {' '.join(sorted(broken))}",
        )
    return parameters


def check(
    parameters: Parameters,
    hint: Mapping[str, Any] | None,
    find_client: Callable[[str], Client | None],
) -> EndSessionRequest:
    """Decide what a logout request may do.

    Args:
        parameters: As `read`.
        hint: The claims of `id_token_hint`, whose signature and issuer the caller verified; it may
            be expired ("The OP SHOULD accept ID Tokens when the RP identified ... has a current or
            recent session"). None when there was no hint.
        find_client: Gives the client of an id; None when there is none.

    Raises:
        DirectError: invalid_request or invalid_client, when the client is unknown, is not the one
            of the hint, or did not register `post_logout_redirect_uri`.
    """
    client = _client(parameters, hint, find_client)
    return EndSessionRequest(
        client=client,
        target=_target(parameters, client),
        state=parameters.get("state"),
        subject=_text(hint, "sub"),
        sid=_text(hint, "sid"),
        ui_locales=tuple((parameters.get("ui_locales") or "").split()),
        needs_confirmation=hint is None,
    )


def _client(
    parameters: Parameters,
    hint: Mapping[str, Any] | None,
    find_client: Callable[[str], Client | None],
) -> Client | None:
    named, hinted = parameters.get("client_id"), _text(hint, "aud")
    # RP-Initiated Logout 2: with both, "the OP MUST verify that the Client Identifier matches the
    # one used as the audience of the ID Token".
    if hint is not None and (hinted is None or named not in {None, hinted}):
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The id_token_hint was not issued to this client.",
            reason="id_token_hint of another client",
            problem=Problem.HINT_INVALID,
        )
    client_id = named or hinted
    if client_id is None:
        return None
    client = find_client(client_id)
    if client is None:
        raise DirectError(
            ErrorCode.INVALID_CLIENT,
            "There is no such client.",
            reason="unknown client",
            problem=Problem.CLIENT_UNKNOWN,
        )
    return client


def _target(parameters: Parameters, client: Client | None) -> RedirectTarget | None:
    raw = parameters.get("post_logout_redirect_uri")
    if raw is None:
        return None
    target = None if client is None else match_post_logout(client, raw)
    if target is None:
        # RP-Initiated Logout 3: "MUST NOT perform post-logout redirection" to another value.
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The post_logout_redirect_uri is not registered for this client.",
            reason="post_logout_redirect_uri not registered",
            problem=Problem.REDIRECT_URI_UNKNOWN,
            client=client,
        )
    return target


def _text(hint: Mapping[str, Any] | None, name: str) -> str | None:
    value = None if hint is None else hint.get(name)
    return value if isinstance(value, str) else None
