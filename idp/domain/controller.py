"""Who is responsible for the data: named in receipts, certificates and exports (RGPD articles 13 and 15)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Controller:
    """The city, as documents name it.

    Attributes:
        name: Its name.
        address: Its postal address, on one line.
        contact: Where to write about data: a mail address, or the address of a form.
        phone: Its number.
    """

    name: str = "Ville de Paris"
    address: str = ""
    contact: str = ""
    phone: str = ""
