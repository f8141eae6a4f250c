"""OIDC Core 3.1.2.3 and 3.1.2.6: whom the provider authenticates, and what it says if it can't."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.protocol.authorization.interaction import Ask, Facts, Refuse, Step, decide
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import NOW, a_consent, a_session, read

EARLIER = NOW - timedelta(seconds=61)


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.3", "MUST NOT")
def test_prompt_none_without_session_is_login_required() -> None:
    """The provider must not interact with the person."""
    decision = decide(read(prompt="none"), Facts(now=NOW))

    assert isinstance(decision, Refuse)
    assert decision.code is ErrorCode.LOGIN_REQUIRED


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.3", "MUST")
def test_prompt_login_reauthenticates_a_person_who_is_signed_in() -> None:
    """Even a second after the last login."""
    facts = Facts(now=NOW, session=a_session(NOW), subject="s", consent=a_consent())

    decision = decide(read(prompt="login"), facts)

    assert isinstance(decision, Ask)
    assert decision.step is Step.REAUTHENTICATE


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
@pytest.mark.parametrize("max_age, step", [("60", Step.REAUTHENTICATE), ("61", None)])
def test_max_age_reauthenticates_when_it_is_past(max_age: str, step: Step | None) -> None:
    """The person is actively re-authenticated when the elapsed time is greater."""
    facts = Facts(now=NOW, session=a_session(EARLIER), subject="s", consent=a_consent())

    decision = decide(read(max_age=max_age), facts)

    assert (decision.step if isinstance(decision, Ask) else None) is step


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
def test_hint_of_another_person_in_silence_is_login_required() -> None:
    """An answer is about the person of id_token_hint, or there is none."""
    facts = Facts(now=NOW, session=a_session(NOW), subject="s", hinted_subject="t", consent=a_consent())

    decision = decide(read(prompt="none"), facts)

    assert isinstance(decision, Refuse)
    assert decision.code is ErrorCode.LOGIN_REQUIRED


@pytest.mark.rule("CON-2")
@pytest.mark.spec("OIDC Core", "3.1.2.4", "MUST")
def test_nothing_is_released_without_consent() -> None:
    """The provider obtains an authorization decision first."""
    facts = Facts(now=NOW, session=a_session(NOW), subject="s")

    decision = decide(read(), facts)

    assert isinstance(decision, Ask)
    assert decision.step is Step.CONSENT
