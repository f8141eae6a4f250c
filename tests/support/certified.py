"""People whose identity FranceConnect certified, without going there; and what is asked of it in tests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import new_id
from idp.domain.client import ClaimUse
from idp.protocol.claims.verified import Certified
from idp.storage.models import account_attributes, franceconnect_links

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.provider import Provider

#: As FranceConnect's test identity `test` has it.
ANGELA: Final = {
    "given_name": "Angela Claire Louise",
    "family_name": "DUBOIS",
    "gender": "female",
    "birthdate": "1962-08-24",
    "birthplace": "75107",
    "birthcountry": "99100",
}
BORN: Final = {"country": "FR", "locality": "Paris 7e Arrondissement"}
VERIFIED_AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
CERTIFIED = Certified({**ANGELA, "place_of_birth": BORN}, "eidas1", VERIFIED_AT)
_REASON = {"fr": "Pour le service."}
#: A contract for all that can be verified, and for an address that can't.
CONTRACT = tuple(ClaimUse(name, _REASON) for name in (*ANGELA, "email"))
#: The same, of which nothing can be refused.
DEMANDING_CONTRACT = tuple(replace(use, required=True) for use in CONTRACT)


def a_certified_account(
    provider: Provider, *, level: str = "eidas1", provider_name: str = "franceconnect", **values: str
) -> Account:
    """Write an account that is linked, certified just now with the identity of `ANGELA`, with changes.

    Args:
        provider: Ours.
        level: What FranceConnect answered.
        provider_name: The portal.
        values: Certified attributes that differ.
    """
    account = provider.an_account()
    now = provider.clock()
    with provider.context.database.write() as connection:
        for name, value in (ANGELA | values).items():
            connection.execute(
                account_attributes.insert().values(
                    account_id=account.account_id,
                    name=name,
                    value=value,
                    source="franceconnect",
                    level=600,
                    recorded_at=now,
                )
            )
        connection.execute(
            franceconnect_links.insert().values(
                link_id=new_id(now),
                account_id=account.account_id,
                provider=provider_name,
                upstream_subject=account.account_id,
                pivot_hash=account.account_id.encode()[-32:],
                level=level,
                linked_at=now,
                last_sign_in_at=now,
            )
        )
    return account


def verified(*claims: str, **verification: Any) -> dict[str, Any]:
    """Ask for verified claims by name, and for members of `verification` beside the trust framework."""
    asked = {"trust_framework": None} | verification
    return {"verification": asked, "claims": dict.fromkeys(claims)}


def asked_in(place: str, element: object, **claims: object) -> str:
    """Write a `claims` parameter that asks for verified claims in one place, and for others beside."""
    return json.dumps({place: {"verified_claims": element, **claims}})
