"""What a parent is told about a service: the same words on the page, in the mail and in the ledger (CON-5, CON-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.data_words import claim_label, legal_basis_label, worded
from idp.web.language import language
from idp.web.templating import site_templates

if TYPE_CHECKING:
    from markupsafe import Markup

    from idp.domain.client import Client


def data_of(client: Client) -> list[dict[str, str]]:
    """List what a service may learn, and why, in the language of the page."""
    tongue = language()
    return [
        {"label": claim_label(use.name, tongue), "reason": worded(use.reason, tongue)}
        for use in client.claims
    ]


def notice_of(client: Client) -> dict[str, Any]:
    """Give what the notice to a parent is made of."""
    tongue = language()
    return {
        "name": client.name,
        "organisation": client.organisation,
        "description": worded(client.description, tongue),
        "minimum_age": client.minimum_age,
        "data": data_of(client),
        "legal_basis": legal_basis_label(client.legal_basis, tongue),
        "retention": worded(client.retention, tongue),
        "recipients": client.recipients,
        "purposes": [worded(purpose.title, tongue) for purpose in client.purposes],
        "policy_url": client.policy_uri,
        "tos_url": client.tos_uri,
    }


def words(client: Client, part: str) -> str:
    """Give the exact words of a part of the parent's page: "question" or "withdrawal"."""
    template = site_templates().get_template("interaction/permission_notice.html")
    module = template.make_module({"language": language(), "errors": {}, "values": {}})
    return _text(getattr(module, part)(notice_of(client)))


def _text(html: Markup) -> str:
    """Write what a page says line by line, as it reads."""
    lines = html.replace("</li>", "</p>").replace("</div>", "</p>").split("</p>")
    return "\n".join(text for line in lines if (text := line.striptags().strip()))
