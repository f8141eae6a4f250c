"""grant_type=urn:ietf:params:oauth:grant-type:device_code (RFC 8628 section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.client import GrantType
from idp.oauth.grant import TokenGrant
from idp.services.tokens.device_codes import redeem_device_code

if TYPE_CHECKING:
    from idp.domain.client import Client


class DeviceCodeGrant(TokenGrant):
    """A device code for tokens, once its person has answered."""

    GRANT_TYPE = GrantType.DEVICE_CODE

    def tokens_for(self, client: Client) -> dict[str, Any]:
        """Redeem the device code, or tell the device to wait."""
        return redeem_device_code(
            self.context,
            client,
            device_code=self.request.required("device_code"),
            resources=self.request.resources,
            confirmation=self.confirmation_of(client),
        )
