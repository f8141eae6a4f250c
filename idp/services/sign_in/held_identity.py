"""What FranceConnect certified, sealed, while the person chooses what to do with it (FC-3, FC-4, ACC-2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from idp.crypto.opaque import keyed_digest
from idp.domain.civil_identity import (
    Attribute,
    Change,
    CivilIdentity,
    Gender,
    apply_certified,
    pivot_fingerprint_input,
)
from idp.services.sign_in.portals import FRANCECONNECT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.federation.upstream import UpstreamIdentity
    from idp.services.context import Context

#: INSEE's code, overseas included.
FRANCE: Final = "99100"


class HeldIdentity(msgspec.Struct, frozen=True):
    """A verified identity on its way to an account; never shown whole, never logged.

    Attributes:
        subject: Of the portal.
        level: Of assurance, as the portal said.
        given_names: With the five that follow, the pivot identity.
        preferred_username: From the identity provider.
        email: The same; it only pre-fills a form.
        partial_birthdate: The same.
        id_token: For the logout.
        terms_version: What the person accepted on the way to an account; None before.
        terms_language: In which language.
        provider: The portal.
    """

    subject: str
    level: str
    given_names: tuple[str, ...]
    birth_name: str
    birthdate: str
    gender: str | None
    birthplace: str
    birthcountry: str
    preferred_username: str | None
    email: str | None
    partial_birthdate: str | None
    id_token: str
    terms_version: str | None = None
    terms_language: str | None = None
    provider: str = FRANCECONNECT

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "<held identity>"

    @property
    def civil(self) -> CivilIdentity:
        """Give the pivot identity."""
        return CivilIdentity(
            given_names=self.given_names,
            birth_name=self.birth_name,
            birthdate=self.birthdate,
            gender=None if self.gender is None else Gender(self.gender),
            birthplace=self.birthplace,
            birthcountry=self.birthcountry,
        )

    def certify(
        self, current: Mapping[str, Attribute], now: datetime
    ) -> tuple[dict[str, Attribute], tuple[Change, ...]]:
        """Give the attributes that this identity makes of a person's present ones, and what changes."""
        # As it comes: people are called "King, Countess of Lovelace", and what a form takes is another matter.
        usage_name = self.preferred_username or ""
        return apply_certified(
            current, self.civil, now, usage_name=usage_name, partial_birthdate=self.partial_birthdate
        )


def hold(identity: UpstreamIdentity, provider: str = FRANCECONNECT) -> HeldIdentity:
    """Take what a portal answered."""
    civil = identity.civil_identity
    return HeldIdentity(
        subject=identity.subject,
        level=identity.level,
        given_names=civil.given_names,
        birth_name=civil.birth_name,
        birthdate=civil.birthdate,
        gender=civil.gender,
        birthplace=civil.birthplace,
        birthcountry=civil.birthcountry,
        preferred_username=identity.preferred_username,
        email=identity.email,
        partial_birthdate=identity.partial_birthdate,
        id_token=identity.id_token,
        provider=provider,
    )


def encoded(held: HeldIdentity) -> str:
    """Write it down; whoever stores it seals it."""
    return msgspec.json.encode(held).decode()


def decoded(text: str) -> HeldIdentity:
    """Read it back."""
    return msgspec.json.decode(text, type=HeldIdentity)


def pivot_hash(context: Context, civil: CivilIdentity) -> bytes:
    """Hash a pivot identity with our key: equal for one person, worthless to whoever steals the table (FC-3).

    What the portals write in two ways is written in one: a day that is not known ("-00", "-01"), and a place abroad,
    which FranceConnect leaves out of its own subjects too (franceconnect.md 4.1).
    """
    alike = replace(
        civil,
        birthdate=civil.birthdate.replace("-00", "-01"),
        birthplace=civil.birthplace if civil.birthcountry == FRANCE else "",
    )
    return keyed_digest(context.derived.pivot, pivot_fingerprint_input(alike).decode())
