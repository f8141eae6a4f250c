"""Opaque secrets: made, hashed at rest, compared in constant time; identifiers; keys derived from one root.

Prefixes name the kind of a secret and a checksum ends it, so that secret scanners find leaks and a wrong
kind is refused without a query.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from datetime import datetime

#: The purpose of the key of all subjects; it can never change.
PAIRWISE_PURPOSE = "pairwise-subject"
#: The purpose of the key of all counters of tries.
THROTTLE_PURPOSE = "throttle"
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_SECRET_BYTES = 32
_CHECKSUM_LENGTH = 6
_BODY_LENGTH = 43
_PREFIX_LENGTH = 4
_NONCE_BYTES = 12
_FORM_NONCE_BYTES = 16
_LINE_SALT_BYTES = 16


class SecretKind(StrEnum):
    """What a secret opens; the prefix on the wire."""

    AUTHORIZATION_CODE = "mpc_"
    ACCESS_TOKEN = "mpa_"
    REFRESH_TOKEN = "mpr_"
    CLIENT_SECRET = "mpk_"
    SESSION = "mps_"
    BROWSER = "mpb_"
    DEVICE = "mpd_"
    PENDING = "mpq_"
    LINK = "mpl_"
    SIGNUP = "mpu_"
    STATE = "mpt_"
    PUSHED_REQUEST = "mpp_"
    DEVICE_CODE = "mpv_"
    INITIAL_ACCESS = "mpi_"
    REGISTRATION_ACCESS = "mpg_"


def new_secret(kind: SecretKind) -> str:
    """Make a secret of 256 random bits: prefix, 43 characters of base64url, 6 of checksum."""
    return _dressed(kind, secrets.token_bytes(_SECRET_BYTES))


def derived_secret(kind: SecretKind, key: bytes, source: bytes) -> str:
    """Make the secret that follows another: the same for the same source, unguessable without the key."""
    return _dressed(kind, hmac.digest(key, source, "sha256"))


def is_well_formed(kind: SecretKind, candidate: str) -> bool:
    """Tell whether a string can be a secret of this kind, without a query."""
    if len(candidate) != _PREFIX_LENGTH + _BODY_LENGTH + _CHECKSUM_LENGTH or not candidate.isascii():
        return False
    head = candidate[:-_CHECKSUM_LENGTH]
    return head.startswith(kind) and _checksum(head) == candidate[-_CHECKSUM_LENGTH:]


def digest(secret: str) -> bytes:
    """Hash a random secret for rest: 256 random bits need no slow hash (NIST SP 800-63B 3.1.2.2)."""
    return hashlib.sha256(secret.encode()).digest()


def keyed_digest(key: bytes, *parts: str) -> bytes:
    """Hash guessable text, such as a 6-digit code or an address, so that only the key's holder can search it."""
    return hmac.digest(key, "\x1f".join(parts).encode(), "sha256")


def equal(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)


def new_hex_secret() -> str:
    """Make 256 random bits in 64 hexadecimal digits, for those who take nothing else (franceconnect.md 0.2)."""
    return secrets.token_hex(_SECRET_BYTES)


def new_code() -> str:
    """Make a code of six digits, to be typed by a person."""
    return f"{secrets.randbelow(1_000_000):06d}"


def new_letters(alphabet: str, length: int) -> str:
    """Make a code of letters, to be copied by a person from one screen to another."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_id(now: datetime) -> str:
    """Make an identifier that sorts by time: 48 bits of milliseconds, 80 random bits, 26 characters."""
    number = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def new_request_id() -> str:
    """Make the name of one request in the logs: 96 random bits."""
    return secrets.token_hex(12)


def new_salt() -> str:
    """Make 96 random bits that keep two hashes of the same from being alike; no secret."""
    return secrets.token_hex(12)


def new_line_salt() -> bytes:
    """Make 128 random bits for one line of the trail or the ledger: without them nobody can try names at its hash."""
    return secrets.token_bytes(_LINE_SALT_BYTES)


def form_token(key: bytes, browser_hash: bytes) -> str:
    """Make the token of a form: bound to a browser, different at each call so that compression tells nothing."""
    nonce = secrets.token_bytes(_FORM_NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + hmac.digest(key, nonce + browser_hash, "sha256")).decode()


def is_form_token(key: bytes, browser_hash: bytes, candidate: str) -> bool:
    """Tell whether a form's token was made for this browser."""
    try:
        raw = base64.urlsafe_b64decode(candidate.encode("ascii"))
    except ValueError:
        return False
    nonce, proof = raw[:_FORM_NONCE_BYTES], raw[_FORM_NONCE_BYTES:]
    return hmac.compare_digest(proof, hmac.digest(key, nonce + browser_hash, "sha256"))


class KeyDerivation:
    """Keys of one purpose each, from the root secret of `keys/` (HKDF, RFC 5869).

    Args:
        root: 32 random bytes; losing them loses every pairwise subject.
    """

    def __init__(self, root: bytes) -> None:
        self._root = root

    def key(self, purpose: str) -> bytes:
        """Derive the 32 bytes of one purpose, such as "pairwise" or "csrf"."""
        return HKDF(SHA256(), 32, salt=None, info=f"idp/{purpose}".encode()).derive(self._root)


class Sealer:
    """Encrypts what must be read back, such as a mail that waits (AES-256-GCM).

    Args:
        key: 32 bytes of one purpose.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def derived(cls, derivation: KeyDerivation) -> Sealer:
        """Make the one of this installation, whichever of its programs seals or unseals."""
        return cls(derivation.key("seal"))

    def seal(self, plain: bytes, *, bound_to: str) -> str:
        """Encrypt, bound to the row it stands in so that it can't be moved to another."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.urlsafe_b64encode(
            nonce + self._cipher.encrypt(nonce, plain, bound_to.encode())
        ).decode()

    def unseal(self, sealed: str, *, bound_to: str) -> bytes:
        """Decrypt.

        Raises:
            ValueError: Sealed with another key, moved, or altered.
        """
        raw = base64.urlsafe_b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound_to.encode())
        except InvalidTag as error:
            raise ValueError("sealed with another key, moved or altered") from error


def _dressed(kind: SecretKind, body: bytes) -> str:
    head = kind + base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    return head + _checksum(head)


def _checksum(head: str) -> str:
    number = zlib.crc32(head.encode())
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(25, -1, -5))
