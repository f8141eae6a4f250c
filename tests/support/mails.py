"""Every mail with values as the use cases give them, written as the worker writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.outbound.mail import MailWriter
from tests.support.marks import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.outbound.mail import WrittenMail

FOLDER: Final = ROOT / "templates" / "mail"
CITY: Final = {"name": "Ville de Paris", "phone": "3975", "contact_url": "https://city.example/contact"}
LINK: Final = "https://idp.example/new-password?token=mpl_a&x=1"
AT: Final = "2026-11-12T13:05:00+00:00"
ADDRESSES: Final = {
    "sign_in_url": "https://idp.example/sign-in",
    "forgotten_url": "https://idp.example/forgotten",
}
#: The variables of each; a mail that has a template and none here fails the tests.
EVENTS: Final[dict[str, dict[str, object]]] = {
    "signup_code": {
        "code": "042137",
        "link": LINK,
        "code_minutes": 10,
        "link_hours": 24,
        "service_name": "Stationnement",
    },
    "signup_existing_account": {**ADDRESSES, "service_name": None},
    "password_reset": {"link": LINK, "link_minutes": 30},
    "password_changed": {"at": AT},
    "email_change_code": {"code": "042137", "link": LINK, "code_minutes": 10, "link_hours": 24},
    "email_changed": {"at": AT, "link": LINK, "link_days": 7},
    "email_changed_new": {"at": AT},
    "contact_email_confirm": {"link": LINK, "until": AT},
    "contact_email_changed": {"at": AT, "is_removed": False, "is_login_address": True},
    "email_undone": {"link": LINK, "link_minutes": 30, "forgotten_url": ADDRESSES["forgotten_url"]},
    "account_secured": {
        "at": AT,
        "link": LINK,
        "link_minutes": 30,
        "forgotten_url": ADDRESSES["forgotten_url"],
        "franceconnect": True,
    },
    "account_secured_former": {"at": AT, "changed_at": AT, "days_left": 6},
    "new_device": {"at": AT, "device": "Firefox <b>", "method": "password"},
    "franceconnect_linked": {"at": AT},
    "franceconnect_account_created": {"at": AT, "forgotten_url": ADDRESSES["forgotten_url"]},
    "franceconnect_identity_changed": {"at": AT, "changed": ["family_name", "birthdate"]},
    "franceconnect_blocked": {"at": AT},
    "email_existing_franceconnect": {**ADDRESSES},
    "permission_asked": {
        "child": "Zoé",
        "service": "Les Explorateurs",
        "minimum_age": 15,
        "data": [{"label": "Prénoms", "reason": "Pour vous nommer."}, {"label": "Sexe", "reason": ""}],
        "retention": "Trois ans.",
        "link": LINK,
        "until": AT,
    },
    "permission_given": {"service": "Les Explorateurs", "service_url": "https://explo.example", "at": AT},
    "permission_refused": {"service": "Les Explorateurs", "service_url": None, "at": AT},
    "permission_withdrawn": {"service": "Les Explorateurs", "service_url": None, "at": AT},
    "newsletter_confirm": {
        "newsletter": "Actualités <b>",
        "service": "Stationnement",
        "link": LINK,
        "until": AT,
    },
    "processing_limited": {"at": AT},
    "processing_unlimited": {"at": AT},
    "identity_rectified": {"at": AT},
    "account_deleted": {
        "at": AT,
        "way": "person",
        "told": ["Stationnement"],
        "not_told": ["Les Explorateurs <b>"],
        "number": "01jd3qk0x4v2m8w6y5r7t9z1bc",
        "document": "eyJ.eyJ.abc",
    },
    "life_cycle_warning": {
        "deletes_at": AT,
        "idle_since": "2023-10-12T13:05:00+00:00",
        "email": "zoe@example.org",
        "link": "https://idp.example/keep-account?token=mpl_a&x=1",
    },
    "data_request": {
        "step": "refused",
        "kind": "erasure",
        "received_at": AT,
        "last_day": "2026-12-12",
        "reason": "La loi <b>oblige</b> à les garder.",
    },
    "data_requests_due": {
        "requests": [
            {"id": "0197", "kind": kind, "last_day": "2026-12-12", "days_left": left}
            for kind, left in [("access", 10), ("objection", 1), ("erasure", 0), ("restriction", -1)]
        ]
    },
    "unlink_requested": {"at": AT},
    "unlink_withdrawn": {"at": AT},
    "unlink_approved": {"at": AT},
    "unlink_refused": {"at": AT, "reason": "Le nom <b>d’usage</b> suffit."},
}
LANGUAGES: Final = ("fr", "en")
BASE_URL: Final = "https://idp.example"
#: Parts of mails, and no mails themselves.
FRAMES: Final = frozenset({"layout", "opening", "closing", "parts"})


def writer() -> MailWriter:
    """Give the worker's writer over the project's own templates."""
    return MailWriter((ROOT / "templates",), CITY, BASE_URL)


def every_event() -> list[str]:
    """Name the mails that have a template, whether the tests know them or not."""
    return sorted({path.name.split(".")[0] for path in FOLDER.iterdir()} - FRAMES)


def every_mail() -> Iterator[tuple[str, str, WrittenMail]]:
    """Write every mail in every language.

    Yields:
        Event, language, mail.
    """
    write = writer().write
    for event in every_event():
        for language in LANGUAGES:
            yield event, language, write(event, language, EVENTS[event])
