"""grant_type=client_credentials (RFC 6749 section 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.client import GrantType
from idp.oauth.grant import TokenGrant
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.tokens.client_credentials import issue

if TYPE_CHECKING:
    from idp.domain.client import Client


class ClientCredentialsGrant(TokenGrant):
    """A token for the client itself."""

    GRANT_TYPE = GrantType.CLIENT_CREDENTIALS

    def tokens_for(self, client: Client) -> dict[str, Any]:
        """Issue the token.

        Raises:
            EndpointError: unauthorized_client for a public client: it has no credentials to grant on
                (RFC 6749 section 4.4, "MUST only be used by confidential clients").
        """
        if client.is_public:
            raise EndpointError(ErrorCode.UNAUTHORIZED_CLIENT, reason="client_credentials by a public client")
        return issue(
            self.context,
            client,
            scope=self.request.parameters.get("scope"),
            resources=self.request.resources,
            confirmation=self.confirmation_of(client),
        )
