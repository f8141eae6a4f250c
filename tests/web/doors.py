"""The way to every page of ours that people see: who they are, what happened before, and the address.

A page that has no way here is found by tests/web/test_every_page.py and tests/web/test_every_form.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

from idp.services.account import life_cycle, newsletters, space
from idp.services.authorization.consents import Shown
from idp.storage.engine import open_database
from tests.services.test_newsletters import NEWS
from tests.support.builders import TERMS_VERSION, an_account, last_mail, some_terms
from tests.support.certified import a_certified_account
from tests.support.children import a_child
from tests.support.clock import SettableClock
from tests.support.devices import a_device
from tests.support.franceconnect_pages import pages_on
from tests.support.life_cycle import an_idle_account
from tests.support.pages import mailed_code, mailed_path, send
from tests.support.provider import the_seal
from tests.support.purposes import MOBILE
from tests.support.unlinking import a_request, by_franceconnect
from tests.web.api.test_requests import HOME, a_writer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from tests.support.databases import Databases
    from tests.support.franceconnect_pages import Pages
    from tests.support.provider import Provider, Service

#: A browser, and the address of the page.
Standing = tuple["FlaskClient", str]
#: A way to a page.
Door = Callable[["Pages"], Standing]

OLD_TERMS: Final = "2025-01-01"
COMING_TERMS: Final = "2026-06-01"
STEP_UP: Final = '{"id_token":{"acr":{"essential":true,"values":["eidas1"]}}}'
_NUMBERS: Final = count(1)


def anybody(path: str) -> Door:
    """Give the way to a page that needs nobody."""
    return lambda pages: (pages.browser(), path)


def signed_in(path: str) -> Door:
    """Give the way to a page of somebody's account."""
    return lambda pages: (pages.provider.signed_in(_somebody(pages)), path)


def certified(path: str) -> Door:
    """Give the way to a page of somebody whose identity is certified, who proved it just now."""

    def come(pages: Pages) -> Standing:
        return pages.provider.signed_in(a_certified_account(pages.provider)), path

    return come


def sign_up_code(pages: Pages) -> Standing:
    """Somebody new, who gave an address."""
    browser = pages.browser()
    send(browser, "/sign-up", {"email": _new_address()})
    return browser, "/sign-up/code"


def sign_up_link(pages: Pages) -> Standing:
    """Somebody new, who opened the link of the mail."""
    browser, _ = sign_up_code(pages)
    browser.get(mailed_path(pages.provider.context))
    return browser, "/sign-up/link"


def sign_up_details(pages: Pages) -> Standing:
    """Somebody new, whose address is proven."""
    browser, path = sign_up_code(pages)
    send(browser, path, {"code": mailed_code(pages.provider.context)})
    return browser, "/sign-up/details"


def new_password(pages: Pages) -> Standing:
    """Somebody who forgot the password, and opened the link of the mail."""
    email = _somebody(pages).email
    browser = pages.browser()
    send(browser, "/forgotten-password", {"email": email})
    browser.get(mailed_path(pages.provider.context, email))
    return browser, "/new-password"


def email_code(pages: Pages) -> Standing:
    """Somebody who gave another login address."""
    browser, path = signed_in("/account/email")(pages)
    send(browser, path, {"email": _new_address()})
    return browser, "/account/email/code"


def email_link(pages: Pages) -> Standing:
    """The same, by the link of the mail."""
    browser, _ = email_code(pages)
    browser.get(mailed_path(pages.provider.context))
    return browser, "/account/email/link"


def email_changed(pages: Pages) -> Standing:
    """The same, done."""
    browser, address = _changed(pages)
    del address
    return browser, "/account/email/changed"


def undo_email(pages: Pages) -> Standing:
    """Somebody who reads at the former address that it is the former one."""
    _, former = _changed(pages)
    browser = pages.browser()
    browser.get(mailed_path(pages.provider.context, former))
    return browser, "/undo-email"


def contact_email_link(pages: Pages) -> Standing:
    """Somebody who gave a contact address, and opened the link of the mail."""
    browser, path = signed_in("/account/contact-email")(pages)
    send(browser, path, {"email": _new_address()})
    browser.get(mailed_path(pages.provider.context))
    return browser, "/account/contact-email/link"


def contact_email_waiting(pages: Pages) -> Standing:
    """The same, who has not opened it yet."""
    browser, _ = contact_email_link(pages)
    return browser, "/account/contact-details"


def contact_email_removal(pages: Pages) -> Standing:
    """Somebody whose contact address is proven."""
    browser, path = contact_email_link(pages)
    send(browser, path, {})
    return browser, "/account/contact-email/remove"


def secured(pages: Pages) -> Standing:
    """Somebody who ended everything."""
    browser, path = signed_in("/account/secure")(pages)
    return browser, send(browser, path, {}).location


def unlink_waiting(pages: Pages) -> Standing:
    """Somebody who asked to end the link to FranceConnect."""
    account = a_certified_account(pages.provider)
    a_request(pages.provider, account)
    return pages.provider.signed_in(account), "/account/franceconnect/unlink"


def deleted(pages: Pages) -> Standing:
    """Somebody who erased the account just now."""
    browser, path = signed_in("/account/delete")(pages)
    send(browser, path, {"understood": "yes"})
    return browser, "/account-deleted"


def receipt(pages: Pages) -> Standing:
    """Somebody who gave a service a consent."""
    browser, _ = services(pages)
    listed = browser.get("/account/receipts").text
    return browser, "/account/receipts/" + listed.partition("/account/receipts/")[2].partition('"')[0]


def services(pages: Pages) -> Standing:
    """Somebody who uses a service that asks a question of its own."""
    browser, service = _at_a_service(pages)
    asked = pages.provider.authorize(browser, service)
    pages.provider.consent(browser, asked.location, purposes={MOBILE.name: "no"})
    return browser, "/account/services"


def journal(pages: Pages) -> Standing:
    """The same, who looks at what the service was told."""
    browser, _ = services(pages)
    return browser, "/account/services/journal"


def declared(pages: Pages) -> Standing:
    """Somebody who said their name."""
    account = pages.provider.an_account(given_name="Zoé", family_name="Lys")
    return pages.provider.signed_in(account), "/account/identity"


def consent(pages: Pages) -> Standing:
    """Somebody who comes from that service for the first time."""
    browser, service = _at_a_service(pages)
    return browser, pages.provider.authorize(browser, service).location


def old_terms(pages: Pages) -> Standing:
    """Somebody who accepted terms that hold no more."""
    account = an_account(pages.provider.context, _new_address(), terms_version=OLD_TERMS)
    return pages.provider.signed_in(account), "/accept-terms"


def old_terms_in_a_request(pages: Pages) -> Standing:
    """The same, who comes from a service."""
    browser, _ = old_terms(pages)
    asked = pages.provider.authorize(browser, pages.provider.a_client())
    return browser, asked.location


def select_account(pages: Pages) -> Standing:
    """Somebody whose service wants to know which account."""
    browser, service = _at_a_service(pages)
    return browser, pages.provider.authorize(browser, service, prompt="select_account").location


def step_up(pages: Pages) -> Standing:
    """Somebody whose service wants FranceConnect."""
    browser = pages.provider.signed_in(_somebody(pages), browser=pages.browser())
    service = pages.provider.a_client(claims=())
    return browser, pages.provider.authorize(browser, service, claims=STEP_UP).location


def age_needed(pages: Pages) -> Standing:
    """Somebody whose service wants to know an age that nobody knows."""
    service = pages.provider.a_client(minimum_age=15)
    browser = pages.provider.signed_in(_somebody(pages))
    return browser, pages.provider.authorize(browser, service).location


def parental_permission(pages: Pages) -> Standing:
    """A child."""
    child = a_child(pages.provider)
    return child.browser, child.comes().location


def parent_asked(pages: Pages) -> Standing:
    """A child whose parent was asked."""
    child = a_child(pages.provider)
    page = child.comes().location
    child.asks(page)
    return child.browser, page


def permission(pages: Pages) -> Standing:
    """A parent."""
    child = a_child(pages.provider)
    child.asks()
    child.parent_opens()
    return child.parents_browser, "/permission"


def permission_given(pages: Pages) -> Standing:
    """A parent who said yes."""
    child = a_child(pages.provider)
    child.asks()
    child.parent_says("yes")
    return child.parents_browser, "/permission"


def device(pages: Pages) -> Standing:
    """Somebody in front of a device that shows a code."""
    a_device(pages.provider)
    return pages.provider.signed_in(_somebody(pages)), "/device"


def log_out(pages: Pages) -> Standing:
    """Somebody whose service signs them out without saying who they are."""
    return pages.provider.signed_in(_somebody(pages)), "/logout"


def keep_account(pages: Pages) -> Standing:
    """Somebody who was warned that the account closes."""
    context = pages.provider.context
    now, policy = context.clock(), context.life_cycle
    email = _new_address()
    an_idle_account(context, email, now - (policy.inactive_at(now) - policy.first_warning - now))
    life_cycle.run(context, policy)
    browser = pages.browser()
    browser.get(mailed_path(context, email))
    return browser, "/keep-account"


def newsletter_list(pages: Pages) -> Standing:
    """Somebody whom a service offers a list."""
    pages.provider.a_client(newsletters=(NEWS,))
    return pages.provider.signed_in(_somebody(pages)), "/newsletters"


def newsletter_confirm(pages: Pages) -> Standing:
    """Somebody who opened the link that confirms a subscription."""
    context, account = pages.provider.context, _somebody(pages)
    client = pages.provider.a_client(newsletters=(NEWS,)).client
    newsletters.subscribe(context, account, client.client_id, NEWS.name)
    browser = pages.browser()
    browser.get(mailed_path(context, account.email))
    return browser, "/newsletters/confirm"


def newsletter_leave(pages: Pages) -> Standing:
    """Somebody who opened the link of a letter."""
    context, account = pages.provider.context, _somebody(pages)
    client = pages.provider.a_client(newsletters=(NEWS,)).client
    newsletters.subscribe(context, account, client.client_id, NEWS.name)
    token = mailed_path(context, account.email).partition("token=")[2]
    assert newsletters.confirm(context, token, Shown("Oui", "fr", "mail")) is not None
    listed = newsletters.subscribers(context, client, NEWS.name, after=b"", limit=1)
    assert listed is not None
    browser = pages.browser()
    browser.get(
        "/newsletters/unsubscribe?token=" + listed.subscribers[0].unsubscribe_url.partition("token=")[2]
    )
    return browser, "/newsletters/unsubscribe"


def requests(pages: Pages) -> Standing:
    """Somebody of whom a service says something."""
    writer = a_writer(pages.provider, rubrique="deplacements")
    writer.put(title="Carte de stationnement")
    writer.put(key="permit/DA-2026-2", title="Carte à compléter", status="to_complete")
    return pages.provider.signed_in(writer.account), "/requests"


def favourites(pages: Pages) -> Standing:
    """Somebody with two favourites, and more to choose from."""
    account = _somebody(pages)
    for rubrique in ("culture", "deplacements", "culture"):
        service = pages.provider.a_client(service_uri=HOME, rubrique=rubrique)
        if rubrique == "culture":
            space.add(pages.provider.context, account.account_id, service.client_id)
    return pages.provider.signed_in(account), "/account/favourites"


def rubriques(pages: Pages) -> Standing:
    """The same, who chose a rubrique."""
    account = _somebody(pages)
    for rubrique in ("culture", "deplacements"):
        pages.provider.a_client(service_uri=HOME, rubrique=rubrique)
    space.choose_rubriques(pages.provider.context, account.account_id, ["culture"], shown=[])
    return pages.provider.signed_in(account), "/account/rubriques"


def rubrique(pages: Pages) -> Standing:
    """The same, in the rubrique."""
    browser, _ = rubriques(pages)
    return browser, "/rubriques/culture"


def at_home(pages: Pages) -> Standing:
    """Somebody with favourites, on the first page."""
    browser, _ = favourites(pages)
    return browser, "/"


def first_time(pages: Pages) -> Standing:
    """Somebody whom FranceConnect knows and we don't."""
    browser = pages.browser()
    return browser, pages.go(browser).location


def link_account(pages: Pages) -> Standing:
    """The same, who has an account here."""
    browser, path = first_time(pages)
    return browser, path.replace("first-time", "link-account")


def sign_up_by_franceconnect(pages: Pages) -> Standing:
    """The same, who has none."""
    browser, path = first_time(pages)
    return browser, path.replace("/franceconnect/first-time", "/sign-up/franceconnect")


def compare(pages: Pages) -> Standing:
    """Somebody signed in, who came back from FranceConnect to link the account."""
    account = pages.provider.an_account(given_name="Zoé", family_name="Œuvré")
    browser = pages.provider.signed_in(account, browser=pages.browser())
    return browser, pages.go(browser, "/franceconnect/login?intent=link").location


def by_portal(path: str) -> Door:
    """Give the way to a page of somebody who came through FranceConnect just now."""

    def come(pages: Pages) -> Standing:
        return by_franceconnect(pages.provider, a_certified_account(pages.provider)), path

    return come


@contextmanager
def every_page(databases: Databases, kind: str) -> Iterator[Pages]:
    """Build our application in front of a simulator, with terms that hold and terms that will."""
    with databases.new(kind) as url:
        database = open_database(url, seal=the_seal)
        with pages_on(database, SettableClock()) as pages:
            now = pages.provider.clock()
            some_terms(pages.provider.context, COMING_TERMS, effective_at=now + timedelta(days=90))
            pages.provider.terms_version = TERMS_VERSION
            yield pages
        database.dispose()


def come(pages: Pages, name: str) -> Standing:
    """Come to a page by its name; nobody is slowed down for what others tried."""
    with pages.provider.context.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM throttle_counters")
    return DOORS[name](pages)


#: Every page, by a name of its own. What stands in one pair of brackets of an address is anything.
DOORS: Final[dict[str, Door]] = {
    "/": anybody("/"),
    "/ with favourites": at_home,
    "/ with requests": lambda pages: (requests(pages)[0], "/"),
    "/accept-terms": old_terms,
    "/accept-terms in a request": old_terms_in_a_request,
    "/accessibilite": anybody("/accessibilite"),
    "/account": signed_in("/account"),
    "/account certified": certified("/account"),
    "/account-deleted": deleted,
    "/account/contact-details": signed_in("/account/contact-details"),
    "/account/contact-details waiting": contact_email_waiting,
    "/account/contact-email": signed_in("/account/contact-email"),
    "/account/contact-email/link": contact_email_link,
    "/account/contact-email/remove": contact_email_removal,
    "/account/delete": signed_in("/account/delete"),
    "/account/email": signed_in("/account/email"),
    "/account/email/changed": email_changed,
    "/account/email/code": email_code,
    "/account/email/link": email_link,
    "/account/export": signed_in("/account/export"),
    "/account/favourites": favourites,
    "/account/franceconnect": compare,
    "/account/franceconnect/unlink": certified("/account/franceconnect/unlink"),
    "/account/franceconnect/unlink waiting": unlink_waiting,
    "/account/identity": declared,
    "/account/identity certified": certified("/account/identity"),
    "/account/identity for an age": age_needed,
    "/account/language": signed_in("/account/language"),
    "/account/password": signed_in("/account/password"),
    "/account/receipts": lambda pages: (receipt(pages)[0], "/account/receipts"),
    "/account/receipts/<entry_id>": receipt,
    "/account/rights": signed_in("/account/rights"),
    "/account/rubriques": rubriques,
    "/account/secure": signed_in("/account/secure"),
    "/account/secure signed out": anybody("/account/secure"),
    "/account/secured": secured,
    "/account/services": services,
    "/account/services/journal": journal,
    "/account/sessions": signed_in("/account/sessions"),
    "/consent": consent,
    "/contact": anybody("/contact"),
    "/cookies": anybody("/cookies"),
    "/deletion-certificate": anybody("/deletion-certificate"),
    "/device": device,
    "/device/answer": anybody("/device/answer"),
    "/forgotten-password": anybody("/forgotten-password"),
    "/forgotten-password/sent": anybody("/forgotten-password/sent"),
    "/franceconnect/first-time": first_time,
    "/franceconnect/link-account": link_account,
    "/franceconnect/turned-away": anybody("/franceconnect/turned-away?reason=linked_elsewhere"),
    "/keep-account": keep_account,
    "/legal-notice": anybody("/legal-notice"),
    "/logout": log_out,
    "/new-password": new_password,
    "/newsletters": newsletter_list,
    "/newsletters/confirm": newsletter_confirm,
    "/newsletters/unsubscribe": newsletter_leave,
    "/parental-permission": parental_permission,
    "/parental-permission asked": parent_asked,
    "/permission": permission,
    "/permission given": permission_given,
    "/privacy": anybody("/privacy"),
    "/receipts/check": anybody("/receipts/check"),
    "/requests": requests,
    "/rubriques/<name>": rubrique,
    "/select-account": select_account,
    "/sign-in": anybody("/sign-in"),
    "/sign-in to confirm": signed_in("/sign-in?confirm=1&next=/account"),
    "/sign-up": anybody("/sign-up"),
    "/sign-up/code": sign_up_code,
    "/sign-up/details": sign_up_details,
    "/sign-up/franceconnect": sign_up_by_franceconnect,
    "/sign-up/link": sign_up_link,
    "/signed-out": anybody("/signed-out"),
    "/site-map": anybody("/site-map"),
    "/site-map signed in": signed_in("/site-map"),
    "/step-up": step_up,
    "/terms": anybody("/terms"),
    "/terms/<version>": anybody(f"/terms/{COMING_TERMS}"),
    "/terms/<version>/changes": anybody(f"/terms/{COMING_TERMS}/changes"),
    "/undo-email": undo_email,
}


def _somebody(pages: Pages) -> Account:
    return an_account(pages.provider.context, _new_address())


def _new_address() -> str:
    """Make an address that nobody has yet."""
    return f"door{next(_NUMBERS)}@example.org"


def _changed(pages: Pages) -> Standing:
    """Change a login address; gives the browser and the former address."""
    account = _somebody(pages)
    browser = pages.provider.signed_in(account)
    send(browser, "/account/email", {"email": _new_address()})
    code = last_mail(pages.provider.context).variables["code"]
    send(browser, "/account/email/code", {"code": code})
    return browser, account.email


def _at_a_service(pages: Pages) -> tuple[FlaskClient, Service]:
    """Give somebody signed in, and a service that wants a consent and asks a question of its own."""
    provider: Provider = pages.provider
    service = provider.a_client(consent_required=True, purposes=(MOBILE,), service_uri=HOME)
    return provider.signed_in(_somebody(pages)), service
