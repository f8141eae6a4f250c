"""Ends the session at a service's request (RP-Initiated Logout; LOG-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.jwe import JWERefused, decrypt
from idp.crypto.jwt import ALGORITHMS, JWTRefused, unverified_header, verified_claims
from idp.protocol.claims.subject import subject_of
from idp.protocol.errors import DirectError, ErrorCode, Problem
from idp.protocol.logout import end_session as rules
from idp.services.sign_in.wire_session import wire_session_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from idp.protocol.logout.end_session import EndSessionRequest
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn


_DOTS_OF_JWE: Final = 4


@dataclass(frozen=True, slots=True)
class LogoutQuestion:
    """A checked request, and whether the person must confirm it."""

    request: EndSessionRequest
    needs_confirmation: bool


def read(context: Context, pairs: Iterable[tuple[str, str]], signed_in: SignedIn | None) -> LogoutQuestion:
    """Check a logout request against the session of the browser.

    Only a hint that speaks of this very session, or of this person, ends it without a question: a link on any
    page must not sign people out (S-88).

    Raises:
        DirectError: Unknown client, forged hint, or an address that is not the client's.
    """
    parameters = rules.read(pairs)
    hint = _verified_hint(context, parameters.get("id_token_hint"))
    with context.database.read() as connection:
        request = rules.check(parameters, hint, lambda client_id: context.clients.find(connection, client_id))
    if signed_in is None:
        return LogoutQuestion(request, needs_confirmation=False)
    return LogoutQuestion(request, request.needs_confirmation or not _speaks_of(context, request, signed_in))


def _speaks_of(context: Context, request: EndSessionRequest, signed_in: SignedIn) -> bool:
    if request.client is None:
        return False
    client = request.client
    if request.sid is not None:
        return request.sid == wire_session_id(context, signed_in.session.session_id, client.client_id)
    return request.subject == subject_of(client, signed_in.account.account_id, context.derived.pairwise)


def _verified_hint(context: Context, raw: str | None) -> dict[str, Any] | None:
    """Read the hint; None when there is none, or when the key that signed it is gone: then it proves nothing.

    A session can outlive the key of its first ID token: its person is asked, and meets no error.
    """
    if raw is None:
        return None
    keyring = context.keys.keyring()
    try:
        # OIDC Core 3.1.2.1: a client may encrypt to us what it got encrypted.
        signed = decrypt(raw, keyring.decryption_keys()).decode() if raw.count(".") == _DOTS_OF_JWE else raw
        keys = keyring.public_keys()
        if _is_of_a_key_gone(unverified_header(signed), keys):
            return None
        claims = verified_claims(signed, keys)
    except (JWTRefused, JWERefused, UnicodeDecodeError) as error:
        raise _refused(str(error)) from error
    if claims.get("iss") != context.issuer or "auth_time" not in claims:
        raise _refused("not an ID token of ours")
    return claims


def _is_of_a_key_gone(header: Mapping[str, Any], keys: Mapping[str | None, Any]) -> bool:
    """Tell whether a header names a key that we do not have any more, as far as anybody can tell."""
    kid = header.get("kid")
    return isinstance(kid, str) and kid not in keys and header.get("alg") in ALGORITHMS


def _refused(reason: str) -> DirectError:
    return DirectError(
        ErrorCode.INVALID_REQUEST,
        "The id_token_hint is not an ID token of this provider.",
        reason=f"id_token_hint: {reason}",
        problem=Problem.HINT_INVALID,
    )
