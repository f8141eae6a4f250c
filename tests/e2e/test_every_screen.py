"""Every state of every page, in both languages and themes, on a phone and on a screen (UX-1, UX-2, UX-4).

Each chapter is one person's walk; it names a screen whenever one is in front of them. The pictures are kept in
tests/pictures/, for people to look at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from idp.cli.demonstration import plan as plans
from idp.domain.minimum_age import ASK_AGAIN_AFTER
from idp.storage.models import accounts, consents, parental_permissions, purpose_choices
from idp.storage.repositories import terms
from idp.web.space.styleguide import PARTS
from tests.support.builders import OTHER_PASSWORD, PASSWORD
from tests.support.children import born
from tests.support.demonstration import DECLARED, new_address, wait_until
from tests.support.provider import basic
from tests.support.screens import Inspector, as_lines
from tests.support.started_devices import a_television
from tests.support.visitor import Identity, Visitor

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor

LOCALES = {"fr": "fr-FR", "en": "en-GB"}
SIGN_UPS_OF_ONE_NETWORK = 20
NOTICES_OF_SIGN_IN = ("signed_out", "session_expired", "password_changed", "account_ready")


def reading(visitor: Visitor) -> Iterator[str]:
    """Somebody who only reads, and loses their way."""
    pages = {
        "home": "/",
        "terms": "/terms",
        "contact": "/contact",
        "site_map": "/site-map",
        "legal_notice": "/legal-notice",
        "privacy": "/privacy",
        "cookies": "/cookies",
        "accessibility": "/accessibilite",
        "signed_out": "/signed-out",
        "not_found": "/nowhere",
        "wrong_method": "/sign-out",
        "dead_sign_up_link": "/sign-up/link?token=nothing",
        "dead_password_link": "/new-password?token=nothing",
        "dead_undo_link": "/undo-email?token=nothing",
        "dead_permission_link": "/permission?token=nothing",
        "expired": "/sign-in?pending=mpq_nothing",
        "franceconnect_expired": "/franceconnect/callback?state=nothing&code=nothing",
        "franceconnect_linked_elsewhere": "/franceconnect/turned-away?reason=linked_elsewhere",
        "franceconnect_identity_taken": "/franceconnect/turned-away?reason=identity_taken",
        "franceconnect_other_portal": "/franceconnect/turned-away?reason=other_portal",
        "franceconnect_already_linked": "/franceconnect/turned-away?reason=already_linked",
        "franceconnect_other_birth_data": "/franceconnect/turned-away?reason=birth_data_changed&incident=AB12CD34",
        "request_of_nobody": "/authorize?client_id=nobody&response_type=code",
        "request_to_elsewhere": "/authorize?client_id=stationnement&redirect_uri=https://elsewhere.example/",
        "styleguide_colours": "/styleguide",
        **{f"styleguide_{part}": f"/styleguide/{part}" for part in PARTS[1:]},
        "styleguide_header": "/styleguide/frame/favourites",
    }
    for name, path in pages.items():
        visitor.opens(path)
        yield name
    visitor.opens("/sign-up")
    visitor.page.evaluate("document.querySelector('main [name=csrf_token]').value += 'x'")
    submits(visitor, email="zoe@example.org")
    yield "form_expired"
    visitor.opens("/sign-up")
    for _ in range(SIGN_UPS_OF_ONE_NETWORK):
        _signs_up_unseen(visitor)
    submits(visitor, email=new_address())
    yield "throttled"
    visitor.demo.forget_tries()


def _signs_up_unseen(visitor: Visitor) -> None:
    """Send the form in front of the person without showing the answer."""
    token = visitor.page.locator("main [name=csrf_token]").input_value()
    visitor.page.request.post(
        f"{visitor.demo.provider}/sign-up",
        form={"csrf_token": token, "email": new_address()},
        headers={"Sec-Fetch-Site": "same-origin"},
        max_redirects=0,
    )


def coming_in(visitor: Visitor) -> Iterator[str]:
    """Somebody who can’t sign in, then comes with too little."""
    visitor.opens("/sign-in")
    yield "sign_in"
    for notice in NOTICES_OF_SIGN_IN:
        visitor.opens(f"/sign-in?notice={notice}")
        yield f"sign_in_{notice}"
    visitor.opens("/sign-in")
    submits(visitor, email="", password="")
    yield "sign_in_empty"
    email = visitor.demo.new_account()
    for _ in range(6):
        submits(visitor, email=email, password="Faux.Mot2Passe")
    yield "sign_in_throttled"
    visitor.demo.forget_tries()
    submits(visitor, email=email, password="Faux.Mot2Passe")
    yield "sign_in_refused"
    visitor.opens("/forgotten-password")
    yield "forgotten_password"
    submits(visitor, email="zoe")
    yield "forgotten_password_error"
    submits(visitor, email=email)
    yield "forgotten_password_sent"
    visitor.page.goto(visitor.demo.wait_for_mail(email)["links"][0])
    yield "new_password"
    submits(visitor, password="é'")
    yield "new_password_error"
    submits(visitor, password=OTHER_PASSWORD)
    yield "new_password_done"
    # Parking can't do without a name, and this person gave none.
    visitor.goes_to_parking()
    submits(visitor, email=visitor.demo.new_account(identity={}), password=PASSWORD)
    yield "identity_needed"
    submits(visitor)
    yield "identity_needed_error"


def signing_up(visitor: Visitor) -> Iterator[str]:
    """Somebody new, who comes from parking and makes every mistake."""
    email = new_address()
    visitor.goes_to_parking()
    yield "sign_in_for_parking"
    presses(visitor, "main a[href^='/sign-up']")
    yield "sign_up"
    submits(visitor, email="zoe@")
    yield "sign_up_error"
    submits(visitor, email=email)
    yield "sign_up_code"
    submits(visitor, code="12")
    yield "sign_up_code_error"
    presses(visitor, "form[action='/sign-up/code/resend'] button")
    yield "sign_up_code_resent"
    visitor.page.goto(visitor.demo.wait_for_mail(email, 2)["links"][0])
    yield "sign_up_link"
    presses(visitor, "form[action='/sign-up/link'] button")
    yield "sign_up_details"
    visitor.writes(password="abcé")
    expect(visitor.page.locator("[data-rule=refused_characters]")).to_have_attribute("data-state", "wrong")
    yield "sign_up_details_typing"
    submits(visitor, password="abcé", family_name="1")
    yield "sign_up_details_error"
    visitor.writes(password=PASSWORD, given_name="Zoé Claire", family_name="Œuvrard")
    visitor.ticks("terms")
    submits(visitor)
    yield "consent"
    visitor.page.route(f"{visitor.demo.parking}/callback*", lambda route: route.abort("aborted"))
    presses(visitor, "button[value=allow]")
    yield "consent_without_an_answer"
    visitor.answers_purposes()
    presses(visitor, "button[value=allow]")
    expect(visitor.page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    yield "continue"


def at_home(visitor: Visitor) -> Iterator[str]:
    """Somebody with an account and a service, who changes everything that can be changed."""
    email = visitor.demo.new_account(identity=DECLARED | {"preferred_username": "Durand-Lys"})
    visitor.opens("/sign-in?next=/account/services")
    submits(visitor, email=email, password=PASSWORD)
    yield "services_none"
    visitor.goes_to_explorateurs()
    yield "consent_with_choices"
    presses(visitor, "button[value=allow]")
    visitor.is_at(visitor.demo.explorateurs, "/adhesion")
    for name, path in {
        "home_signed_in": "/",
        "account": "/account",
        "identity": "/account/identity",
        "sessions": "/account/sessions",
        "sessions_others_ended": "/account/sessions?notice=others_ended",
        "services": "/account/services",
        "confirm_it_is_you": "/sign-in?confirm=1&next=/account",
        "not_found_signed_in": "/nowhere",
        "log_out_question": "/logout",
        "log_out_question_of_parking": "/logout?client_id=stationnement",
        "terms_signed_in": "/terms",
    }.items():
        visitor.opens(path)
        yield name
    visitor.opens("/account/identity")
    submits(visitor, given_name="", family_name="1")
    yield "identity_error"
    submits(visitor, given_name="Zoé", family_name="Œuvrard")
    yield "identity_saved"
    _saves_elsewhere(visitor, "/account/identity", family_name="Œuvrard-Lys")
    submits(visitor, preferred_username="Mistral")
    yield "identity_outdated"
    yield from _reachable(visitor)
    visitor.opens("/account/password")
    yield "password"
    submits(visitor, current_password="", password="abc")
    yield "password_error"
    submits(visitor, current_password=PASSWORD, password=OTHER_PASSWORD)
    yield "password_changed"
    visitor.opens("/account/services")
    presses(visitor, "form[action='/account/services/withdraw'] button")
    yield "withdraw"
    presses(visitor, "button[name=confirmed]")
    yield "withdrawn"
    visitor.opens(f"/authorize?{urlencode(_request_of_parking(visitor, prompt='select_account'))}")
    yield "select_account"
    visitor.opens(f"/authorize?{urlencode(_request_of_parking(visitor, acr_values='eidas1'))}")
    yield "step_up"
    visitor.opens(f"/authorize?{urlencode(_request_of_parking(visitor, claims=ESSENTIAL))}")
    yield "step_up_demanded"
    presses(visitor, "header form button")
    yield "signed_out_by_click"
    yield from _back_again(visitor, email)


def _back_again(visitor: Visitor, email: str) -> Iterator[str]:
    """Compare the login before with one's memory, choose a language, and secure the account."""
    visitor.opens("/sign-in")
    submits(visitor, email=email, password=OTHER_PASSWORD)
    expect(visitor.page.locator("h1 + p a[href='/account/sessions']")).to_have_count(1)
    yield "home_with_last_login"
    visitor.opens("/account/language")
    yield "language"
    spoken = visitor.page.locator("html").get_attribute("lang")
    visitor.hands.choose(visitor.page.locator(f"[name=language][value={spoken}]"))
    submits(visitor)
    yield "language_saved"
    visitor.opens("/account/secure")
    yield "secure"
    presses(visitor, "main form[action='/account/secure'] button")
    expect(visitor.page.locator("main a[href='/forgotten-password']")).to_have_count(1)
    yield "secured"
    visitor.opens("/account/secure")
    yield "secure_signed_out"


#: The level that only FranceConnect gives, demanded (OIDC Core 5.5.1.1).
ESSENTIAL = '{"id_token":{"acr":{"essential":true,"values":["eidas1"]}}}'


def _reachable(visitor: Visitor) -> Iterator[str]:
    """Say how to be reached, in two tabs."""
    visitor.opens("/account/contact-details")
    yield "contact_details"
    submits(visitor, phone_number="12", street="4 bis, rue de Lobau", postal_code="7500")
    yield "contact_details_error"
    _saves_elsewhere(visitor, "/account/contact-details", phone_number="06 12 34 56 78")
    submits(visitor, phone_number="01 42 76 40 40", postal_code="75004", locality="Paris")
    yield "contact_details_outdated"
    submits(visitor)
    yield "contact_details_saved"
    visitor.opens("/account")
    yield "account_reachable"


def _saves_elsewhere(visitor: Visitor, path: str, **fields: str) -> None:
    """Save a page of the account in another tab, while this one shows it."""
    elsewhere = visitor.page.context.new_page()
    elsewhere.goto(f"{visitor.demo.provider}{path}")
    for name, text in fields.items():
        elsewhere.locator(f"#field-{name}").fill(text)
    elsewhere.locator(f"main form[action='{path}'] .button-main").click()
    elsewhere.wait_for_url("**notice=saved")
    elsewhere.close()


def _request_of_parking(visitor: Visitor, **others: str) -> dict[str, str]:
    return {
        "client_id": "stationnement",
        "redirect_uri": f"{visitor.demo.parking}/callback",
        "response_type": "code",
        "scope": "openid profile email",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "state": "state",
        "nonce": "nonce",
        **others,
    }


def changing_the_address(visitor: Visitor) -> Iterator[str]:
    """Somebody who gives a contact address, changes their login address, and takes that back from the old one."""
    old, new = visitor.demo.new_account(), new_address()
    visitor.opens("/sign-in?next=/account/contact-email")
    submits(visitor, email=old, password=PASSWORD)
    yield from _giving_a_contact_address(visitor)
    visitor.opens("/account/email")
    yield "email"
    submits(visitor, email=old)
    yield "email_error"
    submits(visitor, email=new)
    yield "email_code"
    submits(visitor, code="12")
    yield "email_code_error"
    link = visitor.demo.wait_for_mail(new)["links"][0]
    visitor.page.goto(link)
    yield "email_link"
    submits(visitor)
    yield "email_changed"
    visitor.page.goto(link)
    yield "dead_email_link"
    visitor.page.goto(visitor.demo.wait_for_link(old, "/undo-email"))
    yield "email_undo"
    presses(visitor, "form[action='/undo-email'] button")
    yield "email_undone"


def _giving_a_contact_address(visitor: Visitor) -> Iterator[str]:
    contact = new_address()
    yield "contact_email"
    submits(visitor, email="zoe@")
    yield "contact_email_error"
    submits(visitor, email=contact)
    yield "contact_email_waiting"
    visitor.page.goto(visitor.demo.wait_for_mail(contact)["links"][0])
    yield "contact_email_link"
    submits(visitor)
    yield "contact_email_proven"


def subscribing(visitor: Visitor) -> Iterator[str]:
    """Somebody who subscribes to a list of parking by a mail, and leaves by the link of a letter."""
    email = visitor.demo.new_account()
    visitor.opens("/newsletters/confirm")
    yield "newsletter_dead_link"
    visitor.opens("/sign-in?next=/newsletters")
    submits(visitor, email=email, password=PASSWORD)
    yield "newsletters"
    presses(visitor, "form[action='/newsletters/subscribe'] button")
    yield "newsletters_waiting"
    visitor.page.goto(visitor.demo.wait_for_link(email, "/newsletters/confirm"))
    yield "newsletter_confirm"
    submits(visitor)
    yield "newsletter_confirmed"
    visitor.opens("/newsletters")
    yield "newsletters_subscribed"
    visitor.page.goto(_link_of_letters(visitor, email))
    yield "newsletter_leave"
    submits(visitor)
    yield "newsletter_left"


def _link_of_letters(visitor: Visitor, email: str) -> str:
    """Read the list as parking does, for the address that its letters to somebody carry."""
    secret = plans.secrets_in(visitor.demo.folder)[plans.PARKING]
    caller, provider = visitor.page.request, visitor.demo.provider
    token = caller.post(
        f"{provider}/token",
        headers={"Authorization": basic(plans.PARKING, secret)},
        form={"grant_type": "client_credentials", "scope": "newsletters"},
    ).json()["access_token"]
    page = caller.get(
        f"{provider}/api/newsletters/actualites/subscribers", headers={"Authorization": f"Bearer {token}"}
    ).json()
    found = next(one for one in page["subscribers"] if one["email"] == email)
    return str(found["list_unsubscribe"]).strip("<>")


def by_form_post(visitor: Visitor) -> Iterator[str]:
    """Somebody whose service wants its answer in a form, and whose terms of use are old."""
    email = visitor.demo.new_account(terms_version="2020-01-01")
    visitor.page.route(f"{visitor.demo.parking}/callback*", lambda route: route.abort("aborted"))
    little = _request_of_parking(visitor, response_mode="form_post", scope="openid email")
    visitor.opens(f"/authorize?{urlencode(little)}")
    submits(visitor, email=email, password=PASSWORD)
    yield "accept_terms"
    submits(visitor)
    yield "accept_terms_error"
    visitor.ticks("terms")
    submits(visitor)
    visitor.answers_purposes()
    # The page that comes sends its form before it is whole: what says that it is there is the form.
    visitor.page.locator("button[value=allow]").click()
    expect(visitor.page.locator("form[data-form-post], meta[http-equiv=refresh]")).to_have_count(1)
    yield "form_post"
    more = f"/authorize?{urlencode(_request_of_parking(visitor))}"
    visitor.opens(more)
    yield "consent_grown"
    presses(visitor, "button[value=allow]")
    expect(visitor.page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    for name, table, values in (
        ("consent_of_another_policy", consents, {"policy_version": "0"}),
        ("consent_to_a_question_alone", purpose_choices, {"version": "0"}),
    ):
        with visitor.demo.database.write() as connection:
            owner = select(accounts.c.account_id).where(accounts.c.email == email).scalar_subquery()
            connection.execute(update(table).where(table.c.account_id == owner).values(**values))
        visitor.opens(more)
        yield name
        if name == "consent_of_another_policy":
            presses(visitor, "button[value=allow]")
            expect(visitor.page.locator("meta[http-equiv=refresh]")).to_have_count(1)


def by_device(visitor: Visitor) -> Iterator[str]:
    """Somebody in front of a television."""
    visitor.opens("/device")
    yield "device"
    submits(visitor, user_code="BCDF-GHJK")
    yield "device_error"
    for _ in range(5):
        submits(visitor, user_code="BCDF-GHJK")
    yield "device_throttled"
    visitor.demo.forget_tries()
    visitor.opens(f"/device?user_code={a_television(visitor.demo).codes['user_code']}")
    yield "device_compare"
    presses(visitor, "main form .button-main")
    yield "sign_in_for_device"
    submits(visitor, email=visitor.demo.new_account(), password=PASSWORD)
    yield "consent_for_device"
    presses(visitor, "button[value=allow]")
    yield "device_allowed"
    for name, error in {
        "device_refused": "access_denied",
        "device_expired": "expired_token",
        "device_failed": "server_error",
    }.items():
        visitor.opens(f"/device/answer?error={error}")
        yield name


def leaving(visitor: Visitor) -> Iterator[str]:
    """Somebody who used a service that wants a frame, and leaves from our pages, then from the service."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    submits(visitor, email=email, password=PASSWORD)
    visitor.answers_purposes()
    presses(visitor, "button[value=allow]")
    visitor.is_at(visitor.demo.parking, "/espace")
    visitor.opens("/account")
    presses(visitor, "header form button")
    yield "signed_out_with_frames"
    visitor.page.route(f"{visitor.demo.parking}/deconnecte*", lambda route: route.abort("aborted"))
    visitor.goes_to_parking()
    submits(visitor, email=email, password=PASSWORD)
    visitor.is_at(visitor.demo.parking, "/espace")
    visitor.hands.press(visitor.page.locator("form[action='/deconnexion'] button"))
    expect(visitor.page.locator("[data-continue]")).to_have_count(1)
    yield "signed_out_with_frames_and_goes_on"


def with_franceconnect(visitor: Visitor) -> Iterator[str]:
    """Somebody whom FranceConnect knows, and we don't."""
    identity = Identity()
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    visitor.follows("Revenir sur Mon Paris")
    visitor.is_at(visitor.demo.provider, "/franceconnect/callback")
    yield "franceconnect_refused"
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    with visitor.demo.faults() as break_it:
        break_it(fault="wrong_nonce")
        visitor.identifies(identity)
        visitor.is_at(visitor.demo.provider, "/franceconnect/callback")
    yield "franceconnect_misbehaved"
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    with visitor.demo.faults() as break_it:
        break_it(fault="bad_json", on="token")
        visitor.lets_franceconnect_go_on()
        visitor.is_at(visitor.demo.provider, "/franceconnect/callback")
    yield "franceconnect_unreadable"
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    visitor.lets_franceconnect_go_on()
    visitor.is_at(visitor.demo.provider, "/franceconnect/first-time")
    yield "franceconnect_first_time"
    presses(visitor, "button[value=link]")
    yield "franceconnect_link"
    submits(visitor, email="zoe@example.org", password="Faux.Mot2Passe")
    yield "franceconnect_link_error"
    presses(visitor, "a[href^='/franceconnect/first-time']")
    presses(visitor, "button[value=create]")
    yield "franceconnect_sign_up"
    submits(visitor, email="")
    yield "franceconnect_sign_up_error"
    visitor.writes(email=identity.email)
    visitor.ticks("terms")
    submits(visitor)
    yield "franceconnect_code"
    submits(visitor, code=str(visitor.demo.wait_for_mail(identity.email)["code"]))
    yield "consent_certified"
    presses(visitor, "button[value=deny]")
    for name, path in {
        "home_certified": "/",
        "account_certified": "/account",
        "identity_locked": "/account/identity",
        "password_generated": "/account/password",
        "unlink_password_first": "/account/franceconnect/unlink",
    }.items():
        visitor.opens(path)
        yield name
    presses(visitor, "header form button")
    expect(visitor.page).to_have_url(re.compile("/signed-out"))
    yield from _linking(visitor, identity)


def _linking(visitor: Visitor, taken: Identity) -> Iterator[str]:
    """Go on with an account of one's own, and an identity that another account has."""
    visitor.opens("/sign-in?next=/account/identity")
    submits(visitor, email=visitor.demo.new_account(), password=PASSWORD)
    visitor.goes_to_franceconnect()
    visitor.identifies(taken)
    # By the page of FranceConnect's own logout, which goes on by itself.
    visitor.is_at(visitor.demo.provider, "/franceconnect/turned-away")
    yield "franceconnect_linked_elsewhere"
    visitor.opens("/account/identity")
    visitor.goes_to_franceconnect()
    visitor.identifies(Identity(given_name="Zoé", birthdate=DECLARED["birthdate"]))
    visitor.is_at(visitor.demo.provider, "/account/franceconnect")
    yield "franceconnect_compare"
    presses(visitor, "button[value=confirm]")
    yield "identity_linked"


def ending_the_link(visitor: Visitor) -> Iterator[str]:
    """Somebody who no longer wants FranceConnect, and a manager who decides."""
    email = visitor.demo.new_account()
    visitor.opens("/sign-in?next=/account/identity")
    submits(visitor, email=email, password=PASSWORD)
    visitor.goes_to_franceconnect()
    visitor.identifies(Identity(given_name="Zoé", birthdate=DECLARED["birthdate"]))
    presses(visitor, "button[value=confirm]")
    presses(visitor, "main a[href='/account/franceconnect/unlink']")
    yield "unlink"
    submits(visitor, message="Je préfère mon mot de passe. " * 40)
    yield "unlink_error"
    submits(visitor, message="Je préfère mon mot de passe.\nMerci.")
    yield "unlink_asked"
    visitor.opens("/account/identity")
    yield "identity_unlink_asked"
    presses(visitor, "main a[href='/account/franceconnect/unlink']")
    presses(visitor, "form[action$='/withdraw'] button")
    yield "identity_unlink_withdrawn"
    _decided(visitor, email, "refuse", "--reason", "Un dossier est en cours.")
    visitor.opens("/account/identity")
    yield "identity_unlink_refused"
    visitor.opens("/account/franceconnect/unlink")
    yield "unlink_refused"
    _decided(visitor, email, "approve")
    visitor.opens("/account/identity")
    submits(visitor, email=email, password=PASSWORD)
    yield "identity_unlinked"


def asking_a_parent(visitor: Visitor) -> Iterator[str]:
    """Somebody of fourteen, and a parent who says no, then yes, and takes it back."""
    visitor.opens("/sign-in?next=/account")
    without_age = {name: value for name, value in DECLARED.items() if name != "birthdate"}
    submits(visitor, email=visitor.demo.new_account(identity=without_age), password=PASSWORD)
    visitor.goes_to_explorateurs()
    yield "identity_age_needed"
    now = datetime.now(UTC)  # noqa: TID251 - the programs of the demonstration read the machine's clock
    submits(visitor, birthdate=born(14, now, days=30))
    page, parent = visitor.page.url, new_address("parent")
    yield "permission_needed"
    submits(visitor, parent_email="maman")
    yield "permission_error"
    submits(visitor, parent_email=parent)
    yield "permission_waiting"
    visitor.page.goto(visitor.demo.wait_for_mail(parent)["links"][0])
    yield "permission_question"
    presses(visitor, "button[value=no]")
    yield "permission_declined"
    visitor.page.goto(page)
    yield "permission_refused"
    with visitor.demo.database.write() as connection:
        connection.execute(update(parental_permissions).values(answered_at=now - ASK_AGAIN_AFTER))
    visitor.page.goto(page)
    yield "permission_refused_long_ago"
    submits(visitor, parent_email=parent)
    visitor.page.goto(visitor.demo.wait_for_mail(parent, 2)["links"][0])
    presses(visitor, "button[value=yes]")
    yield "permission_given"
    presses(visitor, "form[action='/permission/withdraw'] button")
    yield "permission_withdraw"
    presses(visitor, "button[name=confirmed]")
    yield "permission_withdrawn"
    visitor.page.goto(page)
    yield "permission_needed_again"
    presses(visitor, "form[action='/parental-permission/return'] button")


def _decided(visitor: Visitor, email: str, decision: str, *options: str) -> None:
    """Ask to end the link, and have it decided."""
    visitor.opens("/account/franceconnect/unlink")
    submits(visitor)
    queue = json.loads(visitor.demo.idp("unlink", "list", "--json"))
    request_id = next(one["request_id"] for one in queue if one["email"] == email)
    visitor.demo.idp("unlink", decision, request_id, *options, "--yes")


def keeping_receipts(visitor: Visitor) -> Iterator[str]:
    """Somebody who allowed parking something, reads the proofs and has one checked."""
    visitor.opens("/receipts/check")
    yield "receipt_check"
    submits(visitor, receipt="rien")
    yield "receipt_check_error"
    email = visitor.demo.new_account(identity=DECLARED)
    visitor.opens("/sign-in?next=/account/receipts")
    submits(visitor, email=email, password=PASSWORD)
    yield "receipts_none"
    visitor.goes_to_explorateurs()
    presses(visitor, "button[value=allow]")
    visitor.is_at(visitor.demo.explorateurs, "/adhesion")
    visitor.opens("/account/receipts")
    yield "receipts"
    presses(visitor, "main .items a[href^='/account/receipts/']")
    yield "receipt"
    address = visitor.page.locator("main a[href$='/download']").get_attribute("href")
    signed = visitor.page.request.get(f"{visitor.demo.provider}{address}").json()["jws"]
    visitor.opens("/receipts/check")
    submits(visitor, receipt=signed)
    yield "receipt_checked"


def forgetting_the_account(visitor: Visitor) -> Iterator[str]:
    """Somebody who left four years ago, is warned, and keeps the account."""
    visitor.opens("/keep-account?token=nothing")
    yield "keep_account_dead_link"
    email = visitor.demo.new_account()
    used_at = datetime.now(UTC) - timedelta(days=1500)  # noqa: TID251 - the demonstration has no other clock
    with visitor.demo.database.write() as connection:
        statement = update(accounts).where(accounts.c.email == email).values(last_active_at=used_at)
        connection.execute(statement)
    visitor.demo.idp("lifecycle", "run")
    visitor.page.goto(visitor.demo.wait_for_mail(email)["links"][0])
    yield "keep_account"
    submits(visitor)
    yield "keep_account_done"
    visitor.opens("/keep-account")
    yield "keep_account_in_use"


def managing_services(visitor: Visitor) -> Iterator[str]:
    """Somebody whom both services know, who looks at what they received, answers anew and takes everything along."""
    email = visitor.demo.new_account(identity=DECLARED)
    visitor.opens("/sign-in?next=/account/services/journal")
    submits(visitor, email=email, password=PASSWORD)
    yield "services_journal_empty"
    visitor.goes_to_parking()
    visitor.answers_purposes()
    presses(visitor, "button[value=allow]")
    visitor.is_in_parking()
    wait_until(lambda: _told(visitor), "what parking was told, which is written about a second later")
    visitor.hands.press(visitor.page.locator("main details summary").first)
    yield "services_received"
    visitor.page.evaluate(
        "document.querySelectorAll('input[type=radio]').forEach(one => one.checked = false)"
    )
    presses(visitor, "form[action='/account/services/purposes'] button")
    yield "purposes_error"
    visitor.hands.choose(visitor.page.locator("input[type=radio][value=no]").first)
    presses(visitor, "form[action='/account/services/purposes'] button")
    yield "purposes_kept"
    visitor.opens("/account/services/journal")
    yield "services_journal"
    visitor.opens("/account/services")
    presses(visitor, "form[action='/account/services/withdraw'] button")
    presses(visitor, "button[name=confirmed]")
    yield "services_past"
    visitor.opens("/account/export")
    yield "export"


def _told(visitor: Visitor) -> int | None:
    """Look whether "Mes services" tells what a service received."""
    visitor.opens("/account/services")
    return visitor.page.locator("main details summary").count() or None


def in_the_space(visitor: Visitor) -> Iterator[str]:
    """Somebody whom parking tells of their requests, and who puts their space in order."""
    email = visitor.demo.new_account(identity=DECLARED)
    visitor.opens("/sign-in?next=/requests")
    submits(visitor, email=email, password=PASSWORD)
    yield "requests_none"
    visitor.opens("/account/favourites")
    yield "favourites_none"
    # The first visit of parking's space is what has it write.
    visitor.goes_to_parking()
    visitor.answers_purposes()
    presses(visitor, "button[value=allow]")
    visitor.is_in_parking()
    visitor.opens("/requests")
    yield "requests"
    visitor.opens("/requests?view=over&search=rien")
    yield "requests_not_found"
    for _ in range(2):
        visitor.opens("/account/favourites")
        presses(visitor, "form[action='/account/favourites/add'] button")
    yield "favourites"
    visitor.opens("/account/rubriques")
    for box in visitor.page.locator("[name=rubriques]").all():
        box.check()
    submits(visitor)
    yield "rubriques"
    visitor.opens("/rubriques/deplacements")
    yield "rubrique"
    visitor.opens("/")
    yield "home_with_requests"


def deleting_the_account(visitor: Visitor) -> Iterator[str]:
    """Somebody whom parking knows, who reads what deletion means, forgets the box, goes on, and checks the proof."""
    email = visitor.demo.new_account(identity=DECLARED)
    visitor.opens("/account-deleted")
    yield "deleted_nobody"
    visitor.opens("/deletion-certificate")
    yield "deletion_certificate"
    submits(visitor, document="rien")
    yield "deletion_certificate_error"
    visitor.opens("/sign-in?next=/account/delete")
    submits(visitor, email=email, password=PASSWORD)
    yield "delete_without_services"
    visitor.goes_to_parking()
    visitor.answers_purposes()
    presses(visitor, "button[value=allow]")
    visitor.is_at(visitor.demo.parking, "/espace")
    visitor.opens("/account/delete")
    yield "delete"
    presses(visitor, "form[action='/account/delete'] button")
    yield "delete_error"
    visitor.opens("/account-deleted")
    yield "deleted_not_yet"
    visitor.opens("/account/delete")
    visitor.ticks("understood")
    presses(visitor, "form[action='/account/delete'] button")
    expect(visitor.page.locator("#certificate")).to_have_count(1)
    yield "deleted"
    signed = visitor.page.request.get(f"{visitor.demo.provider}/account-deleted/certificate").text()
    visitor.opens("/deletion-certificate")
    submits(visitor, document=signed)
    yield "deletion_certificate_checked"


def having_rights(visitor: Visitor) -> Iterator[str]:
    """Somebody whose data are asked about and limited, and whose terms are old."""
    _older_terms(visitor)
    visitor.opens(f"/terms/{OLDER_TERMS}")
    yield "terms_older"
    visitor.opens("/terms/2026-11-01/changes")
    yield "terms_changes"
    email = visitor.demo.new_account(terms_version=OLDER_TERMS)
    visitor.opens("/sign-in?next=/account/rights")
    submits(visitor, email=email, password=PASSWORD)
    yield "accept_terms_with_changes"
    visitor.ticks("terms")
    submits(visitor)
    yield "rights"
    known = ("--account", email)
    first = json.loads(visitor.demo.idp("requests", "add", "objection", *known, "--json"))["request_id"]
    visitor.demo.idp(
        "requests", "close", first, "--refused", "--outcome", "La loi oblige la Ville à les garder."
    )
    visitor.demo.idp(
        "requests", "add", "restriction", *known, "--guardian", "--note", "Livret de famille vu."
    )
    visitor.demo.idp("accounts", "limit", email, "--reason", "Dossier 12")
    visitor.opens("/sign-in?next=/account/rights")
    submits(visitor, email=email, password=PASSWORD)
    yield "rights_limited"


#: A version of before the demonstration's own.
OLDER_TERMS = "2025-07-28"


def _older_terms(visitor: Visitor) -> None:
    """Write older terms than those that hold: publishing others would ask everybody here."""
    then = datetime(2025, 7, 28, tzinfo=UTC)
    with visitor.demo.database.write() as connection:
        if terms.texts(connection, OLDER_TERMS):
            return
        for current in terms.texts(connection, "2026-11-01"):
            body = current.body.replace("37", "36").replace("8 ", "10 ", 1)
            older = replace(current, version=OLDER_TERMS, body=body, effective_at=then, published_at=then)
            terms.publish(connection, older)


CHAPTERS: tuple[Callable[[Visitor], Iterator[str]], ...] = (
    reading,
    coming_in,
    signing_up,
    at_home,
    changing_the_address,
    subscribing,
    by_form_post,
    leaving,
    by_device,
    with_franceconnect,
    ending_the_link,
    asking_a_parent,
    keeping_receipts,
    forgetting_the_account,
    in_the_space,
    deleting_the_account,
    managing_services,
    having_rights,
)


def submits(visitor: Visitor, **fields: str) -> None:
    """Fill fields in and send the main form of the page, whatever its language."""
    visitor.writes(**fields)
    presses(visitor, "main form:has(.button-main) .button-main")


def presses(visitor: Visitor, selector: str) -> None:
    """Use what leads to another page, and wait for that one."""
    visitor.hands.press(visitor.page.locator(selector).first)


@pytest.mark.rule("UX-1", "UX-2", "UX-4")
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.__name__)
@pytest.mark.parametrize("language", LOCALES)
def test_screens_are_accessible_narrow_light_and_ask_nothing_elsewhere(
    a_visitor: AVisitor, chapter: Callable[[Visitor], Iterator[str]], language: str
) -> None:
    """On each screen axe finds nothing, nothing overflows, no script fails, and every request stays here."""
    visitor = a_visitor(locale=LOCALES[language])
    inspector = Inspector(visitor.page, visitor.demo.origins, language)
    # The services ask for French pages; who has chosen keeps their language.
    visitor.opens(f"/?lang={language}")

    for screen in chapter(visitor):
        inspector.look(screen)
        if visitor.page.locator("html").get_attribute("lang") != language:
            inspector.faults.append(f"{screen} ({language}): in another language")

    assert not inspector.faults, as_lines(inspector.faults)
