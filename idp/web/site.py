"""What pages need beyond the use cases: the city, cookies, addresses. Built once by `idp.app`."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from pathlib import Path

    from idp.services.context import Context

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class City:
    """What the pages say of the city."""

    name: str
    phone: str
    contact_url: str
    support_email: str
    accessibility_state: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load.

    Attributes:
        file: Where it is.
        version: Changes with its content; a part of its address.
    """

    file: Path
    version: str


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
    """

    context: Context
    city: City
    is_local: bool
    trusted_proxies: tuple[Network, ...]
    metrics_networks: tuple[Network, ...] | None
    templates: tuple[Path, ...]
    assets: dict[str, Asset]
    has_styleguide: bool


def site() -> Site:
    """Give the parts of the application that serves this request."""
    return cast("Site", current_app.extensions["idp"])


def context() -> Context:
    """Give what use cases of this application are given."""
    return site().context
