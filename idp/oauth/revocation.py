"""Token revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import TokenEndpoint

from idp.oauth.client_authentication import authenticate
from idp.services.tokens.revocation import revoke

if TYPE_CHECKING:
    from idp.oauth.grant import Answer
    from idp.oauth.request import BackChannelRequest


class RevocationEndpoint(TokenEndpoint):
    """Revokes a client's own token; an unknown one is answered alike (RFC 7009 section 2.2)."""

    ENDPOINT_NAME = "revocation"

    def create_endpoint_request(self, request: BackChannelRequest) -> BackChannelRequest:
        """Take the request as it is."""
        return request

    def __call__(self, request: BackChannelRequest) -> Answer:
        """Authenticate, then revoke.

        Raises:
            EndpointError: invalid_client, or invalid_request without a token.
        """
        client = authenticate(self.server.context, request)
        revoke(self.server.context, client, request.required("token"))
        return 200, {}, ()
