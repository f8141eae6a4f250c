"""Every mail, in both languages and both forms, written as the worker writes it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, meta

from idp.outbound.mail import MailWriter
from tests.support import mails
from tests.support.mails import EVENTS, FOLDER, FRAMES, LANGUAGES

FETCHED = re.compile(
    r"<(?:img|link|script|iframe|object|embed|video|audio)\b|url\(|@import|background=", re.IGNORECASE
)
ADDRESS = re.compile(r"https?://\S+")
NUMBER = re.compile(r"\d+")
#: A date or a moment of a program, an entity, a value of Python, what is left of a template.
RAW = re.compile(r"\d{4}-\d\d-\d\d|&(?:#\d+|#x\w+|[a-z]+);|\bNone\b|\bTrue\b|\bFalse\b|\{\{|\}\}|\{%|%\}")
BREAKABLE_SPACE = re.compile(r"(?<=\w) [:;?!»](?=\s|$)|« ", re.MULTILINE)


class _Page(HTMLParser):
    """What a mail's HTML says: language, links, all words, and those that are read once it is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language: str | None = None
        self.links: list[str] = []
        self.words: list[str] = []
        self._read: list[str] | None = None
        self.feed(html)

    @property
    def read(self) -> str:
        """What somebody reads: neither the title nor the preview."""
        return " ".join(self._read or [])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.language = values.get("lang")
        if values.get("role") == "article":
            self._read = []
        if tag == "a":
            self.links.append(values.get("href") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._read is not None:
            self._read.append(data.strip())


@pytest.fixture(scope="module")
def writer() -> MailWriter:
    """Give the worker's writer over the project's own templates."""
    return mails.writer()


def test_mail_templates_are_all_known_to_these_tests() -> None:
    """Each event that has a template is tried below, in both languages and both forms."""
    files = {path.name for path in FOLDER.iterdir() if path.name.split(".")[0] not in FRAMES}

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


@pytest.mark.rule("UX-1")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_text_and_html_tell_the_same_facts(writer: MailWriter, event: str, language: str) -> None:
    """Both forms name the same values and the same numbers: who reads the plain one misses nothing (S-418)."""
    mail = writer.write(event, language, EVENTS[event])
    page = _Page(mail.html)
    without_addresses = ADDRESS.sub("…", mail.text)

    assert _variables(f"{event}.{language}.txt") == _variables(f"{event}.{language}.html")
    assert set(NUMBER.findall(without_addresses)) == set(NUMBER.findall(ADDRESS.sub("…", page.read)))


def _variables(name: str) -> set[str]:
    """Name what a template is given for its event; what every mail is given stands in the frames too."""
    environment = Environment(autoescape=True)
    environment.filters.update(day=str, moment=str)
    parsed = environment.parse((FOLDER / name).read_text(encoding="utf-8"))
    return meta.find_undeclared_variables(parsed) - {"city", "base_url", "language", "mail"}


@pytest.mark.rule("UX-1")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_says_nothing_as_machines_write_it(writer: MailWriter, event: str, language: str) -> None:
    """No raw date, no entity, no name of a value, no blank where a value should be; in either form."""
    mail = writer.write(event, language, EVENTS[event])

    for words in (mail.subject, ADDRESS.sub("…", mail.text), ADDRESS.sub("…", _Page(mail.html).read)):
        assert RAW.findall(words) == []
        assert "\n\n\n" not in words


@pytest.mark.rule("UX-1")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_mail_text_begins_and_ends_as_all_do(writer: MailWriter, event: str, language: str) -> None:
    """A greeting first; last the warning, the number, whose mail it is and why it came, under a signature mark."""
    text = writer.write(event, language, EVENTS[event]).text
    frame = writer.write("password_reset", language, EVENTS["password_reset"]).text

    assert text.splitlines()[:2] == frame.splitlines()[:2]
    assert text.splitlines()[-7:] == frame.splitlines()[-7:]
    assert "\n-- \n" in text


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


@pytest.mark.rule("LOG-6")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "event",
    [
        "new_device",
        "password_changed",
        "email_changed",
        "franceconnect_linked",
        "franceconnect_account_created",
        "unlink_requested",
        "unlink_withdrawn",
        "account_secured_former",
    ],
)
def test_mail_about_security_leads_to_the_page_that_secures_the_account(
    writer: MailWriter, event: str, language: str
) -> None:
    """Whoever did not do what a mail tells ends everything by one button."""
    mail = writer.write(event, language, EVENTS[event])

    assert "https://idp.example/account/secure" in mail.text.split()
    assert "https://idp.example/account/secure" in _Page(mail.html).links


@pytest.mark.rule("LOG-6")
@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_of_a_secured_account_speaks_of_franceconnect_to_who_has_it(
    writer: MailWriter, language: str
) -> None:
    """Whoever has no link to FranceConnect reads nothing of it; everybody reads how to undo a change of address."""
    subject = {"fr": "L’adresse e-mail de votre compte", "en": "The e-mail address of your Mon Paris account"}
    with_it = writer.write("account_secured", language, EVENTS["account_secured"])
    without = writer.write("account_secured", language, EVENTS["account_secured"] | {"franceconnect": False})

    assert "FranceConnect" in with_it.text
    assert "FranceConnect" in with_it.html
    assert "FranceConnect" not in without.text + without.html
    assert "\n\n\n" not in without.text
    for mail in (with_it, without):
        assert subject[language] in mail.text
