"""GET and POST /consent: asks what the client may receive (CON-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from idp.crypto.opaque import keyed_digest
from idp.protocol.authorization.interaction import Ask, Step
from idp.services.authorization import consents, requests
from idp.web import cookies
from idp.web.http import redirect_to
from idp.web.interaction.flow import PendingGone, go_on, link, next_step, pending
from idp.web.language import language
from idp.web.provenance import identity_row
from idp.web.site import context
from idp.web.space.services import worded
from idp.web.templating import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from idp.domain.client import Client
    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.authorization.consents import AskedClaim
    from idp.services.authorization.situation import Situation
    from idp.services.sign_in.sessions import SignedIn

blueprint = Blueprint("consent", __name__)


@blueprint.get("/consent")
def show() -> str | Response:
    """Show what the service asks for; whoever is not at this step goes to theirs."""
    present, situation, signed_in = _asked()
    if present is None or situation is None or signed_in is None:
        return go_on(present)
    asked = consents.question(situation, signed_in)
    return page(
        "interaction/consent.html",
        rows=[_row(one) for one in asked],
        consent=_terms_of(situation) | {"grown": any(one.is_new for one in asked)},
        person_mark=_person_mark(signed_in),
    )


@blueprint.post("/consent")
def submit() -> Response:
    """Take the answer; both end at the service."""
    decision = form_decision()
    present, situation, signed_in = _asked()
    if present is None or situation is None or signed_in is None:
        return go_on(present)
    if request.form.get("person_mark") != _person_mark(signed_in):
        # Somebody else signed in while this screen was open: they have not seen it.
        return redirect_to(link("consent.show", present))
    if decision == "deny":
        return next_step(consents.refuse(context(), situation, signed_in), after_form=True)
    chosen = frozenset(request.form.getlist("claims"))
    outcome = consents.allow(context(), situation, signed_in, chosen, language=language())
    return go_on(present) if outcome is None else next_step(outcome, after_form=True)


def form_decision() -> str:
    """Read which button was pressed.

    Raises:
        BadRequest: Neither: nothing is taken for a yes.
    """
    # "claims" is repeated by design, one for each ticked box; everything else comes once.
    decisions = request.form.getlist("decision")
    if len(decisions) != 1 or decisions[0] not in {"allow", "deny"}:
        raise BadRequest("no decision")
    return decisions[0]


def _asked() -> tuple[PendingAuthorization | None, Situation | None, SignedIn | None]:
    present = pending()
    if present is None:
        raise PendingGone
    situation = requests.situation_of(context(), present, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    if not isinstance(decision, Ask) or decision.step is not Step.CONSENT:
        return present, None, None
    return present, situation, situation.signed_in


def _person_mark(signed_in: SignedIn) -> str:
    """Name whom a screen was shown to, so that nobody else's answer is taken for theirs."""
    return keyed_digest(context().derived.csrf, "consent", signed_in.account.account_id).hex()[:32]


def _row(asked: AskedClaim) -> dict[str, Any]:
    row = identity_row(asked.use.name, asked.value, asked.level, asked.certified_at)
    return row | {"reason": worded(asked.use.reason), "required": asked.use.required, "new": asked.is_new}


def _terms_of(situation: Situation) -> dict[str, Any]:
    client: Client = situation.client
    target = urlsplit(situation.request.redirect_target.uri)
    return {
        "host": target.hostname or target.scheme,
        "legal_basis": client.legal_basis.value,
        "retention": worded(client.retention),
        "policy_url": client.policy_uri,
        "for_device": situation.request.origin.device is not None,
    }
