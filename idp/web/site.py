"""What pages need beyond the use cases: the city, cookies, addresses. Built once by `idp.app`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from pathlib import Path

    from idp.domain.accessibility import AccessibilityStatement
    from idp.services.context import Context

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class City:
    """What the pages say of the city.

    Attributes:
        name: Its name.
        address: Where it has its seat.
        phone: Its number.
        contact_url: Its contact form.
        support_email: Of its data protection officer; empty for none.
        publication_director: Who answers for the pages; empty for its legal representative.
        hosting: Who hosts them; empty when nobody said.
        accessibility: What it states of their accessibility.
    """

    name: str
    address: str
    phone: str
    contact_url: str
    support_email: str
    publication_director: str
    hosting: str
    accessibility: AccessibilityStatement


@dataclass(frozen=True, slots=True)
class KeptDays:
    """For how many days the privacy page says that things are kept: the operator's, as the purges have them.

    Attributes:
        audit: Lines of the audit trail.
        disclosures: What the log says of which service received what.
        devices: Browsers that did not come back.
        messages: Messages that were delivered or given up.
    """

    audit: int
    disclosures: int
    devices: int
    messages: int


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load.

    Attributes:
        file: Where it is.
        version: Changes with its content; a part of its address.
        content: What is sent in place of the file: our stylesheets, without what is for their readers alone.
    """

    file: Path
    version: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of the web layer.

    Attributes:
        context: What use cases are given.
        city: What the pages say of the city.
        is_local: The issuer is http://localhost: plain cookie names, no `Secure`.
        trusted_proxies: Whose X-Forwarded-* headers are believed.
        metrics_networks: Who may read /metrics; None when it is off.
        templates: Folders of templates, the overriding one first.
        assets: Files that pages load, by name.
        has_styleguide: The pages about the look are served.
        kept_days: How long what the operator decides about is kept.
    """

    context: Context
    city: City
    is_local: bool
    trusted_proxies: tuple[Network, ...]
    metrics_networks: tuple[Network, ...] | None
    templates: tuple[Path, ...]
    assets: dict[str, Asset]
    has_styleguide: bool
    kept_days: KeptDays


def site() -> Site:
    """Give the parts of the application that serves this request."""
    return cast("Site", current_app.extensions["idp"])


def context() -> Context:
    """Give what use cases of this application are given."""
    return site().context
