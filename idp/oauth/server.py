"""The list of grants and endpoints that are on.

Authlib dispatches; validation, storage and answers are ours (docs/decisions/0003): its own redeem one code
twice at the same instant, write tokens to the debug log, and put request values into error texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, UnsupportedGrantTypeError

from idp.oauth.authorization_code_grant import AuthorizationCodeGrant
from idp.oauth.client_credentials_grant import ClientCredentialsGrant
from idp.oauth.device_authorization import DeviceAuthorizationEndpoint
from idp.oauth.device_code_grant import DeviceCodeGrant
from idp.oauth.introspection import IntrospectionEndpoint
from idp.oauth.pushed_authorization import PushedAuthorizationEndpoint
from idp.oauth.refresh_token_grant import RefreshTokenGrant
from idp.oauth.revocation import RevocationEndpoint
from idp.protocol.errors import EndpointError, ErrorCode

if TYPE_CHECKING:
    from idp.oauth.request import BackChannelRequest
    from idp.services.context import Context

GRANTS = (AuthorizationCodeGrant, RefreshTokenGrant, ClientCredentialsGrant, DeviceCodeGrant)
ENDPOINTS = (
    IntrospectionEndpoint,
    PushedAuthorizationEndpoint,
    RevocationEndpoint,
    DeviceAuthorizationEndpoint,
)


class Server(AuthorizationServer):
    """Sends each request of a back-channel endpoint to its grant.

    Args:
        context: What use cases are given.
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        for grant in GRANTS:
            self.register_grant(grant)
        for endpoint in ENDPOINTS:
            self.register_endpoint(endpoint)

    def token(self, request: BackChannelRequest) -> dict[str, Any]:
        """Answer at /token.

        Raises:
            EndpointError: As RFC 6749 section 5.2 names it.
        """
        request.required("grant_type")
        answer: dict[str, Any] = self.create_token_response(request)
        return answer

    def endpoint(self, name: str, request: BackChannelRequest) -> dict[str, Any]:
        """Answer at /introspect or /revoke.

        Raises:
            EndpointError: As RFC 6749 section 5.2 names it.
        """
        answer: dict[str, Any] = self.create_endpoint_response(name, request)
        return answer

    def create_oauth2_request(self, request: BackChannelRequest) -> BackChannelRequest:
        """Take the request as it is: it is checked already."""
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: object) -> dict[str, Any]:
        """Give the members of the answer; errors do not come this way."""
        del status, headers
        return body

    def handle_error_response(self, request: BackChannelRequest, error: OAuth2Error) -> dict[str, Any]:
        """Turn the one error that Authlib raises by itself into ours."""
        del request
        if isinstance(error, UnsupportedGrantTypeError):
            raise EndpointError(ErrorCode.UNSUPPORTED_GRANT_TYPE, reason="grant_type not on") from error
        raise EndpointError(ErrorCode.INVALID_REQUEST, reason=type(error).__name__) from error
