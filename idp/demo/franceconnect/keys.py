"""The simulator's signing keys, one per algorithm, and the JWTs they sign."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from idp.demo.franceconnect.portal import ORDINARY, Portal

SigningKey = ECKey | RSAKey


def _make(alg: str) -> SigningKey:
    """Generate a key for one algorithm."""
    return ECKey.generate_key("P-256") if alg == "ES256" else RSAKey.generate_key(2048)


class SigningKeys:
    """A key for each algorithm, all published; `rotate` replaces them and their identifiers."""

    def __init__(self, portal: Portal = ORDINARY) -> None:
        """Generate the first generation, named as on FranceConnect's test stacks."""
        self._names: dict[str, str] = {str(alg): name for alg, name in portal.key_names.items()}
        self._lock = Lock()
        self._generation = 1
        self._keys = self._generate()
        self._retired: list[dict[str, SigningKey]] = []

    def _generate(self) -> dict[str, SigningKey]:
        return {alg: _make(alg) for alg in self._names}

    def kid(self, alg: str) -> str:
        """Name the current key of an algorithm."""
        suffix = "" if self._generation == 1 else f":{self._generation}"
        return self._names[alg] + suffix

    def rotate(self) -> None:
        """Replace every key at once: services must read the key set again."""
        with self._lock:
            self._retired.append(self._keys)
            self._keys = self._generate()
            self._generation += 1

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """Return the JWK Set."""
        with self._lock:
            return {"keys": [self._public_key(alg) for alg in self._keys]}

    def _public_key(self, alg: str) -> dict[str, Any]:
        members = dict(self._keys[alg].as_dict(private=False))
        return {**members, "kid": self.kid(alg), "alg": alg, "use": "sig"}

    def sign(self, payload: dict[str, Any], alg: str, *, wrong_key: bool = False) -> str:
        """Sign a JWT whose header is `alg` and `kid` only: FranceConnect sends no `typ`."""
        with self._lock:
            key = _make(alg) if wrong_key else self._keys[alg]
            header = {"alg": alg, "kid": self.kid(alg)}
        return jws.serialize_compact(header, json.dumps(payload), key, algorithms=[alg])

    def signed(self, token: str, alg: str) -> bool:
        """Tell whether one of our keys, old ones included, signed a token."""
        return any(_is_signed(token, keys[alg], alg) for keys in [self._keys, *self._retired])


def _is_signed(token: str, key: SigningKey, alg: str) -> bool:
    """Check one signature."""
    try:
        jws.deserialize_compact(token, key, algorithms=[alg])
    except (JoseError, ValueError):
        return False
    return True
