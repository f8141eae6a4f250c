"""Token introspection (RFC 7662, RFC 9701)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.oauth.client_authentication import authenticate
from idp.oauth.endpoint import BackChannelEndpoint
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.tokens.introspection import introspect

if TYPE_CHECKING:
    from idp.oauth.request import BackChannelRequest
    from idp.services.tokens.introspection import Introspection


class IntrospectionEndpoint(BackChannelEndpoint):
    """Says to a confidential client what its token, or one made for it, is worth."""

    ENDPOINT_NAME = "introspection"

    def __call__(self, request: BackChannelRequest) -> tuple[int, Introspection, tuple[()]]:
        """Authenticate, then answer.

        Raises:
            EndpointError: invalid_client; RFC 7662 section 2.1: "the protected resource MUST be authorized".
        """
        client = authenticate(self.server.context, request)
        if client.is_public:
            raise EndpointError(ErrorCode.INVALID_CLIENT, reason="introspection by a public client")
        about = introspect(self.server.context, client, request.required("token"), accept=request.accept)
        return 200, about, ()
