"""/account/services: who may receive what, what each received, purposes, and the way to end it (CON-4, PRI-2)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, make_response
from werkzeug.exceptions import NotFound

from idp.domain.data_words import legal_basis_label
from idp.domain.minimum_age import masked
from idp.domain.purposes import UnknownPurpose
from idp.services.account import my_services
from idp.services.authorization import consents, purposes
from idp.services.authorization.consents import Shown
from idp.web.http import form, query, redirect_to, url
from idp.web.language import language
from idp.web.sessions import present_person, sign_in_needed
from idp.web.site import context
from idp.web.space.services import listed_service, worded
from idp.web.templating import day, form_page, page, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Response as FlaskResponse
    from werkzeug.wrappers import Response

    from idp.domain.disclosure import Disclosure, Told
    from idp.services.account.my_services import JournalPage, MyService
    from idp.services.authorization.purposes import AnsweredPurpose

blueprint = Blueprint("services", __name__)
_TEMPLATE: Final = "account/services.html"
_ANSWERS: Final = {"yes": True, "no": False}
#: A page number of more digits is none.
_LONGEST_NUMBER: Final = 6
#: As the ledger says it.
_CHANNEL: Final = "account"


@blueprint.get("/account/services")
@sign_in_needed
def show() -> str:
    """List the services of the person, of today and of the past."""
    found = my_services.of_account(context(), _account_id())
    return page(_TEMPLATE, **_variables(found), values=_answers_of(found.present))


@blueprint.get("/account/services/journal")
@sign_in_needed
def journal() -> str:
    """Show what services were told, day by day."""
    asked = query().get("page", "1")
    number = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) <= _LONGEST_NUMBER else 1
    found = my_services.journal(context(), _account_id(), number)
    return page("account/services_journal.html", journal=found, days=_days(found))


@blueprint.post("/account/services/purposes")
@sign_in_needed
def choose() -> FlaskResponse | Response:
    """Keep the answers to the purposes of one service; they act before the page is sent (CON-3).

    Raises:
        NotFound: The person has nothing to do with this service, or it asks nothing.
    """
    typed, account_id = form(), _account_id()
    service = my_services.one_of(context(), account_id, typed.get("client_id", ""))
    if service is None or service.client is None or not service.purposes:
        raise NotFound
    errors = _wrong_answers(service, typed)
    if errors:
        found = my_services.of_account(context(), account_id)
        values = _answers_of(found.present) | _typed(service, typed)
        return make_response(*form_page(_TEMPLATE, errors, values, **_variables(found)))
    try:
        _keep(account_id, service, typed)
    except UnknownPurpose:
        # The service changed its words between the check and the write: the page comes again, with the new ones.
        return redirect_to(url("services.show", notice="purposes_changed"))
    return redirect_to(url("services.show", notice="purposes_kept", _anchor=f"service-{service.client_id}"))


@blueprint.post("/account/services/withdraw")
@sign_in_needed
def withdraw() -> str | Response:
    """End what a service may read, once the person has confirmed; it acts before the answer is sent.

    Raises:
        NotFound: The service may read nothing.
    """
    fields, account_id = form(), _account_id()
    service = my_services.one_of(context(), account_id, fields.get("client_id", ""))
    confirmed = fields.get("confirmed") == "yes"
    if service is None or service.client is None:
        if confirmed:
            # The second of two clicks: it is done.
            return redirect_to(url("services.show", notice="withdrawn"))
        raise NotFound
    title, message, kept = _confirmation(service)
    if confirmed:
        shown = Shown(f"{title}\n{message}\n{kept}", language())
        was_allowed = consents.withdraw(context(), account_id, service.client_id, shown)
        return redirect_to(url("services.show", notice="withdrawn" if was_allowed else "access_ended"))
    return page(
        "account/confirm.html",
        title=title,
        message=message,
        details=[kept],
        action=url("services.withdraw"),
        fields={"client_id": service.client_id},
        confirm_label=sentence("withdraw_confirm" if service.needs_consent else "end_access_confirm"),
        cancel_url=url("services.show"),
        dangerous=True,
    )


def _keep(account_id: str, service: MyService, typed: Mapping[str, str]) -> None:
    names = {one.purpose.name: one for one in service.purposes}
    purposes.choose(
        context(),
        account_id,
        service.client_id,
        {name: _ANSWERS[typed[_field(service.client_id, one)]] for name, one in names.items()},
        versions={name: typed[_version_field(service.client_id, one)] for name, one in names.items()},
        language=language(),
        channel=_CHANNEL,
    )


def _account_id() -> str:
    return present_person().account.account_id


def _confirmation(service: MyService) -> tuple[str, str, str]:
    """Give the words that are confirmed, as the ledger keeps them."""
    name = service.client_id if service.client is None else service.client.name
    kept = sentence("withdraw_kept")
    if service.needs_consent:
        return sentence("withdraw_title", name=name), sentence("withdraw_message"), kept
    return sentence("end_access_title", name=name), sentence("end_access_message"), kept


def _variables(found: my_services.MyServices) -> dict[str, Any]:
    return {
        "services": [_row(one) for one in found.present],
        "past": [_row(one) for one in found.past],
        "order": [_field(one.client_id, asked) for one in found.present for asked in one.purposes],
    }


def _row(service: MyService) -> dict[str, Any]:
    client = service.client
    shown = _gone(service.client_id) if client is None else listed_service(client)
    return shown | {
        "claims": service.may_receive,
        "needs_consent": service.needs_consent,
        "proven": service.is_proven,
        "legal_basis": None
        if client is None or client.legal_basis is None
        else legal_basis_label(client.legal_basis, language()),
        "since": service.since,
        "ended_at": service.ended_at,
        "last_access_at": service.last_access_at,
        "retention": None if client is None else worded(client.retention) or None,
        "told": [_told(one) for one in service.told],
        "received": sorted({name for one in service.told for name in one.claims}),
        "purposes": [_asked(service.client_id, one) for one in service.purposes],
        "permission": None
        if service.permission is None
        else {
            "state": service.permission.state.value,
            "parent": masked(service.permission.parent_email),
            "asked_at": service.permission.asked_at,
            "answered_at": service.permission.answered_at,
        },
    }


def _gone(client_id: str) -> dict[str, Any]:
    """Describe a service that is not registered any more."""
    return {
        "name": client_id,
        "initial": client_id[:1].upper(),
        "logo_url": None,
        "client_id": client_id,
        "description": None,
        "organisation": None,
        "service_url": None,
        "policy_url": None,
    }


def _told(told: Told) -> dict[str, Any]:
    return {
        "way": told.way.value,
        "claims": told.claims,
        "first_at": told.first_at,
        "last_at": told.last_at,
        "times": told.times,
    }


def _asked(client_id: str, asked: AnsweredPurpose) -> dict[str, Any]:
    title, yes, no = asked.purpose.words(language())
    return {
        "field": _field(client_id, asked),
        "version_field": _version_field(client_id, asked),
        "version": asked.purpose.version,
        "title": title,
        "yes": yes,
        "no": no,
        "recipients": asked.purpose.recipients,
        "changed_at": None if asked.choice is None else asked.choice.changed_at,
    }


def _field(client_id: str, asked: AnsweredPurpose) -> str:
    """Name the pair of answers: one page has those of all services."""
    return f"answer.{client_id}.{asked.purpose.name}"


def _version_field(client_id: str, asked: AnsweredPurpose) -> str:
    return f"version.{client_id}.{asked.purpose.name}"


def _answers_of(present: Sequence[MyService]) -> dict[str, str]:
    return {
        _field(service.client_id, asked): "yes" if asked.choice.is_allowed else "no"
        for service in present
        for asked in service.purposes
        if asked.choice is not None
    }


def _typed(service: MyService, typed: Mapping[str, str]) -> dict[str, str]:
    fields = [_field(service.client_id, one) for one in service.purposes]
    return {name: typed.get(name, "") for name in fields}


def _wrong_answers(service: MyService, typed: Mapping[str, str]) -> dict[str, list[str]]:
    errors = {}
    for one in service.purposes:
        title = one.purpose.words(language())[0]
        name = _field(service.client_id, one)
        if typed.get(_version_field(service.client_id, one)) != one.purpose.version:
            errors[name] = [sentence("purpose_reworded", name=title)]
        elif typed.get(name) not in _ANSWERS:
            errors[name] = [sentence("purpose_unanswered", name=title)]
    return errors


def _days(found: JournalPage) -> list[dict[str, Any]]:
    """Group the lines of a page by the day of their last moment, in the city's time."""
    return [
        {"day": written, "lines": [_line(*line) for line in lines]}
        for written, lines in groupby(found.lines, key=lambda line: day(line[0].last_at))
    ]


def _line(told: Disclosure, name: str | None) -> dict[str, Any]:
    return {
        "name": name or told.client_id,
        "way": told.way.value,
        "claims": told.claims,
        "last_at": told.last_at,
        "times": told.times,
    }
