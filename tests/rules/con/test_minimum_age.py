"""A child below the age of a service, a parent's permission, and its end (CON-7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.client import ClaimUse
from idp.domain.minimum_age import PermissionState
from idp.services.account.deletion import delete
from idp.services.authorization import parental_permission
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.models import (
    audit_events,
    ledger_entries,
    outbox,
    parental_permissions,
    shown_texts,
    token_families,
)
from idp.storage.repositories import permissions
from tests.support.builders import last_mail, mails
from tests.support.children import PARENT, a_child, born
from tests.support.devices import a_device
from tests.support.pages import mailed_path, send, words_of
from tests.support.provider import SESSION_COOKIE, answer_of, form_of, pending_of

if TYPE_CHECKING:
    from tests.support.children import Child
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


def states(provider: Provider) -> list[str]:
    """Read where every permission stands, the oldest first."""
    statement = select(parental_permissions.c.state).order_by(
        parental_permissions.c.asked_at, parental_permissions.c.permission_id
    )
    with provider.context.database.read() as connection:
        return sorted(connection.scalars(statement))


def entries(provider: Provider) -> list[tuple[str, str, str, str]]:
    """Read the ledger's acts on permissions: what, how, by which words, by which channel."""
    statement = (
        select(
            ledger_entries.c.act, ledger_entries.c.language, shown_texts.c.content, ledger_entries.c.channel
        )
        .join(shown_texts, shown_texts.c.text_hash == ledger_entries.c.text_hash)
        .where(ledger_entries.c.matter == "permission")
        .order_by(ledger_entries.c.sequence)
    )
    with provider.context.database.read() as connection:
        return [tuple(row) for row in connection.execute(statement)]


# -------------------------------------------------------------------------------------- what stays closed


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize("standing", ["never asked", "asked", "refused", "withdrawn"])
def test_silent_request_of_a_child_gets_access_denied(provider: Provider, standing: str) -> None:
    """Until a parent's yes stands, the service hears nothing else, and no page is shown."""
    child = a_child(provider)
    if standing != "never asked":
        child.asks()
    if standing == "refused":
        child.parent_says("no")
    if standing == "withdrawn":
        child.parent_says("yes")
        child.parent_withdraws()

    answer = answer_of(child.comes(prompt="none"))

    assert answer["error"] == "access_denied"
    assert "code" not in answer


@pytest.mark.rule("CON-7")
def test_person_without_a_birth_date_is_asked_for_it(provider: Provider) -> None:
    """No birth date, no access: the identity page says who wants it and why, and takes no empty one."""
    service = provider.a_client(minimum_age=15)
    account = provider.an_account(given_name="Zoé", family_name="Martin")
    browser = provider.signed_in(account)

    page = provider.authorize(browser, service).location
    shown = browser.get(page)
    refused = send(browser, page, {"given_name": "Zoé", "family_name": "Martin", "birthdate": ""})
    saved = send(browser, page, {"given_name": "Zoé", "family_name": "Martin", "birthdate": "1990-05-17"})

    assert page.startswith("/account/identity")
    assert "Quel âge avez-vous ?" in words_of(shown)
    assert "demande d’avoir 15 ans" in words_of(shown)
    assert refused.status_code == 422
    assert "Saisissez votre date de naissance" in words_of(refused)
    assert "code" in answer_of(saved)
    assert answer_of(provider.authorize(browser, service, prompt="none")).get("error") is None


@pytest.mark.rule("CON-7")
def test_silent_request_without_a_birth_date_gets_access_denied(provider: Provider) -> None:
    """No birth date, no access: the service is told the same as for a child."""
    service = provider.a_client(minimum_age=15)
    browser = provider.signed_in()

    assert answer_of(provider.authorize(browser, service, prompt="none"))["error"] == "access_denied"


@pytest.mark.rule("CON-7")
def test_refresh_below_an_age_that_is_set_later_ends_the_tokens(provider: Provider) -> None:
    """A service that sets an age keeps no child by a token of before; the next request asks the parent."""
    child = a_child(provider, minimum_age=None, consent_required=False)
    tokens = provider.tokens(child.browser, child.service, scope="openid offline_access")
    aged = provider.change(child.service, minimum_age=15)

    refused = provider.refresh(aged, tokens["refresh_token"])
    provider.change(child.service, minimum_age=None)
    dead = provider.refresh(child.service, tokens["refresh_token"])

    assert refused.json is not None
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert dead.status_code == 400


@pytest.mark.rule("CON-7")
def test_refresh_of_a_child_with_a_permission_goes_on(provider: Provider) -> None:
    """What a parent allowed holds for refresh tokens too, until it is withdrawn."""
    child = a_child(provider, consent_required=False)
    child.asks()
    child.parent_says("yes")
    tokens = provider.redeem(child.service, child.gets_in(scope="openid offline_access")["code"]).json or {}

    allowed = provider.refresh(child.service, tokens["refresh_token"])
    child.parent_withdraws()
    refused = provider.refresh(child.service, tokens["refresh_token"])

    assert (allowed.status_code, refused.status_code) == (200, 400)


@pytest.mark.rule("CON-7")
def test_birthday_begins_at_midnight_in_paris(provider: Provider, clock: SettableClock) -> None:
    """In winter that is 23:00 UTC of the day before."""
    child = a_child(provider, birthdate="2011-03-03", consent_required=False)

    clock.set(datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC))
    before = provider.authorize(provider.signed_in(child.account), child.service)
    clock.set(datetime(2026, 3, 2, 23, 0, tzinfo=UTC))
    after = provider.authorize(provider.signed_in(child.account), child.service)

    assert before.location.startswith("/parental-permission")
    assert "code" in answer_of(after)


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "typed, said",
    [
        ("", "Saisissez l’adresse e-mail de votre parent."),
        ("maman", "Saisissez une adresse e-mail complète"),
        ("a@b.fr\r\nBcc: c@d.fr", "Saisissez une adresse e-mail complète"),
        ("own", "C’est votre propre adresse."),
        ("own tagged", "C’est votre propre adresse."),
    ],
    ids=["nothing", "no address", "header", "own", "own tagged"],
)
def test_address_that_can_be_no_parents_is_refused_by_its_field(
    provider: Provider, typed: str, said: str
) -> None:
    """The summary and the field say what is wrong; nothing is asked, no mail goes out."""
    child = a_child(provider)
    local, _, domain = child.account.email.partition("@")
    own = {"own": child.account.email.upper(), "own tagged": f"{local}+maman@{domain}"}

    answer = child.asks(parent=own.get(typed, typed))

    assert answer.status_code == 422
    assert said in words_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert mails(provider.context) == []
    assert states(provider) == []


@pytest.mark.rule("CON-7")
def test_page_of_a_child_is_closed_to_a_request_of_another_browser(provider: Provider) -> None:
    """The request is bound to the browser that began it."""
    child = a_child(provider)
    page = child.comes().location
    stranger = provider.signed_in()

    assert stranger.get(page).status_code == 410
    assert child.browser.get("/parental-permission").status_code == 410


@pytest.mark.rule("CON-7")
def test_form_shown_to_another_person_asks_nobody(provider: Provider) -> None:
    """Who signs in while the page is open does not write to somebody else's parent."""
    child = a_child(provider)
    page = child.comes().location
    fields = form_of(child.browser.get(page))
    sibling = provider.an_account(given_name="Max", birthdate=born(13, provider.clock(), days=5))
    provider.signed_in(sibling, browser=child.browser)

    answer = child.browser.post("/parental-permission", data=fields | {"parent_email": PARENT})

    assert answer.status_code in {303, 400, 410}
    assert mails(provider.context) == []


# ------------------------------------------------------------------------------------------ the way to a yes


@pytest.mark.rule("CON-7", "CON-5")
def test_parents_yes_opens_the_service_and_is_proven(provider: Provider) -> None:
    """The mail says who, what, why and until when; the answer is in the ledger with the words that were read."""
    child = a_child(provider)

    sent = child.asks()
    waiting = child.browser.get(sent.location)
    mail = last_mail(provider.context, PARENT)
    question = child.parent_opens()
    child.parent_says("yes")
    tokens = provider.redeem(child.service, child.gets_in()["code"])

    assert sent.status_code == 303
    assert "p•••@example.org" in waiting.text
    assert PARENT not in waiting.text
    assert "16 mars 2026" in words_of(waiting)
    assert mail.event == "permission_asked"
    assert mail.variables["child"] == "Zoé"
    assert "Martin" not in str(mail.variables)
    assert [one["label"] for one in mail.variables["data"]][:1] == ["Adresse e-mail"]
    assert "Oui, je donne ma permission" in question.text
    assert question.text.count("button-choice") == 2
    assert tokens.status_code == 200
    ((act, language, words, channel),) = entries(provider)
    assert (act, language, channel) == ("given", "fr", "mail")
    assert child.service.client.name in words
    assert "Pour le service." in words
    assert "Zoé" not in words
    assert last_mail(provider.context, child.account.email).event == "permission_given"


@pytest.mark.rule("CON-7")
def test_english_page_writes_an_english_mail_and_keeps_english_words(provider: Provider) -> None:
    """Each answers to what they could read."""
    child = a_child(provider)
    child.browser.get("/?lang=en")
    child.parents_browser.get("/?lang=en")

    child.asks()
    question = child.parent_opens()
    child.parent_says("yes")

    assert last_mail(provider.context, PARENT).language == "en"
    assert "Yes, I give my permission" in question.text
    assert [(act, language) for act, language, _, _ in entries(provider)] == [("given", "en")]


@pytest.mark.rule("CON-7")
def test_link_of_the_mail_leaves_the_address_and_answers_nothing_by_itself(provider: Provider) -> None:
    """Programs that read mail follow links: a GET only shows."""
    child = a_child(provider)
    child.asks()
    path = mailed_path(provider.context, PARENT)

    for _ in range(3):
        followed = provider.client().get(path)
        assert followed.status_code == 303
        assert followed.location == "/permission"

    assert states(provider) == ["asked"]
    assert child.comes().location.startswith("/parental-permission")


@pytest.mark.rule("CON-7")
def test_answer_without_a_decision_is_none(provider: Provider) -> None:
    """Nothing is taken for a yes."""
    child = a_child(provider)
    child.asks()
    child.parent_opens()

    answer = send(child.parents_browser, "/permission", {"decision": "perhaps"})

    assert answer.status_code == 400
    assert states(provider) == ["asked"]


@pytest.mark.rule("CON-7", "CON-5")
def test_parents_no_is_told_and_holds_for_a_week(provider: Provider, clock: SettableClock) -> None:
    """The child reads it, the service hears access_denied, and nobody is asked again before."""
    child = a_child(provider)
    page = child.comes().location
    other_tab = form_of(child.browser.get(page))
    child.asks(page)
    child.parent_says("no")

    shown = child.browser.get(page)
    again = child.browser.post("/parental-permission", data=other_tab | {"parent_email": PARENT})
    back = send(child.browser, page, {}, action="/parental-permission/return")
    clock.advance(days=7)
    browser = provider.signed_in(child.account)
    later = send(browser, provider.authorize(browser, child.service).location, {"parent_email": PARENT})

    assert "La réponse est non" in shown.text
    assert "9 mars 2026" in words_of(shown)
    assert again.status_code == 429
    assert int(again.headers["Retry-After"]) == 7 * 24 * 3600
    assert answer_of(back)["error"] == "access_denied"
    assert [act for act, _, _, _ in entries(provider)] == ["refused"]
    assert last_mail(provider.context, child.account.email).event == "permission_refused"
    assert later.status_code == 303
    assert states(provider) == ["asked", "refused"]


@pytest.mark.rule("CON-7")
def test_child_who_goes_back_gives_the_service_access_denied(provider: Provider) -> None:
    """At any time, without asking anybody."""
    child = a_child(provider)

    back = send(child.browser, child.comes().location, {}, action="/parental-permission/return")

    assert answer_of(back)["error"] == "access_denied"
    assert answer_of(back)["state"] == "s-1"


@pytest.mark.rule("CON-7")
def test_link_that_a_newer_mail_replaced_answers_no_more(provider: Provider) -> None:
    """One question at a time: the former link says so, and changes nothing."""
    child = a_child(provider)
    child.asks()
    former = mailed_path(provider.context, PARENT)
    page = child.comes().location
    send(child.browser, page, {}, action="/parental-permission/again")
    other_page = child.asks(page, parent="tutrice@example.org")

    shown = provider.client().get(former, follow_redirects=True)

    assert other_page.status_code == 303
    assert "Une autre demande a remplacé celle-ci" in shown.text
    assert "button-choice" not in shown.text
    assert states(provider) == ["asked", "canceled", "canceled"]
    assert mails(provider.context)[-1].to == "tutrice@example.org"


@pytest.mark.rule("CON-7")
def test_answer_after_its_time_changes_nothing(provider: Provider, clock: SettableClock) -> None:
    """The page says until when it was; the child may ask anew."""
    child = a_child(provider)
    child.asks()
    child.parent_opens()
    fields = form_of(child.parents_browser.get("/permission"))
    clock.advance(days=14)

    late = child.parents_browser.post("/permission", data=fields | {"decision": "yes"}, follow_redirects=True)
    browser = provider.signed_in(child.account)
    page = provider.authorize(browser, child.service).location
    shown = browser.get(page)
    again = send(browser, page, {"parent_email": PARENT})

    assert "Cette demande n’est plus valable" in late.text
    assert "Personne n’a répondu" in shown.text
    assert again.status_code == 303
    assert entries(provider) == []
    assert states(provider) == ["asked", "canceled"]


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize("damage", ["altered", "of another kind", "cut", "nothing"])
def test_damaged_link_says_so_and_changes_nothing(provider: Provider, damage: str) -> None:
    """The page of a link that is none of ours is the same whatever is wrong with it."""
    child = a_child(provider)
    child.asks()
    path = mailed_path(provider.context, PARENT)
    link = {
        "altered": path[:-8] + ("A" if path[-8] != "A" else "B") + path[-7:],
        "of another kind": path.replace("mpl_", "mpa_"),
        "cut": path[:-3],
        "nothing": "/permission",
    }[damage]

    shown = provider.client().get(link, follow_redirects=True)
    posted = provider.client()
    token = form_of(posted.get("/sign-in"))["csrf_token"]
    answered = posted.post("/permission", data={"csrf_token": token, "decision": "yes"})

    assert shown.status_code == 410
    assert "Ce lien ne fonctionne plus" in shown.text
    assert answered.status_code == 410
    assert states(provider) == ["asked"]


@pytest.mark.rule("CON-7")
def test_second_answer_by_the_same_link_changes_nothing(provider: Provider) -> None:
    """A no does not undo a yes: taking back is an act of its own, which says what it does."""
    child = a_child(provider)
    child.asks()
    child.parent_opens()
    fields = form_of(child.parents_browser.get("/permission"))

    child.parents_browser.post("/permission", data=fields | {"decision": "yes"})
    child.parents_browser.post("/permission", data=fields | {"decision": "no"})

    assert states(provider) == ["given"]
    assert len(entries(provider)) == 1


@pytest.mark.rule("CON-7")
def test_mails_to_parents_are_braked_aloud(provider: Provider) -> None:
    """A stranger's mailbox is not flooded by a child; the page says when to go on."""
    child = a_child(provider)
    page = child.comes().location

    answers = [child.asks(page).status_code for _ in range(6)]
    braked = child.asks(page)

    assert answers == [303] * 5 + [429]
    assert "Vous pourrez demander à nouveau" in words_of(braked)
    assert len([mail for mail in mails(provider.context) if mail.to == PARENT]) == 5


@pytest.mark.rule("CON-7")
def test_child_who_tries_many_addresses_is_braked_too(provider: Provider) -> None:
    """Whatever the addresses."""
    child = a_child(provider)
    page = child.comes().location

    answers = [child.asks(page, parent=f"adulte{number}@example.org").status_code for number in range(9)]

    assert answers == [303] * 8 + [429]


# ------------------------------------------------------------------------------------------------- its end


@pytest.mark.rule("CON-7", "CON-5")
def test_withdrawal_by_the_same_link_ends_everything_at_once(provider: Provider) -> None:
    """Tokens die, the consent ends, the ledger and the child are told; the next request asks anew."""
    child = a_child(provider, backchannel_logout_uri="https://parking.example.org/back")
    child.asks()
    child.parent_says("yes")
    tokens = provider.redeem(child.service, child.gets_in(scope="openid offline_access")["code"]).json or {}
    assert provider.userinfo(tokens["access_token"]).status_code == 200

    done = child.parent_withdraws()
    shown = child.parents_browser.get(done.location)

    assert provider.is_dead(child.service, tokens)
    assert "Vous avez retiré votre permission" in shown.text
    assert "button-choice" not in shown.text
    assert [act for act, _, _, _ in entries(provider)] == ["given", "withdrawn"]
    assert "ne pourra plus lire les données de votre enfant" in entries(provider)[-1][2]
    assert last_mail(provider.context, child.account.email).event == "permission_withdrawn"
    with provider.context.database.read() as connection:
        assert set(connection.scalars(select(token_families.c.revoked_reason))) == {"permission_withdrawn"}
        assert "logout" in set(connection.scalars(select(outbox.c.kind)))
        told = set(connection.scalars(select(audit_events.c.name).where(audit_events.c.actor == "parent")))
    assert told == {"permission.changed", "consent.withdrawn"}
    page = child.comes().location
    assert "La permission a été retirée" in child.browser.get(page).text
    assert child.asks(page).status_code == 303


@pytest.mark.rule("CON-7")
def test_withdrawn_permission_is_not_given_again_by_its_link(provider: Provider) -> None:
    """Its link shows what was, and opens nothing."""
    child = a_child(provider)
    child.asks()
    child.parent_says("yes")
    child.parent_withdraws()
    child.parent_opens()
    token = form_of(child.parents_browser.get("/sign-in"))["csrf_token"]

    for path in ("/permission", "/permission/withdraw"):
        child.parents_browser.post(
            path, data={"csrf_token": token, "decision": "yes", "confirmed": "yes", "permission_id": "x"}
        )

    assert states(provider) == ["withdrawn"]
    assert child.comes().location.startswith("/parental-permission")


@pytest.mark.rule("CON-7")
def test_parent_lists_and_takes_back_every_permission_for_the_same_child(provider: Provider) -> None:
    """One mail is enough to find the others of that address; those of other parents and children stay unseen."""
    first = a_child(provider, name="Les Explorateurs")
    other_service = provider.a_client(minimum_age=15, name="Le club")
    guardians = provider.a_client(minimum_age=15, name="La tutrice")
    sibling = a_child(provider, name="Du frère")
    second = type(first)(provider, other_service, first.account, first.browser, first.parents_browser)
    third = type(first)(provider, guardians, first.account, first.browser, provider.client())
    for one, parent in ((second, PARENT), (third, "tutrice@example.org"), (sibling, PARENT), (first, PARENT)):
        one.asks(parent=parent)
        one.parent_opens(parent)
        send(one.parents_browser, "/permission", {"decision": "yes"})

    shown = first.parent_opens()
    with provider.context.database.read() as connection:
        theirs = {
            one.client_id: one.permission_id
            for one in permissions.of_account(connection, first.account.account_id)
        }
        foreign = permissions.of_account(connection, sibling.account.account_id)[0].permission_id
    fields = {"confirmed": "yes"}
    for permission_id in (foreign, theirs[guardians.client_id], theirs[other_service.client_id]):
        send(
            first.parents_browser,
            "/permission",
            fields | {"permission_id": permission_id},
            action="/permission/withdraw",
        )

    assert "Le club" in shown.text
    assert "La tutrice" not in shown.text
    assert "Du frère" not in shown.text
    assert states(provider) == ["given", "given", "given", "withdrawn"]
    assert "code" not in answer_of(second.comes(prompt="none"))
    assert third.comes(prompt="none").status_code == 303
    assert "code" in answer_of(third.comes(prompt="none"))


@pytest.mark.rule("CON-7")
def test_child_who_has_grown_up_needs_no_parent(provider: Provider, clock: SettableClock) -> None:
    """Nothing is asked any more, and the old link takes nothing back: the person decides alone."""
    child = a_child(provider, birthdate=born(15, provider.clock(), days=-10))
    child.asks()
    child.parent_says("yes")
    clock.advance(days=11)
    grown = provider.signed_in(child.account)
    answer = provider.consent(grown, provider.authorize(grown, child.service).location)

    shown = child.parent_opens()
    token = form_of(child.parents_browser.get("/sign-in"))["csrf_token"]
    with provider.context.database.read() as connection:
        permission = permissions.latest(connection, child.account.account_id, child.service.client_id)
    assert permission is not None
    child.parents_browser.post(
        "/permission/withdraw",
        data={"csrf_token": token, "confirmed": "yes", "permission_id": permission.permission_id},
    )

    assert "code" in answer_of(answer)
    assert "Votre permission n’est plus nécessaire" in shown.text
    assert states(provider) == ["given"]
    assert provider.redeem(child.service, answer_of(answer)["code"]).status_code == 200


@pytest.mark.rule("CON-7", "LIF-4")
def test_deleted_child_leaves_no_permission(provider: Provider) -> None:
    """The parent's address goes with the account, and the link says nothing of it."""
    child = a_child(provider)
    child.asks()
    child.parent_says("yes")
    path = mailed_path(provider.context, PARENT)

    delete(provider.context, child.account.account_id)

    assert states(provider) == []
    assert provider.client().get(path, follow_redirects=True).status_code == 410


@pytest.mark.rule("CON-7")
def test_two_questions_of_one_child_leave_one_alive(provider: Provider, clock: SettableClock) -> None:
    """The answer that counts is the live one, whatever came before it."""
    child = a_child(provider)
    child.asks()
    child.parent_says("no")
    clock.advance(days=8)
    browser = provider.signed_in(child.account)
    page = provider.authorize(browser, child.service).location
    send(browser, page, {"parent_email": PARENT})

    standing = parental_permission.latest(provider.context, child.account.account_id, child.service.client)

    assert standing is not None
    assert standing.state is PermissionState.ASKED


# ---------------------------------------------------------------------------------- other ways of a request


@pytest.mark.rule("CON-7")
def test_pushed_request_of_a_child_waits_for_the_parent_too(provider: Provider) -> None:
    """PAR, the same steps: it survives the wait for a quick answer, and is used up by the one it gets."""
    child = a_child(provider)
    pushed = provider.post("/par", child.service, **provider.parameters(child.service)).json or {}
    request = {"client_id": child.service.client_id, "request_uri": pushed["request_uri"]}

    page = child.browser.get("/authorize", query_string=request).location
    child.asks(page)
    child.parent_says("yes")
    consent = child.browser.get(page).location
    answer = answer_of(provider.consent(child.browser, consent))

    assert page.startswith("/parental-permission")
    assert provider.redeem(child.service, answer["code"]).status_code == 200


@pytest.mark.rule("CON-7")
def test_device_of_a_child_waits_for_the_parent_too(provider: Provider) -> None:
    """Somebody types the code of a device: no tokens before the yes, and a no of the child ends the wait."""
    child = a_child(provider)
    first, second = (a_device(provider, child.service) for _ in range(2))

    page = send(child.browser, "/device", {"user_code": first.user_code}).location
    shown = child.browser.get(page)
    child.asks(page)
    waits = first.polls().json
    child.parent_says("yes")
    provider.consent(child.browser, child.browser.get(page).location)
    first.waits()
    child.parent_withdraws()
    other = send(child.browser, "/device", {"user_code": second.user_code}).location
    back = send(child.browser, other, {}, action="/parental-permission/return")

    assert page.startswith("/parental-permission")
    assert "l’appareil n’est pas connecté" in shown.text
    assert waits == {"error": "authorization_pending"} | {
        name: text for name, text in (waits or {}).items() if name != "error"
    }
    assert (first.polls().json or {})["error"] in {"access_denied", "invalid_grant"}
    assert back.status_code in {200, 303}
    assert (second.polls().json or {})["error"] == "access_denied"


@pytest.mark.rule("CON-7", "FC-6")
def test_birth_date_that_must_be_certified_is_certified_before_any_parent_is_asked(
    provider: Provider,
) -> None:
    """What the child typed counts for nothing where the contract demands FranceConnect's word."""
    wanted = ClaimUse("birthdate", {"fr": "Pour l’âge."}, required=True, minimum_level=600)
    child = a_child(provider, claims=(wanted,))

    answer = child.comes(scope="openid profile")

    # FranceConnect is off in this provider: nobody can certify anything.
    assert answer_of(answer)["error"] == "access_denied"
    assert states(provider) == []


@pytest.mark.rule("CON-7", "PRI-3")
def test_address_of_a_parent_goes_when_nobody_can_use_the_permission_any_more(
    provider: Provider, clock: SettableClock
) -> None:
    """Refused, replaced, withdrawn or never answered, it goes; what is given stays, and so does the proof."""
    given, refused, withdrawn, unanswered = (a_child(provider) for _ in range(4))
    for child, decision in ((given, "yes"), (refused, "no"), (withdrawn, "yes")):
        child.asks()
        child.parent_says(decision)
    withdrawn.parent_withdraws()
    unanswered.asks(parent="tutrice@example.org")

    retention = Retention(session_idle=timedelta(hours=20))
    clock.advance(days=6)
    purge(provider.context, retention, lambda _: None)
    after_six_days = states(provider)
    clock.advance(days=16)
    purge(provider.context, retention, lambda _: None)

    assert after_six_days == ["asked", "given", "refused", "withdrawn"]
    assert states(provider) == ["given"]
    assert len(entries(provider)) == 4


@pytest.mark.rule("CON-7")
def test_waiting_page_keeps_its_request(provider: Provider, clock: SettableClock) -> None:
    """Looking whether the answer has come does not begin anew."""
    child = a_child(provider)
    page = child.comes().location
    child.asks(page)
    clock.advance(minutes=5)

    again = child.browser.get(page)

    assert again.status_code == 200
    assert pending_of(page) in again.text
    assert child.browser.get_cookie(SESSION_COOKIE) is not None


def asked_from_a_service(child: Child) -> timedelta:
    """Say how long the parent has, as the child's page does."""
    standing = parental_permission.latest(
        child.provider.context, child.account.account_id, child.service.client
    )
    assert standing is not None
    return standing.expires_at - standing.asked_at


@pytest.mark.rule("CON-7")
def test_parent_has_two_weeks_to_answer(provider: Provider) -> None:
    """As the setting says."""
    child = a_child(provider)
    child.asks()

    assert asked_from_a_service(child) == timedelta(days=14)
