"""GET and POST /consent: asks what the client may receive, and what needs a yes or no (CON-2, CON-3, CON-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request
from werkzeug.exceptions import BadRequest

from idp.crypto.opaque import keyed_digest
from idp.protocol.authorization.interaction import Ask, Step
from idp.services.authorization import consents, requests
from idp.services.authorization.consent_screen import question
from idp.web import cookies
from idp.web.http import redirect_to
from idp.web.interaction.flow import PendingGone, go_on, link, next_step, pending
from idp.web.language import language
from idp.web.provenance import identity_row
from idp.web.site import context
from idp.web.templating import form_page, page, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from idp.domain.pending_authorization import PendingAuthorization
    from idp.services.authorization.consent_screen import AskedClaim, Question
    from idp.services.authorization.situation import Situation
    from idp.services.sign_in.sessions import SignedIn

blueprint = Blueprint("consent", __name__)

_TEMPLATE: Final = "interaction/consent.html"
_ANSWERS: Final = {"yes": True, "no": False}


@blueprint.get("/consent")
def show() -> str | Response:
    """Show what the service asks for; whoever is not at this step goes to theirs."""
    present, asking = _asking()
    if asking is None:
        return go_on(present)
    return page(_TEMPLATE, **_shown(asking), ticked=frozenset())


@blueprint.post("/consent")
def submit() -> Response | tuple[str, int]:
    """Take the answer; both end at the service."""
    decision = form_decision()
    present, asking = _asking()
    if asking is None:
        return go_on(present)
    situation, signed_in, asked = asking
    if request.form.get("screen_mark") != _screen_mark(signed_in, asked):
        # Somebody else signed in while this screen was open, or its words changed: they have not seen this one.
        return redirect_to(link("consent.show", present))
    if decision == "deny":
        return next_step(consents.refuse(context(), situation, signed_in, asked), after_form=True)
    chosen = frozenset(request.form.getlist("claims"))
    choices = _choices(asked)
    errors = _unanswered(asked, choices)
    if errors:
        return form_page(_TEMPLATE, errors, request.form, **_shown(asking), ticked=chosen)
    outcome = consents.allow(context(), situation, signed_in, asked, chosen=chosen, choices=choices)
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


_Asking = tuple["Situation", "SignedIn", "Question"]


def _asking() -> tuple[PendingAuthorization | None, _Asking | None]:
    present = pending()
    if present is None:
        raise PendingGone
    situation = requests.situation_of(context(), present, session_cookie=cookies.read(cookies.SESSION))
    decision = requests.decision_of(context(), situation)
    signed_in = situation.signed_in
    if not isinstance(decision, Ask) or decision.step is not Step.CONSENT or signed_in is None:
        return present, None
    asked = question(context(), situation, signed_in, decision.reason, language=language())
    return present, (situation, signed_in, asked)


def _shown(asking: _Asking) -> dict[str, Any]:
    _, signed_in, asked = asking
    return {
        "notice": asked.notice,
        "rows": {one.use.name: _row(one) for one in asked.asked},
        "screen_mark": _screen_mark(signed_in, asked),
    }


def _screen_mark(signed_in: SignedIn, asked: Question) -> str:
    """Name whom which words were shown to: nobody else's answer, and none to other words, is taken for it (CON-5)."""
    key = context().derived.csrf
    return keyed_digest(key, "consent", signed_in.account.account_id, asked.notice.words).hex()[:32]


def _row(asked: AskedClaim) -> dict[str, Any]:
    return identity_row(asked.use.name, asked.value, asked.level, asked.certified_at)


def _choices(asked: Question) -> dict[str, bool]:
    """Read the answers to the questions that were asked; one given twice, or in another word, is none."""
    given = {one.name: request.form.getlist(_field(one.name)) for one in asked.notice.purposes}
    return {
        name: _ANSWERS[values[0]]
        for name, values in given.items()
        if len(values) == 1 and values[0] in _ANSWERS
    }


def _unanswered(asked: Question, choices: Mapping[str, bool]) -> dict[str, list[str]]:
    return {
        _field(one.name): [sentence("purpose_unanswered", name=one.title)]
        for one in asked.notice.purposes
        if one.name not in choices
    }


def _field(name: str) -> str:
    return f"purpose-{name}"
