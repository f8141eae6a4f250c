"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.oauth.client_authentication import authenticate
from idp.oauth.endpoint import BackChannelEndpoint
from idp.services.authorization.pushed_requests import push
from idp.services.tokens.proofs import check_proof

if TYPE_CHECKING:
    from idp.oauth.grant import Answer
    from idp.oauth.request import BackChannelRequest


class PushedAuthorizationEndpoint(BackChannelEndpoint):
    """Keeps a request until the browser brings its name; whoever may ask /authorize may push."""

    ENDPOINT_NAME = "pushed_authorization"

    def __call__(self, request: BackChannelRequest) -> Answer:
        """Authenticate, check the proof if there is one, then keep the request.

        Raises:
            EndpointError: invalid_client, invalid_dpop_proof, use_dpop_nonce, or what /authorize would say.
        """
        context = self.server.context
        client = authenticate(context, request)
        proof_key = None
        if request.dpop is not None:
            # RFC 9449 section 10.1: what the proof is of binds the code, as `dpop_jkt` does.
            proof_key = check_proof(
                context,
                request.dpop,
                method=request.method,
                path=request.path,
                client_id=client.client_id,
            )
        return 201, push(context, client, request.parameters, proof_key=proof_key), ()
