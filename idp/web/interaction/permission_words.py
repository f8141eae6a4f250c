"""What a parent is told about a service: the same words on the page, in the mail and in the ledger (CON-5, CON-7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from idp.web.language import language
from idp.web.space.services import worded
from idp.web.templating import site_templates

if TYPE_CHECKING:
    from markupsafe import Markup

    from idp.domain.client import Client

_SPACE: Final = re.compile(r"\s+")


def data_of(client: Client) -> list[dict[str, str]]:
    """List what a service may learn, and why, in the language of the page."""
    label = site_templates().get_template("components.html").make_module({"language": language()}).claim_label
    return [{"label": _text(label(use.name)), "reason": worded(use.reason)} for use in client.claims]


def notice_of(client: Client) -> dict[str, Any]:
    """Give what the notice to a parent is made of."""
    return {
        "name": client.name,
        "organisation": client.organisation,
        "description": worded(client.description),
        "minimum_age": client.minimum_age,
        "data": data_of(client),
        "legal_basis": client.legal_basis.value,
        "retention": worded(client.retention),
        "recipients": client.recipients,
        "purposes": [worded(purpose.title) for purpose in client.purposes],
        "policy_url": client.policy_uri,
        "tos_url": client.tos_uri,
    }


def words(client: Client, part: str) -> str:
    """Give the exact words of a part of the parent's page: "question" or "withdrawal"."""
    template = site_templates().get_template("interaction/permission_notice.html")
    module = template.make_module({"language": language(), "errors": {}, "values": {}})
    return _text(getattr(module, part)(notice_of(client)))


def _text(html: Markup) -> str:
    return _SPACE.sub(" ", html.striptags()).strip()
