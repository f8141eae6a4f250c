"""A parent's answer and withdrawal at the same instant as the child's acts, on both databases (CON-7)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.email_address import parse
from idp.domain.minimum_age import PermissionState
from idp.services.authorization import parental_permission
from idp.services.authorization.consents import Shown
from idp.services.authorization.parental_permission import Requested
from idp.storage.models import ledger_entries, parental_permissions
from idp.storage.repositories import permissions
from tests.support.builders import last_mail
from tests.support.children import Child, a_child
from tests.support.provider import SESSION_COOKIE, answer_of, form_of
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.email_address import EmailAddress
    from tests.support.provider import Provider

SHOWN = Shown("La question.", "fr", channel="mail")


def parent_of(child: Child) -> EmailAddress:
    """Give each child a parent of their own: the brakes on mails to one address are not what is raced here."""
    address = parse(f"parent.{child.account.account_id}@example.org")
    assert address is not None
    return address


def asked(child: Child) -> str:
    """Have the parent asked, and give the token of the link; without the pages, and without their brakes."""
    context, parent = child.provider.context, parent_of(child)
    outcome = parental_permission.ask(
        context,
        child.account,
        child.service.client,
        parent,
        contract={"data": [], "retention": ""},
        language="fr",
    )
    assert isinstance(outcome, Requested)
    return str(last_mail(context, parent.typed).variables["link"]).partition("token=")[2]


def given(child: Child) -> str:
    """Have the parent say yes; gives the permission."""
    provider = child.provider
    assert parental_permission.answer(provider.context, asked(child), is_given=True, shown=SHOWN)
    with provider.context.database.read() as connection:
        found = permissions.latest(connection, child.account.account_id, child.service.client_id)
    assert found is not None
    return found.permission_id


def a_tab(child: Child) -> FlaskClient:
    """Open another tab of the child's browser."""
    cookie = child.browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    tab = child.provider.client()
    tab.set_cookie(SESSION_COOKIE, cookie.value)
    return tab


def withdraw(child: Child, permission_id: str) -> None:
    """Take the permission back."""
    context = child.provider.context
    assert parental_permission.withdraw(context, permission_id, shown=SHOWN) is not None


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize("asks_consent", [False, True], ids=["no consent needed", "consent given before"])
def test_nothing_issued_at_the_instant_of_a_withdrawal_survives_it(
    crowded_provider: Provider, *, asks_consent: bool
) -> None:
    """Whatever the order, no code issued before the withdrawal gives a live token after it."""
    provider = crowded_provider

    for _ in range(ROUNDS):
        child = a_child(provider, consent_required=asks_consent)
        permission_id = given(child)
        assert "code" in child.gets_in()
        tabs = [a_tab(child) for _ in range(7)]
        answers = race(
            *[partial(provider.authorize, tab, child.service, prompt="none") for tab in tabs],
            partial(withdraw, child, permission_id),
        )
        codes = [answer_of(answer).get("code") for answer in answers if answer is not None]
        redeemed = [provider.redeem(child.service, code).status_code for code in codes if code is not None]
        assert set(redeemed) <= {400}
        assert answer_of(child.comes(prompt="none"))["error"] == "access_denied"


@pytest.mark.rule("CON-7", "CON-2")
def test_consent_given_at_the_instant_of_a_withdrawal_gives_nothing(crowded_provider: Provider) -> None:
    """The child presses the button while the parent presses theirs: in any order, no live token remains."""
    provider = crowded_provider

    for _ in range(ROUNDS):
        child = a_child(provider)
        permission_id = given(child)
        tabs = [a_tab(child) for _ in range(7)]
        forms = [form_of(tab.get(provider.authorize(tab, child.service).location)) for tab in tabs]

        def allow(tab: FlaskClient, fields: dict[str, str]) -> TestResponse:
            return tab.post("/consent", data=fields | {"decision": "allow"})

        answers = race(
            *[partial(allow, tab, fields) for tab, fields in zip(tabs, forms, strict=True)],
            partial(withdraw, child, permission_id),
        )
        codes = [
            answer_of(answer).get("code")
            for answer in answers
            if answer is not None and "/parental-permission" not in answer.headers.get("Location", "")
        ]
        redeemed = [provider.redeem(child.service, code).status_code for code in codes if code is not None]
        assert set(redeemed) <= {400}


@pytest.mark.rule("CON-7")
def test_code_exchanged_at_the_instant_of_a_withdrawal_leaves_no_live_token(
    crowded_provider: Provider,
) -> None:
    """The service may get tokens a moment before; they are dead a moment after."""
    provider = crowded_provider

    for _ in range(ROUNDS):
        child = a_child(provider)
        permission_id = given(child)
        code = child.gets_in(scope="openid offline_access")["code"]
        answer, _ = race(
            partial(provider.redeem, child.service, code), partial(withdraw, child, permission_id)
        )
        assert answer is not None
        if answer.status_code == 200:
            assert provider.is_dead(child.service, answer.json or {})


@pytest.mark.rule("CON-7", "CON-5")
def test_sixteen_answers_at_once_are_one(crowded_provider: Provider) -> None:
    """Yes and no by the same link: one of them counts, and the ledger has one line for it."""
    provider = crowded_provider
    lines = select(func.count()).where(ledger_entries.c.matter == "permission")

    for number in range(1, 6):
        child = a_child(provider)
        token = asked(child)
        answers = race(
            *[
                partial(
                    parental_permission.answer, provider.context, token, is_given=bool(one % 2), shown=SHOWN
                )
                for one in range(RACERS)
            ]
        )
        assert sum(answers) == 1
        with provider.context.database.read() as connection:
            assert connection.scalar(lines) == number


@pytest.mark.rule("CON-7")
def test_questions_asked_in_several_tabs_at_once_leave_one_that_answers(crowded_provider: Provider) -> None:
    """One live permission for a child and a service, whoever was quicker."""
    provider = crowded_provider
    live = select(func.count()).where(parental_permissions.c.state == PermissionState.ASKED)

    for number in range(1, 6):
        child = a_child(provider)
        race(*[partial(asked, child) for _ in range(4)])
        with provider.context.database.read() as connection:
            assert connection.scalar(live) == number


@pytest.mark.rule("CON-7")
def test_answer_at_the_instant_of_a_newer_question_is_taken_or_canceled(crowded_provider: Provider) -> None:
    """A parent's yes and the child's next mail: either the yes stands, or the newer question does."""
    provider = crowded_provider

    for _ in range(ROUNDS):
        child = a_child(provider)
        token = asked(child)
        answer = partial(parental_permission.answer, provider.context, token, is_given=True, shown=SHOWN)
        taken, _ = race(answer, partial(asks_again, child))
        with provider.context.database.read() as connection:
            found = permissions.latest(connection, child.account.account_id, child.service.client_id)
        assert found is not None
        assert found.state is (PermissionState.GIVEN if taken else PermissionState.ASKED)


def asks_again(child: Child) -> bool:
    """Ask once more; tells whether a mail goes out."""
    outcome = parental_permission.ask(
        child.provider.context,
        child.account,
        child.service.client,
        parent_of(child),
        contract={"data": [], "retention": ""},
        language="fr",
    )
    return isinstance(outcome, Requested)
