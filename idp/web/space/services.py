"""How a service is shown in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.web.http import url
from idp.web.language import DEFAULT, language
from idp.web.sessions import signed_in
from idp.web.templating import service_of

if TYPE_CHECKING:
    from idp.domain.client import Client


def listed_service(client: Client) -> dict[str, Any]:
    """Describe a service for a list of services."""
    return service_of(client) | {
        "description": worded(client.description) or None,
        "organisation": client.organisation or None,
        "service_url": _way_to(client),
        "policy_url": client.policy_uri,
    }


def _way_to(client: Client) -> str | None:
    """Give a link to the service: for who is signed in, one after which they are signed in there too."""
    if client.initiate_login_uri is None or signed_in() is None:
        return client.service_uri
    return url("opening.show", client_id=client.client_id)


def worded(texts: dict[str, str]) -> str:
    """Choose a service's wording in the language of the page, else in French."""
    return texts.get(language()) or texts.get(DEFAULT, "")
