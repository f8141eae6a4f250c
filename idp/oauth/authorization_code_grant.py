"""grant_type=authorization_code (RFC 6749 section 4.1.3, OIDC Core 3.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.client import GrantType
from idp.oauth.grant import TokenGrant
from idp.services.tokens.exchange import exchange_code

if TYPE_CHECKING:
    from idp.domain.client import Client


class AuthorizationCodeGrant(TokenGrant):
    """A code for tokens, once."""

    GRANT_TYPE = GrantType.AUTHORIZATION_CODE

    def tokens_for(self, client: Client) -> dict[str, Any]:
        """Exchange the code."""
        return exchange_code(
            self.context,
            client,
            code=self.request.required("code"),
            redirect_uri=self.request.parameters.get("redirect_uri"),
            code_verifier=self.request.parameters.get("code_verifier"),
            resources=self.request.resources,
            confirmation=self.confirmation_of(client),
        )
