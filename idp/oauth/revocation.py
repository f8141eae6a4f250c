"""Token revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.oauth.client_authentication import authenticate
from idp.oauth.endpoint import BackChannelEndpoint
from idp.services.tokens.revocation import revoke

if TYPE_CHECKING:
    from idp.oauth.grant import Answer
    from idp.oauth.request import BackChannelRequest


class RevocationEndpoint(BackChannelEndpoint):
    """Revokes a client's own token; an unknown one is answered alike (RFC 7009 section 2.2)."""

    ENDPOINT_NAME = "revocation"

    def __call__(self, request: BackChannelRequest) -> Answer:
        """Authenticate, then revoke.

        Raises:
            EndpointError: invalid_client, or invalid_request without a token.
        """
        client = authenticate(self.server.context, request)
        revoke(self.server.context, client, request.required("token"))
        return 200, {}, ()
