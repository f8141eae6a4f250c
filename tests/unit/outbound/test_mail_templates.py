"""Every mail, in both languages and both forms, written as the worker writes it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from idp.outbound.mail import MailWriter

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
CITY = {"name": "Ville de Paris", "phone": "3975", "contact_url": "https://city.example/contact"}
LINK = "https://idp.example/new-password?token=mpl_a&x=1"
AT = "2026-11-12T13:05:00+00:00"
ADDRESSES = {"sign_in_url": "https://idp.example/sign-in", "forgotten_url": "https://idp.example/forgotten"}
EVENTS: dict[str, dict[str, object]] = {
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
    "email_undone": {"link": LINK, "link_minutes": 30, "forgotten_url": ADDRESSES["forgotten_url"]},
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
LANGUAGES = ("fr", "en")
FETCHED = re.compile(
    r"<(?:img|link|script|iframe|object|embed|video|audio)\b|url\(|@import|background=", re.IGNORECASE
)
BREAKABLE_SPACE = re.compile(r"(?<=\w) [:;?!»](?=\s|$)|« ", re.MULTILINE)


class _Page(HTMLParser):
    """What a mail's HTML says: language, title, links, and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language: str | None = None
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.language = values.get("lang")
        if tag == "a":
            self.links.append(values.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def writer() -> MailWriter:
    """Give the worker's writer over the project's own templates."""
    return MailWriter((TEMPLATES,), CITY, "https://idp.example")


def test_mail_templates_are_all_known_to_these_tests() -> None:
    """Each event that has a template is tried below, in both languages and both forms."""
    frames = {"layout", "opening", "closing", "parts"}
    files = {path.name for path in (TEMPLATES / "mail").iterdir() if path.name.split(".")[0] not in frames}

    assert files == {
        f"{event}.{language}.{form}" for event in EVENTS for language in LANGUAGES for form in ("txt", "html")
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_html_fetches_nothing_and_names_its_language(
    writer: MailWriter, event: str, language: str
) -> None:
    """A mail is read without loading anything, and says its language to a screen reader."""
    mail = writer.write(event, language, EVENTS[event])

    assert FETCHED.search(mail.html) is None
    assert _Page(mail.html).language == language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_text_and_html_carry_the_same_links(writer: MailWriter, event: str, language: str) -> None:
    """Whoever reads the plain text reaches the same pages as whoever reads the HTML."""
    mail = writer.write(event, language, EVENTS[event])
    in_text = set(re.findall(r"https://\S+", mail.text))

    assert set(_Page(mail.html).links) == in_text


@pytest.mark.rule("LOG-6")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_names_the_number_of_the_city(writer: MailWriter, event: str, language: str) -> None:
    """Each mail tells whom to call."""
    mail = writer.write(event, language, EVENTS[event])

    assert "3975" in mail.text
    assert "3975" in mail.html


@pytest.mark.parametrize("event", EVENTS)
def test_mail_subject_is_one_line_without_a_secret(writer: MailWriter, event: str) -> None:
    """A subject fits a line, stands in the HTML too, and shows no code on a locked screen."""
    subjects = {language: writer.write(event, language, EVENTS[event]).subject for language in LANGUAGES}

    assert subjects["fr"] != subjects["en"]
    for language, subject in subjects.items():
        assert re.fullmatch(r"[^\r\n]{10,78}", subject)
        assert "042137" not in subject
        assert subject in writer.write(event, language, EVENTS[event]).html


@pytest.mark.parametrize("event", EVENTS)
def test_french_mail_has_no_breakable_space_before_a_double_mark(writer: MailWriter, event: str) -> None:
    """No line of a French mail starts with a question mark or a colon."""
    mail = writer.write(event, "fr", EVENTS[event])

    assert BREAKABLE_SPACE.findall(mail.text) == []
    assert BREAKABLE_SPACE.findall(" ".join(_Page(mail.html).words)) == []


def test_mail_value_with_markup_stays_text(writer: MailWriter) -> None:
    """A device that calls itself markup is shown, not interpreted."""
    mail = writer.write("new_device", "fr", EVENTS["new_device"])

    assert "Firefox &lt;b&gt;" in mail.html
    assert "Firefox <b>" in mail.text


@pytest.mark.rule("FC-5")
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_to_unlink_gives_the_reason_as_text(writer: MailWriter, language: str) -> None:
    """The person reads what the manager wrote, in both forms; markup in it stays text."""
    mail = writer.write("unlink_refused", language, EVENTS["unlink_refused"])

    assert "Le nom <b>d’usage</b> suffit." in mail.text
    assert "Le nom &lt;b&gt;d’usage&lt;/b&gt; suffit." in mail.html


@pytest.mark.rule("PRI-4")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "step, subject",
    [
        ("received", {"fr": "Nous avons reçu votre demande", "en": "We have received your request"}),
        ("extended", {"fr": "Votre demande prend plus de temps", "en": "Your request takes more time"}),
        ("done", {"fr": "La Ville a répondu à votre demande", "en": "The City has answered your request"}),
        (
            "refused",
            {
                "fr": "La Ville n’a pas pu donner suite à votre demande",
                "en": "The City could not act on your request",
            },
        ),
    ],
    ids=["received", "extended", "done", "refused"],
)
def test_each_step_of_a_request_has_its_words(
    writer: MailWriter, language: str, step: str, subject: dict[str, str]
) -> None:
    """The reason or the deadline is there, as text; only a refusal names whom to complain to."""
    mail = writer.write("data_request", language, EVENTS["data_request"] | {"step": step})

    assert mail.subject == subject[language]
    assert ("La loi <b>oblige</b> à les garder." in mail.text) == (step != "received")
    assert "<b>oblige" not in mail.html
    assert ("2026" in mail.text.replace("12 novembre 2026", "").replace("12 November 2026", "")) == (
        step in {"received", "extended"}
    )
    assert ("cnil.fr" in mail.text) == (step == "refused")
