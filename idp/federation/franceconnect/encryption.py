"""Nested tokens of FranceConnect+: signed, then encrypted to a key of ours (RFC 7519 section 5.2; franceconnect.md 3).

Whether a portal encrypts, and how, was chosen at its registration and stands in the configuration: a token that
comes in the clear where it should not is refused as well as the reverse, and nothing is found out by looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.crypto.jwe import JWERefused, decrypt, protected_header
from idp.federation.upstream import UpstreamMisbehaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.crypto.keyring import DecryptionKey
    from idp.federation.franceconnect.settings import FranceConnectSettings

#: The one content encryption of FranceConnect+.
CONTENT_ENCRYPTION: Final = "A256GCM"
#: Dots of a compact JWE (RFC 7516 section 7.1), which a JWS has two of.
_DOTS: Final = 4


def signed_token(
    token: str,
    what: str,
    settings: FranceConnectSettings,
    keys: Callable[[], tuple[DecryptionKey, ...]],
) -> str:
    """Give the signed token of what was received; its signature is still to be checked.

    Args:
        token: As received.
        what: Names it in refusals: "id_token" or "userinfo".
        settings: What was registered.
        keys: Ours, as they are now.

    Raises:
        UpstreamMisbehaved: Encrypted and should not be, or the reverse, or by another algorithm, or not to us.
    """
    is_encrypted = token.count(".") == _DOTS
    if settings.encryption_algorithm is None:
        if is_encrypted:
            raise UpstreamMisbehaved(f"{what}.encrypted")
        return token
    if not is_encrypted:
        raise UpstreamMisbehaved(f"{what}.not_encrypted")
    try:
        _check_header(protected_header(token), what, settings)
        return decrypt(token, keys()).decode("ascii")
    except (JWERefused, UnicodeDecodeError) as error:
        raise UpstreamMisbehaved(f"{what}.encryption") from error


def _check_header(header: dict[str, Any], what: str, settings: FranceConnectSettings) -> None:
    expected = {"alg": settings.encryption_algorithm, "enc": CONTENT_ENCRYPTION, "cty": "JWT"}
    for name, value in expected.items():
        if header.get(name) != value:
            raise UpstreamMisbehaved(f"{what}.encryption_{name}")
    # RFC 7519 section 5.3: the application "SHOULD verify that their values are identical" to those inside.
    for name, value in (("iss", settings.issuer), ("aud", settings.client_id)):
        if header.get(name, value) != value:
            raise UpstreamMisbehaved(f"{what}.encryption_{name}")
