"""Answers a service that the person does not go on, without their consent being asked (CGU-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol.errors import ErrorCode
from idp.services.authorization import grants
from idp.services.authorization.requests import Answered
from idp.services.authorization.responses import bring_error

if TYPE_CHECKING:
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context


def decline(context: Context, situation: Situation, reason: str) -> Answered:
    """Tell the service `access_denied`, and nothing of the person.

    Args:
        context: The parts.
        situation: The request.
        reason: For the log.
    """
    grants.use_up(context, situation.request)
    refusal = situation.request.refusal(ErrorCode.ACCESS_DENIED, reason=reason)
    return Answered(bring_error(context, refusal), situation.client)
