"""Reads the access token of a request about a person (RFC 6750 section 2; RFC 9449 section 7.1)."""

from __future__ import annotations

from typing import Final

from flask import request

from idp.protocol.errors import BearerError, ErrorCode, TokenScheme
from idp.services.tokens.opening import PresentedToken
from idp.web.http import client_certificate

_FORM: Final = "application/x-www-form-urlencoded"
_SCHEMES: Final = {scheme.lower(): scheme for scheme in TokenScheme}


def presented_token() -> PresentedToken:
    """Read the token from the header or the form, never from the address (RFC 6750 section 2; RFC 9700 4.3.2).

    Raises:
        BearerError: No token; invalid_request, for several, or one in the address.
    """
    if "access_token" in request.args:
        raise BearerError(
            ErrorCode.INVALID_REQUEST,
            "The access token must not stand in the address.",
            reason="token in query",
        )
    posted = request.form.getlist("access_token") if request.mimetype == _FORM else []
    header = request.headers.get("Authorization")
    if len(posted) + (header is not None) > 1:
        raise BearerError(
            ErrorCode.INVALID_REQUEST, "The access token is given more than once.", reason="several tokens"
        )
    name, _, credentials = (header or "").partition(" ")
    scheme = TokenScheme.BEARER if posted else _SCHEMES.get(name.lower())
    if scheme is None:
        # Another scheme is no token at all: RFC 6750 section 3.1, no error code then.
        raise BearerError.without_token()
    return PresentedToken(
        value=posted[0] if posted else credentials.strip(),
        scheme=scheme,
        method=request.method,
        path=request.path,
        proof=request.headers.get("DPoP"),
        certificate=client_certificate,
    )
