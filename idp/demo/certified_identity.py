"""How a service asks Mon Paris for a certified identity, and reads what it was told.

Two standard means together: a level of login that must be reached (OpenID Connect Core 5.5.1.1), and the names as
verified claims (OpenID Connect for Identity Assurance 1.0). The level says how the person came in this time; the
verified claims say what the State vouches for, and stay readable at each visit for as long as that is true.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

#: What FranceConnect gives at least; nothing less is of use here.
LEVEL = "eidas1"
NAMES = ("given_name", "family_name")
#: The `claims` parameter.
CLAIMS = json.dumps(
    {
        "id_token": {"acr": {"essential": True, "values": [LEVEL]}},
        "userinfo": {
            "verified_claims": {
                "verification": {"trust_framework": {"value": "eidas"}},
                "claims": dict.fromkeys(NAMES),
            }
        },
    },
    separators=(",", ":"),
)


def certified(userinfo: Mapping[str, Any]) -> frozenset[str]:
    """Name the claims that are vouched for with the very value that is shown.

    Args:
        userinfo: As just received: what was certified once may not be so any more.
    """
    element = userinfo.get("verified_claims")
    if not isinstance(element, dict):
        return frozenset()
    framework = _object(element.get("verification")).get("trust_framework")
    claims = _object(element.get("claims"))
    if framework != "eidas":
        return frozenset()
    return frozenset(name for name in NAMES if name in claims and claims[name] == userinfo.get(name))


def is_certified(userinfo: Mapping[str, Any]) -> bool:
    """Tell whether the State vouches for both names."""
    return certified(userinfo) == frozenset(NAMES)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
