"""OIDC Core 5.5.1.1: a level can be demanded."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.interaction import Ask, Facts, Refuse, decide, reported_acr
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import NOW, a_consent, a_session, read

FACTS = Facts(now=NOW, session=a_session(), subject="s", consent=a_consent())
DEMAND = '{"id_token": {"acr": {"essential": true, "values": ["eidas3", "eidas2"]}}}'


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "5.5.1.1", "MUST")
def test_essential_level_that_can_not_be_had_is_a_failed_authentication() -> None:
    """The request is treated as a failed attempt."""
    decision = decide(read(claims=DEMAND), FACTS)

    assert isinstance(decision, Refuse)
    assert decision.code is ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "5.5.1.1", "SHOULD")
def test_voluntary_level_that_can_not_be_had_gives_the_current_one() -> None:
    """The provider returns the session's level."""
    request = read(claims=DEMAND.replace("true", "false"))

    assert not isinstance(decide(request, FACTS), Ask | Refuse)
    assert reported_acr(request, a_session()) == "urn:mon-paris:acr:password"
