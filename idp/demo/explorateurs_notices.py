"""What the panel says on Mon Paris, on the page "Mes demandes": that one is in, and which surveys wait for an answer.

Neither the pseudonym nor an answer is ever in it: Mon Paris knows who the person is.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from idp.demo.explorateurs_panel import SURVEYS, Member, Survey
from idp.demo.notices import Notice

PARIS = ZoneInfo("Europe/Paris")

PANEL = "/panel"
SURVEY_PAGES = "/enquetes"
#: How Mon Paris calls what the panel has to say.
MEMBERSHIP_KIND = "adhesion"
SURVEY_KIND = "enquete"
_MEMBERSHIP = "panel"


def joined(member: Member, at: datetime, origin: str) -> list[Notice]:
    """Say that somebody is in, and which surveys wait."""
    confirmed = _membership(
        "closed", "Inscription confirmée", at, origin, message="Bienvenue dans le panel\u202f!"
    )
    return [confirmed, *(_waiting(survey, member, at, origin) for survey in SURVEYS)]


def answered(survey: Survey, at: datetime, origin: str) -> list[Notice]:
    """Say that an answer was received."""
    return [_survey(survey, "closed", "Réponse reçue", at, origin, message="Merci pour votre avis.")]


def left(unanswered: list[Survey], at: datetime, origin: str) -> list[Notice]:
    """Say that somebody is out: no survey waits any more."""
    ended = _membership("canceled", "Vous avez quitté le panel", at, origin)
    return [ended, *(_survey(one, "canceled", "Vous avez quitté le panel", at, origin) for one in unanswered)]


def missed(survey: Survey, member: Member, origin: str) -> Notice:
    """Say that a survey closed without an answer; however often it is said, it became true once."""
    at = datetime.combine(survey.last_day(member) + timedelta(days=1), time(), PARIS)
    return _survey(
        survey, "canceled", "Enquête close", at, origin, message="Il n’est plus possible de répondre."
    )


def _waiting(survey: Survey, member: Member, at: datetime, origin: str) -> Notice:
    return _survey(
        survey,
        "to_complete",
        "Votre avis est attendu",
        at,
        origin,
        message=f"{len(survey.questions)} questions, {survey.minutes} minute{'s' if survey.minutes > 1 else ''}.",
        due_at=datetime.combine(survey.last_day(member), time(23, 59), PARIS),
    )


def _membership(
    status: str, status_text: str, at: datetime, origin: str, *, message: str | None = None
) -> Notice:
    return Notice(
        kind=MEMBERSHIP_KIND,
        reference=_MEMBERSHIP,
        title="Panel des Explorateurs",
        status=status,
        status_text=status_text,
        updated_at=at,
        message=message,
        url=origin + PANEL,
    )


def _survey(
    survey: Survey,
    status: str,
    status_text: str,
    at: datetime,
    origin: str,
    *,
    message: str | None = None,
    due_at: datetime | None = None,
) -> Notice:
    return Notice(
        kind=SURVEY_KIND,
        reference=survey.slug,
        title=f"Enquête «\u00a0{survey.title}\u00a0»",
        status=status,
        status_text=status_text,
        updated_at=at,
        message=message,
        url=f"{origin}{SURVEY_PAGES}/{survey.slug}",
        due_at=due_at,
    )
