"""An Authlib request made from plain mappings: the form's parameters, once each, never the query's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from idp.protocol.errors import EndpointError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.crypto.certificates import Certificate
    from idp.domain.client import Client


@dataclass(slots=True)
class BackChannelRequest:
    """What /token, /introspect, /revoke, /par and /device_authorization receive.

    Stands where Authlib expects its `OAuth2Request`, whose constructor refuses http behind a TLS proxy and
    whose payload mixes query and form.

    Attributes:
        method: HTTP method.
        parameters: The form, one value each, checked by `protocol.parameters`.
        authorization: The Authorization header, as received.
        client: Set by client authentication.
        path: The path of the endpoint, below the issuer.
        resources: The `resource` parameter, which alone may come several times (RFC 8707 section 2).
        certificate: What the client's TLS connection showed, told by a proxy of ours; None without one.
        dpop: The DPoP header, as received (RFC 9449 section 4.1).
        accept: The Accept header; empty without one.
    """

    method: str
    parameters: Mapping[str, str]
    authorization: str | None = None
    client: Client | None = field(default=None)
    path: str = ""
    resources: tuple[str, ...] = ()
    certificate: Certificate | None = None
    dpop: str | None = None
    accept: str = ""

    @property
    def payload(self) -> BackChannelRequest:
        """The parameters, under the name where Authlib looks for them."""
        return self

    @property
    def grant_type(self) -> str | None:
        """The `grant_type` parameter, by which Authlib dispatches."""
        return self.parameters.get("grant_type")

    def required(self, name: str) -> str:
        """Give a parameter that the request can't do without.

        Raises:
            EndpointError: invalid_request.
        """
        value = self.parameters.get(name)
        if value is None:
            raise EndpointError(ErrorCode.INVALID_REQUEST, f"The {name} is missing.", reason=f"{name} absent")
        return value
