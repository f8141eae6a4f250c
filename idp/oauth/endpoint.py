"""What our endpoints beside the token endpoint share: Authlib hands them the request as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import TokenEndpoint

if TYPE_CHECKING:
    from idp.oauth.request import BackChannelRequest


class BackChannelEndpoint(TokenEndpoint):
    """An endpoint that programs call: it authenticates the client, then answers."""

    def create_endpoint_request(self, request: BackChannelRequest) -> BackChannelRequest:
        """Take the request as it is: it is checked already."""
        return request
