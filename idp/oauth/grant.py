"""What our grants share: the client is authenticated, and allowed the grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin

from idp.oauth.client_authentication import authenticate
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.tokens.issuing import require_encryption_key
from idp.services.tokens.proofs import sender_constraint

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.domain.tokens import Confirmation
    from idp.oauth.request import BackChannelRequest
    from idp.services.context import Context

#: Status, body and headers, as Authlib passes them on.
Answer = tuple[int, dict[str, Any], tuple[tuple[str, str], ...]]


class TokenGrant(BaseGrant, TokenEndpointMixin):
    """A grant of the token endpoint: authenticate, check that the client may, then answer."""

    request: BackChannelRequest

    @property
    def context(self) -> Context:
        """What use cases are given."""
        context: Context = self.server.context
        return context

    def validate_token_request(self) -> None:
        """Authenticate the client and check that it may use this grant.

        Raises:
            EndpointError: invalid_client, or unauthorized_client.
        """
        client = authenticate(self.context, self.request)
        if self.GRANT_TYPE not in client.grant_types:
            raise EndpointError(ErrorCode.UNAUTHORIZED_CLIENT, reason="grant_type not allowed for the client")

    def create_token_response(self) -> Answer:
        """Answer with tokens."""
        client: Client = self.request.client  # type: ignore[assignment] # set by authenticate
        require_encryption_key(self.context, client)
        return 200, self.tokens_for(client), ()

    def confirmation_of(self, client: Client) -> Confirmation | None:
        """Say what the tokens of this request are bound to (RFC 9449 section 5; RFC 8705 section 3).

        Raises:
            EndpointError: invalid_dpop_proof, use_dpop_nonce, or invalid_request without a certificate.
        """
        request = self.request
        return sender_constraint(
            self.context, client, dpop=request.dpop, certificate=request.certificate, path=request.path
        )

    def tokens_for(self, client: Client) -> dict[str, Any]:
        """Give the members of the answer to an authenticated client."""
        raise NotImplementedError
