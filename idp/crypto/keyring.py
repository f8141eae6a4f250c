"""Keys that sign and decrypt: next, active, retired; the public JWK Set (RFC 7517; OPS-4); the root of derived keys.

`keys/` holds two files for each key: `<kid>.pem`, private, mode 0600, and `<kid>.json`, which says its
algorithm and state. Of keys that sign, *next* is published and not used, *active* signs, *retired* is published
until every token it signed is dead. Of keys that decrypt only *active* is published, so that clients encrypt to
it alone; *next* lies ready on every node, and *retired* decrypts for those who read the JWK Set a while ago.
Files are replaced whole, so that a worker never reads half of one.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from idp.crypto.opaque import KeyDerivation
from idp.protocol.clients.public_keys import ENCRYPTION_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_RSA_BITS = 3072
_PRIVATE_MODE = 0o600
_ROOT_FILE = "root.secret"
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class KeyState(StrEnum):
    """Where a key is in its life (OPS-4)."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


class KeyringError(Exception):
    """The keys can't be used as they are; the text says what to do."""


@dataclass(frozen=True)
class HeldKey:
    """One key, held as an object: parsing a PEM costs a hundred times a signature.

    Attributes:
        kid: Names it in headers and in the JWK Set.
        alg: The one algorithm that it is used with.
        state: Where it is in its life.
        created_at: When it was made.
        state_since: When it came to its state.
        private_key: Itself.
    """

    use: ClassVar[str]

    kid: str
    alg: str
    state: KeyState
    created_at: datetime
    state_since: datetime
    private_key: PrivateKey

    def public_jwk(self) -> dict[str, Any]:
        """Give the public half for the JWK Set."""
        return _public_members(self.private_key) | {"kid": self.kid, "alg": self.alg, "use": self.use}


@dataclass(frozen=True)
class SigningKey(HeldKey):
    """A key that signs what we say."""

    use: ClassVar[str] = "sig"

    def __post_init__(self) -> None:
        """Encode the headers once."""
        object.__setattr__(self, "_headers", {})

    def header(self, typ: str | None) -> bytes:
        """Give the encoded JOSE header (RFC 7515 section 4.1)."""
        headers: dict[str | None, bytes] = self._headers  # type: ignore[attr-defined] # set in __post_init__
        if typ not in headers:
            members = {"alg": self.alg, "kid": self.kid} | ({"typ": typ} if typ else {})
            headers[typ] = base64url_encode(msgspec.json.encode(members))
        return headers[typ]


@dataclass(frozen=True)
class DecryptionKey(HeldKey):
    """A key that clients encrypt to, and that never signs (RFC 7517 section 4.2)."""

    use: ClassVar[str] = "enc"

    private_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Keyring:
    """Every key of the folder at one moment."""

    keys: tuple[HeldKey, ...]

    def signing_key(self, alg: str) -> SigningKey:
        """Find the active key of an algorithm.

        Raises:
            KeyringError: None is active.
        """
        for key in self._signing_keys():
            if key.alg == alg and key.state is KeyState.ACTIVE:
                return key
        raise KeyringError(f"no active {alg} key: run `idp keys rotate --alg {alg}`")

    def algorithms(self) -> tuple[str, ...]:
        """Name the algorithms this server can sign with now."""
        return _active_algorithms(self._signing_keys())

    def encryption_algorithms(self) -> tuple[str, ...]:
        """Name the algorithms by which clients may encrypt to this server now."""
        return _active_algorithms(self.decryption_keys())

    def jwks(self) -> dict[str, Any]:
        """Publish every signing key, so that a client knows the next before it meets it, and whom to encrypt to."""
        return {
            "keys": [
                key.public_jwk()
                for key in self.keys
                if isinstance(key, SigningKey) or key.state is KeyState.ACTIVE
            ]
        }

    def public_keys(self) -> dict[str | None, Any]:
        """Give the public key objects by `kid`, to verify what we signed."""
        return {key.kid: key.private_key.public_key() for key in self._signing_keys()}

    def decryption_keys(self) -> tuple[DecryptionKey, ...]:
        """Give the keys that decrypt, of every state."""
        return tuple(key for key in self.keys if isinstance(key, DecryptionKey))

    def _signing_keys(self) -> tuple[SigningKey, ...]:
        return tuple(key for key in self.keys if isinstance(key, SigningKey))


def _active_algorithms(keys: Iterable[HeldKey]) -> tuple[str, ...]:
    return tuple(sorted({key.alg for key in keys if key.state is KeyState.ACTIVE}))


class KeyFolder:
    """The folder `keys/`: read, watched, changed.

    Args:
        path: The folder; made with mode 0700 when missing.
        passphrase: Encrypts the private files; None leaves them in clear, mode 0600.
        monotonic: Seconds that only grow, to look at the folder once a second at most.
    """

    def __init__(self, path: Path, passphrase: bytes | None, monotonic: Callable[[], float]) -> None:
        self.path = path
        self._passphrase = passphrase
        self._monotonic = monotonic
        self._looked_at = float("-inf")
        self._stamp: tuple[int, ...] = ()
        self._keyring = Keyring(())
        self._looking = threading.Lock()

    def keyring(self) -> Keyring:
        """Give the keys as they are now; a rotation is noticed within a second (OPS-4).

        Raises:
            KeyringError: They were never read yet, and can't be. Once read, a folder that is away for a while,
                or half changed, leaves us with what we have.
        """
        if self._monotonic() - self._looked_at >= 1:
            # Whoever comes while the first one looks waits: before the first reading there is nothing to give.
            with self._looking:
                if self._monotonic() - self._looked_at >= 1:
                    self._look()
        return self._keyring

    def _look(self) -> None:
        try:
            stamp = self._folder_stamp()
            if stamp != self._stamp:
                self._keyring = Keyring(self._load())
                self._stamp = stamp
        except (OSError, KeyringError, ValueError, KeyError) as error:
            if not self._keyring.keys:
                raise KeyringError(f"the keys in {self.path} can't be read: {error}") from error
        self._looked_at = self._monotonic()

    def derivation(self) -> KeyDerivation:
        """Read the root of derived keys.

        Raises:
            KeyringError: It is missing, or readable by others.
        """
        file = self.path / _ROOT_FILE
        if not file.is_file():
            raise KeyringError(f"{file} is missing: restore it, or run `idp keys init` on a new installation")
        _refuse_if_shared(file)
        return KeyDerivation(base64.urlsafe_b64decode(file.read_bytes()))

    def initialise(self, algorithms: tuple[str, ...], now: datetime) -> None:
        """Make what is missing: the root secret and an active key for each algorithm."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = self.path / _ROOT_FILE
        if not root.exists():
            _write_new(root, base64.urlsafe_b64encode(secrets.token_bytes(32)))
        present = {key.alg for key in self._load() if key.state is KeyState.ACTIVE}
        for alg in algorithms:
            if alg not in present:
                self.add(alg, KeyState.ACTIVE, now)

    def add(self, alg: str, state: KeyState, now: datetime) -> HeldKey:
        """Make a key."""
        kid = f"{now:%Y%m%d}-{secrets.token_hex(4)}"
        key = _held(kid, alg, state, created_at=now, state_since=now, private_key=_generate(alg))
        _write_new(self.path / f"{kid}.pem", self._pem(key.private_key))
        self._describe(key)
        return key

    def rotate(
        self, alg: str, now: datetime, *, minimum_age: timedelta, force: bool = False
    ) -> tuple[HeldKey, ...]:
        """Move the keys of an algorithm one step: next becomes active, active retires, a new next is made.

        Args:
            alg: Which keys.
            now: The moment.
            minimum_age: How long a key must have been known before it is used: the JWK Set's cache life.
            force: Use the next key at once, for a compromised one.

        Returns:
            The keys that changed, in their new state.

        Raises:
            KeyringError: The next key was made known too lately.
        """
        keys = [key for key in self._load() if key.alg == alg]
        following = next((key for key in keys if key.state is KeyState.NEXT), None)
        if following is None:
            return (self.add(alg, KeyState.NEXT, now),)
        if not force and now < following.state_since + minimum_age:
            ready = following.state_since + minimum_age
            raise KeyringError(
                f"key {following.kid} was made known too lately: it may be used from {ready:%Y-%m-%d %H:%M} UTC"
            )
        # In this order: who reads the folder in between finds two active keys, never none.
        activated = self._moved(following, KeyState.ACTIVE, now)
        retired = [self._moved(key, KeyState.RETIRED, now) for key in keys if key.state is KeyState.ACTIVE]
        return (*retired, activated, self.add(alg, KeyState.NEXT, now))

    def retire(self, kid: str, now: datetime, *, token_lifetime: timedelta, force: bool = False) -> HeldKey:
        """Remove a retired key whose tokens are all dead; an active one cannot be removed.

        Args:
            kid: Which key.
            now: The moment.
            token_lifetime: How long what was signed with it lives, or may still be encrypted to it.
            force: Before that, too.

        Returns:
            The key that is gone.

        Raises:
            KeyringError: Unknown, still in use, or retired too lately.
        """
        key = next((key for key in self._load() if key.kid == kid), None)
        if key is None:
            raise KeyringError(f"no key {kid}")
        if key.state is KeyState.ACTIVE:
            raise KeyringError(f"key {kid} is in use: rotate first")
        if key.state is KeyState.RETIRED and not force and now < key.state_since + token_lifetime:
            raise KeyringError(
                f"tokens of key {kid} live until {key.state_since + token_lifetime:%Y-%m-%d %H:%M} UTC"
            )
        (self.path / f"{kid}.json").unlink()
        (self.path / f"{kid}.pem").unlink()
        return key

    def _moved(self, key: HeldKey, state: KeyState, now: datetime) -> HeldKey:
        moved = replace(key, state=state, state_since=now)
        self._describe(moved)
        return moved

    def _load(self) -> tuple[HeldKey, ...]:
        return tuple(self._read(file) for file in sorted(self.path.glob("*.json")))

    def _read(self, description: Path) -> HeldKey:
        members = json.loads(description.read_bytes())
        pem = description.with_suffix(".pem")
        _refuse_if_shared(pem)
        try:
            # The check of an RSA key takes a tenth of a second, at each start of each worker. It is against keys
            # that somebody else made; these we made, and nobody else may write them. A damaged one gives no
            # false signature away: OpenSSL verifies what it signs.
            private_key = load_pem_private_key(
                pem.read_bytes(), self._passphrase, unsafe_skip_rsa_key_validation=True
            )
        except (TypeError, ValueError) as error:
            raise KeyringError(f"{pem} can't be read: is the passphrase right?") from error
        if not isinstance(private_key, PrivateKey):
            raise KeyringError(f"{pem} holds a key of another kind")
        return _held(
            members["kid"],
            members["alg"],
            KeyState(members["state"]),
            created_at=datetime.fromisoformat(members["created_at"]).astimezone(UTC),
            state_since=datetime.fromisoformat(members["state_since"]).astimezone(UTC),
            private_key=private_key,
        )

    def _describe(self, key: HeldKey) -> None:
        members = {
            "kid": key.kid,
            "alg": key.alg,
            "state": key.state,
            "created_at": key.created_at.isoformat(),
            "state_since": key.state_since.isoformat(),
        }
        target = self.path / f"{key.kid}.json"
        temporary = target.with_suffix(f".{secrets.token_hex(4)}.new")
        temporary.write_text(json.dumps(members, indent=2) + "\n")
        temporary.replace(target)

    def _folder_stamp(self) -> tuple[int, ...]:
        # Renames and removals change the folder's own time; a scan of ten files costs 20 µs more and sees edits.
        with os.scandir(self.path) as entries:
            return tuple(
                sorted(entry.stat().st_mtime_ns for entry in entries if entry.name.endswith(".json"))
            )

    def _pem(self, private_key: PrivateKey) -> bytes:
        encryption: KeySerializationEncryption = (
            BestAvailableEncryption(self._passphrase) if self._passphrase else NoEncryption()
        )
        return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _held(
    kid: str,
    alg: str,
    state: KeyState,
    *,
    created_at: datetime,
    state_since: datetime,
    private_key: PrivateKey,
) -> HeldKey:
    if alg not in ENCRYPTION_ALGORITHMS:
        return SigningKey(kid, alg, state, created_at, state_since, private_key)
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        raise KeyringError(f"key {kid} is of another kind than {alg} needs")
    return DecryptionKey(kid, alg, state, created_at, state_since, private_key)


def _generate(alg: str) -> PrivateKey:
    match alg:
        case "ES256" | "ECDH-ES" | "ECDH-ES+A128KW" | "ECDH-ES+A256KW":
            return ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()
        case "RS256" | "PS256" | "RSA-OAEP" | "RSA-OAEP-256":
            return rsa.generate_private_key(65537, _RSA_BITS)
        case _:
            raise KeyringError(f"no such algorithm: {alg}")


def _public_members(private_key: PrivateKey) -> dict[str, Any]:
    match private_key:
        case ec.EllipticCurvePrivateKey():
            return dict(ECAlgorithm.to_jwk(private_key.public_key(), as_dict=True))
        case rsa.RSAPrivateKey():
            members = dict(RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True))
        case _:
            return dict(OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True))
    members.pop("key_ops", None)
    return members


def _refuse_if_shared(file: Path) -> None:
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise KeyringError(f"{file} can be read by others: chmod 600 {file}")


def _write_new(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
