"""The provider metadata of this installation (OIDC Discovery 3, RFC 8414); served by `documents.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.authentication import ACR_PASSWORD, ACR_VALUES
from idp.protocol.metadata import ProviderFacts, provider_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.services.context import Context

#: Preferred first: the default of new clients, then what OpenID Connect asks of everybody (D-06).
_PREFERENCE = ("ES256", "RS256", "PS256", "EdDSA")


def metadata_maker(context: Context) -> Callable[[tuple[str, ...]], dict[str, Any]]:
    """Give the function that describes this provider for the algorithms it has keys for."""

    def describe(algorithms: tuple[str, ...]) -> dict[str, Any]:
        return provider_metadata(
            ProviderFacts(
                issuer=context.issuer,
                signing_algs=tuple(sorted(algorithms, key=_PREFERENCE.index)),
                acr_values=ACR_VALUES if context.franceconnect is not None else (ACR_PASSWORD,),
                policy_uri=f"{context.issuer}/privacy",
                tos_uri=f"{context.issuer}/terms",
            )
        )

    return describe
