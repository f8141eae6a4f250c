"""Encrypts signed answers for clients that registered it: nested JWTs (OIDC Core 10.2; RFC 7519 section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.jwe import JWERefused, encrypt
from idp.services.clients.key_sets import KeySetUnavailable, encryption_jwk

if TYPE_CHECKING:
    from idp.domain.client import Client, Encryption
    from idp.services.context import Context

__all__ = ["KeySetUnavailable", "encrypted"]


def encrypted(
    context: Context, client: Client, encryption: Encryption, content: str, *, cty: str | None = "JWT"
) -> str:
    """Encrypt a signed answer to the client's own key: signed first, so that the signature can't be seen or taken off.

    Args:
        context: The parts. The client's keys may be fetched: no transaction may be open.
        client: Who can decrypt it.
        encryption: What the client registered for this kind of answer.
        content: The answer, signed; plain JSON where the client registered no signature (OIDC Core 5.3.2).
        cty: What it is: None for JSON.

    Raises:
        KeySetUnavailable: The client has no key that fits, or its keys can't be had. It is never sent unencrypted.
    """
    jwk = encryption_jwk(context, client, encryption.alg)
    try:
        return encrypt(content.encode(), jwk, encryption.alg, encryption.enc, cty=cty)
    except JWERefused as error:
        raise KeySetUnavailable(str(error)) from error
