"""Signs documents that people keep: receipts, certificates, statements; verifies them for years (CON-5, S-437).

A document is a JWS in compact form (RFC 7515), its kind stands in `typ` (RFC 8725 section 3.11). Keys rotate and go;
the public half of each that ever signed a document is kept, and published at `KEYS_PATH`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from idp.crypto import chain_seal
from idp.crypto.jwt import ALGORITHMS, JWTRefused, public_keys, sign, verified_header_claims
from idp.crypto.opaque import equal
from idp.domain.hash_chain import body_hash
from idp.storage.repositories import receipt_keys
from idp.storage.repositories.receipt_keys import KeptKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.crypto.keyring import KeyFolder, SigningKey
    from idp.services.context import Clock
    from idp.storage.engine import Connection, Database

#: Where everyone reads the keys: a stable address, written in documents and documentation.
KEYS_PATH: Final = "/receipts/keys"
#: Kinds of documents: their `typ`.
RECEIPT: Final = "receipt+jwt"
CERTIFICATE: Final = "certificate+jwt"
HEAD_STATEMENT: Final = "ledger-head+jwt"
#: Characters; a receipt holds the words that were shown, and the terms are long.
LONGEST: Final = 1_000_000
_PREFERRED_ALG: Final = "ES256"


class Signing(Protocol):
    """What it takes to sign: a `Context` has it, and so have the tools of a command line."""

    @property
    def database(self) -> Database:
        """Reads and transactions."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def keys(self) -> KeyFolder:
        """Signing keys."""

    @property
    def issuer(self) -> str:
        """Our own address."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A document that we signed.

    Attributes:
        typ: Its kind.
        kid: Which key signed it.
        signed_at: When.
        payload: What it says, with `iss` and `iat`.
    """

    typ: str
    kid: str
    signed_at: datetime
    payload: dict[str, Any]


def sign_document(tools: Signing, payload: Mapping[str, Any], *, typ: str) -> str:
    """Sign a document, outside of any transaction.

    Args:
        tools: The parts.
        payload: What it says, plain values; `iss` and `iat` are added.
        typ: Its kind, such as `RECEIPT`.

    Returns:
        A JWS in compact form.

    Raises:
        KeyringError: No key is active.
    """
    key = _signing_key(tools)
    now = tools.clock()
    with tools.database.read() as connection:
        is_kept = receipt_keys.is_kept(connection, key.kid)
    if not is_kept:
        kept = _sealed(tools, key)
        with tools.database.write() as connection:
            receipt_keys.keep(connection, kept, now)
    return _signed(tools, key, payload, typ, now)


def sign_document_within(
    tools: Signing, connection: Connection, payload: Mapping[str, Any], *, typ: str
) -> str:
    """Sign a document as `sign_document`, in the transaction of what it certifies.

    Raises:
        KeyringError: No key is active.
    """
    key = _signing_key(tools)
    now = tools.clock()
    if not receipt_keys.is_kept(connection, key.kid):
        receipt_keys.keep(connection, _sealed(tools, key), now)
    return _signed(tools, key, payload, typ, now)


def verify_document(tools: Signing, document: str, *, typ: str | None = None) -> Verified | None:
    """Read a document, if it is one that we signed.

    Args:
        tools: The parts.
        document: As received; anything.
        typ: The kind that is expected; None for any kind of document.

    Returns:
        None unless a key of ours signed it, in our name, as such a document.
    """
    # Those in use too: a database that was set back to before it kept one still reads what that one signed.
    keys = tools.keys.keyring().public_keys() | public_keys(published_keys(tools))
    try:
        header, payload = verified_header_claims(document, keys, ALGORITHMS, longest=LONGEST)
    except JWTRefused:
        return None
    kind = header.get("typ")
    signed_at = payload.get("iat")
    if not isinstance(kind, str) or not isinstance(signed_at, int) or payload.get("iss") != tools.issuer:
        return None
    # The same keys sign tokens, which are no documents, whoever holds one.
    if kind not in {RECEIPT, CERTIFICATE, HEAD_STATEMENT} or typ not in {None, kind}:
        return None
    return Verified(kind, header["kid"], datetime.fromtimestamp(signed_at, UTC), payload)


def published_keys(tools: Signing) -> dict[str, Any]:
    """Give the JWK Set (RFC 7517) of every key that ever signed a document, the oldest first."""
    with tools.database.read() as connection:
        kept = receipt_keys.every(connection)
    return {"keys": [one.jwk for one in kept if is_ours(tools, one)]}


def is_ours(tools: Signing, kept: KeptKey) -> bool:
    """Tell whether a kept key is one that we kept: whoever writes to the database alone can't seal one."""
    return equal(_seal(tools, kept.kid, kept.jwk), kept.seal)


def _sealed(tools: Signing, key: SigningKey) -> KeptKey:
    jwk = key.public_jwk()
    return KeptKey(key.kid, jwk, _seal(tools, key.kid, jwk))


def _seal(tools: Signing, kid: str, jwk: Mapping[str, Any]) -> bytes:
    secret = tools.keys.derivation().key(chain_seal.PURPOSE)
    return chain_seal.seal(secret, f"receipt-key/{kid}", 0, body_hash(jwk))


def _signing_key(tools: Signing) -> SigningKey:
    keyring = tools.keys.keyring()
    active = keyring.algorithms()
    return keyring.signing_key(_PREFERRED_ALG if _PREFERRED_ALG in active or not active else active[0])


def _signed(tools: Signing, key: SigningKey, payload: Mapping[str, Any], typ: str, now: datetime) -> str:
    own = {"iss": tools.issuer, "iat": int(now.timestamp())}
    return sign({**payload, **own}, key, typ=typ)
