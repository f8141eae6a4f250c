"""Device authorization (RFC 8628 section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.oauth.client_authentication import authenticate
from idp.oauth.endpoint import BackChannelEndpoint
from idp.services.authorization.device import begin

if TYPE_CHECKING:
    from idp.oauth.grant import Answer
    from idp.oauth.request import BackChannelRequest


class DeviceAuthorizationEndpoint(BackChannelEndpoint):
    """Gives a device the code that it shows and the one that it keeps."""

    ENDPOINT_NAME = "device_authorization"

    def __call__(self, request: BackChannelRequest) -> Answer:
        """Authenticate, then give the codes.

        Raises:
            EndpointError: invalid_client, unauthorized_client, invalid_scope or invalid_target.
        """
        client = authenticate(self.server.context, request)
        return 200, begin(self.server.context, client, request.parameters), ()
