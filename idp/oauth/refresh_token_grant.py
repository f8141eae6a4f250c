"""grant_type=refresh_token (RFC 6749 section 6, RFC 9700 section 4.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.client import GrantType
from idp.oauth.grant import TokenGrant
from idp.services.tokens.rotation import refresh

if TYPE_CHECKING:
    from idp.domain.client import Client


class RefreshTokenGrant(TokenGrant):
    """A refresh token for new tokens."""

    GRANT_TYPE = GrantType.REFRESH_TOKEN

    def tokens_for(self, client: Client) -> dict[str, Any]:
        """Refresh."""
        return refresh(
            self.context,
            client,
            refresh_token=self.request.required("refresh_token"),
            scope=self.request.parameters.get("scope"),
            resources=self.request.resources,
            confirmation=self.confirmation_of(client),
        )
