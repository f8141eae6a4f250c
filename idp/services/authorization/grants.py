"""What an authorization gives: written in the transaction of the answer, signed and sent after its commit.

A code, tokens in the answer itself, or the yes that a device waits for: all of them are one token family.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, digest, new_id, new_secret
from idp.domain.tokens import TokenFamily
from idp.protocol.authorization.interaction import reported_acr
from idp.protocol.claims.requested import granted_claims
from idp.protocol.claims.subject import subject_of
from idp.protocol.errors import ErrorCode
from idp.protocol.scope import OPENID, REQUESTS, serialise
from idp.services.authorization.responses import bring
from idp.services.logout.browser_state import session_state_for
from idp.services.tokens.issuing import id_token, new_access_token
from idp.services.tokens.person import person_claims
from idp.storage.repositories import (
    device_authorizations,
    life_cycle,
    pending_authorizations,
    pushed_requests,
    service_requests,
    tokens,
)
from idp.storage.repositories.tokens import StoredCode

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from idp.domain.consent import Consent
    from idp.protocol.authorization.request import AuthorizationRequest
    from idp.protocol.authorization.response_mode import AuthorizationResponse
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.engine import Connection

_LONGEST_FAPI_CODE = timedelta(seconds=60)
#: An answered request stays so long, for a double click.
_ANSWERED_LIFETIME = timedelta(minutes=1)
#: A login has counted as a use of the account itself; one at a service counts again after so long.
_LOGIN_COUNTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Granted:
    """What the transaction of an answer made; the answer itself is signed and sent after its commit.

    Attributes:
        family: All that is born of this authorization.
        code: In clear for the only time; None when none was asked for.
        access_token: The same, for the implicit and hybrid flows.
        person: Claims for an ID Token in the answer itself.
    """

    family: TokenFamily
    code: str | None = None
    access_token: str | None = None
    person: dict[str, Any] | None = None


def grant(
    context: Context,
    connection: Connection,
    situation: Situation,
    signed_in: SignedIn,
    consent: Consent | None,
) -> Granted:
    """Write what the client gets, in the transaction of the answer.

    The caller holds the session and the consent: they can't end between the decision and the answer.

    Raises:
        RedirectedError: The pushed request was answered before, or the device waits no more; nothing is kept.
    """
    now = context.clock()
    request = situation.request
    family = _family(context, situation, signed_in, consent, now)
    tokens.create_family(connection, family)
    if now >= signed_in.session.authentication.at + _LOGIN_COUNTS:
        # A login there, without one here (LIF-1).
        life_cycle.use(connection, signed_in.account.account_id, now)
    _use_up(connection, request, now, family)
    code = None
    if request.gives_code and request.origin.device is None:
        code = _new_code(context, connection, request, family, now)
    access_token = None
    if request.gives_token:
        made = new_access_token(
            context, request.client, family, family.scopes, now, counter=0, resources=request.resources
        )
        tokens.add_tokens(connection, family.family_id, [made.stored])
        access_token = made.value
    person = person_claims(connection, family) if request.gives_id_token else None
    if REQUESTS in request.client.scopes and family.account_id is not None:
        # A subject leads nowhere back: a service that writes for people names them by it (PRO-6).
        service_requests.know_subject(connection, family.client_id, family.subject, family.account_id)
    if situation.pending is not None:
        pending_authorizations.close(connection, situation.pending.pending_id, now + _ANSWERED_LIFETIME)
    return Granted(family, code, access_token, person)


def answer(context: Context, situation: Situation, granted: Granted) -> AuthorizationResponse:
    """Sign what there is to sign and bring the answer to the client (OIDC Core 3.1.2.5, 3.2.2.5, 3.3.2.5)."""
    request, family = situation.request, granted.family
    if request.origin.device is not None:
        return bring(context, request.address, {})
    parameters = {} if granted.code is None else {"code": granted.code}
    if granted.access_token is not None:
        parameters |= {
            "access_token": granted.access_token,
            "token_type": "Bearer",
            "expires_in": str(int(context.token_lifetimes.access_token.total_seconds())),
            "scope": serialise(family.scopes),
        }
    if granted.person is not None:
        parameters["id_token"] = id_token(
            context,
            request.client,
            family,
            nonce=request.nonce,
            code=granted.code,
            access_token=granted.access_token,
            person=granted.person,
            now=context.clock(),
        )
    return bring(context, request.address, parameters | _session_state(context, request, family))


def use_up(context: Context, request: AuthorizationRequest) -> None:
    """Let a refusal be the one answer of a pushed request or of a device."""
    origin, now = request.origin, context.clock()
    if origin.pushed is None and origin.device is None:
        return
    with context.database.write() as connection:
        if origin.pushed is not None:
            pushed_requests.consume(connection, origin.pushed, now)
        if origin.device is not None:
            device_authorizations.deny(connection, origin.device, now)


def _family(
    context: Context, situation: Situation, signed_in: SignedIn, consent: Consent | None, now: datetime
) -> TokenFamily:
    request, session = situation.request, signed_in.session
    scopes, allowed = _granted(request, consent)
    return TokenFamily(
        family_id=new_id(now),
        client_id=request.client.client_id,
        account_id=signed_in.account.account_id,
        consent_id=None if consent is None else consent.consent_id,
        session_id=session.session_id,
        subject=subject_of(request.client, signed_in.account.account_id, context.derived.pairwise),
        scopes=scopes,
        claims=granted_claims(request.asked, allowed),
        nonce=request.nonce,
        auth_time=int(session.authentication.at.timestamp()),
        acr=reported_acr(request, session),
        amr=session.authentication.methods,
        created_at=now,
        expires_at=now + context.token_lifetimes.refresh_absolute,
        resources=request.resources,
    )


def _new_code(
    context: Context,
    connection: Connection,
    request: AuthorizationRequest,
    family: TokenFamily,
    now: datetime,
) -> str:
    code = new_secret(SecretKind.AUTHORIZATION_CODE)
    lifetime = context.token_lifetimes.code
    tokens.create_code(
        connection,
        StoredCode(
            family_id=family.family_id,
            redirect_uri=request.redirect_target.uri,
            code_challenge=request.code_challenge,
            # FAPI 2.0 Security Profile 5.3.2.1: "a maximum lifetime of 60 seconds".
            expires_at=now + (min(lifetime, _LONGEST_FAPI_CODE) if request.client.is_fapi2 else lifetime),
            client_id=request.client.client_id,
            dpop_jkt=request.dpop_jkt,
        ),
        code_hash=digest(code),
    )
    return code


def _use_up(
    connection: Connection, request: AuthorizationRequest, now: datetime, family: TokenFamily
) -> None:
    origin = request.origin
    if origin.pushed is not None and not pushed_requests.consume(connection, origin.pushed, now):
        raise request.refusal(
            ErrorCode.INVALID_REQUEST_URI,
            "The request_uri was used before.",
            reason="pushed request answered",
        )
    if origin.device is not None and not device_authorizations.approve(
        connection, origin.device, family.family_id, now
    ):
        raise request.refusal(ErrorCode.EXPIRED_TOKEN, reason="the device waits no more")


def _session_state(context: Context, request: AuthorizationRequest, family: TokenFamily) -> dict[str, str]:
    # A client of FAPI has no page that would watch a session through ours.
    if OPENID not in family.scopes or family.session_id is None or request.client.is_fapi2:
        return {}
    state = session_state_for(context, request.client, request.redirect_target.uri, family.session_id)
    return {} if state is None else {"session_state": state}


def _granted(request: AuthorizationRequest, consent: Consent | None) -> tuple[frozenset[str], frozenset[str]]:
    """Say which scopes and claims a code stands for."""
    if consent is None:
        return request.scopes, request.asked.names
    if request.client.consent_required:
        return request.scopes & consent.scopes, consent.claims
    # A service that needs no consent may have been given one, for a refresh token: only its refusals count.
    refused = consent.refused_claims - frozenset(request.asked.required)
    return request.scopes, request.asked.names - refused
