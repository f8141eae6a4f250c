"""How a service is shown in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.web.language import DEFAULT, language
from idp.web.templating import service_of

if TYPE_CHECKING:
    from idp.domain.client import Client


def listed_service(client: Client) -> dict[str, Any]:
    """Describe a service for a list of services."""
    return service_of(client) | {
        "description": worded(client.description) or None,
        "organisation": client.organisation or None,
        "service_url": client.service_uri,
        "policy_url": client.policy_uri,
    }


def worded(texts: dict[str, str]) -> str:
    """Choose a service's wording in the language of the page, else in French."""
    return texts.get(language()) or texts.get(DEFAULT, "")
