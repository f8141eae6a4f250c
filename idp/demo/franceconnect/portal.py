"""What differs between the State's two portals: FranceConnect, and FranceConnect+ for the higher levels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

SigningAlgorithm = Literal["ES256", "RS256"]
EncryptionAlgorithm = Literal["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES"]

#: Of assurance, weakest first.
LEVELS = ("eidas1", "eidas2", "eidas3")

#: The one content encryption.
CONTENT_ENCRYPTION = "A256GCM"


@dataclass(frozen=True)
class Portal:
    """One of the two.

    Attributes:
        name: As people read it.
        levels: That it can give, weakest first.
        remembered: Levels for which a living session spares the authentication (single sign-on).
        session_life: Of a session and of a request that waits.
        key_names: The `kid` of each signing key, by algorithm, as on FranceConnect's test stacks.
        encryption_algorithms: Of the tokens, which a service chooses at registration; empty where none is encrypted.
        tells_register_apart: Whether the plain claims are the identity provider's, and the register's come beside
            them as `rnipp_…`; else the plain ones are the register's.
    """

    name: str
    levels: tuple[str, ...]
    remembered: frozenset[str]
    session_life: timedelta
    key_names: dict[SigningAlgorithm, str]
    encryption_algorithms: tuple[EncryptionAlgorithm, ...]
    tells_register_apart: bool


ORDINARY = Portal(
    name="FranceConnect",
    levels=("eidas1",),
    remembered=frozenset({"eidas1"}),
    session_life=timedelta(minutes=30),
    key_names={"ES256": "pkcs11:ES256:hsm", "RS256": "pkcs11:RS256:hsm"},
    encryption_algorithms=(),
    tells_register_apart=False,
)

PLUS = Portal(
    name="FranceConnect+",
    levels=("eidas2", "eidas3"),
    remembered=frozenset({"eidas2"}),
    session_life=timedelta(minutes=10),
    key_names={"ES256": "pkcs11:hsm"},
    encryption_algorithms=("RSA-OAEP-256", "RSA-OAEP", "ECDH-ES"),
    tells_register_apart=True,
)
