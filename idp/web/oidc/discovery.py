"""The provider metadata of this installation (OIDC Discovery 3, RFC 8414); served by `documents.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.client import RegistrationMode
from idp.protocol.metadata import ProviderFacts, provider_metadata
from idp.services.sign_in.portals import reachable_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.crypto.keyring import Keyring
    from idp.services.context import Context

#: Preferred first: the default of new clients, then what OpenID Connect asks of everybody (D-06).
_PREFERENCE = ("ES256", "RS256", "PS256", "EdDSA")


def metadata_maker(context: Context) -> Callable[[Keyring], dict[str, Any]]:
    """Give the function that describes this provider for the keys it has."""

    def describe(keyring: Keyring) -> dict[str, Any]:
        return provider_metadata(
            ProviderFacts(
                issuer=context.issuer,
                signing_algs=tuple(sorted(keyring.algorithms(), key=_PREFERENCE.index)),
                decryption_algs=keyring.encryption_algorithms(),
                acr_values=reachable_levels(context),
                policy_uri=f"{context.issuer}/privacy",
                tos_uri=f"{context.issuer}/terms",
                takes_registrations=context.registration.mode is not RegistrationMode.OFF,
                takes_certificates=context.mutual_tls.is_on,
                certificate_origin=context.mutual_tls.origin,
            )
        )

    return describe
