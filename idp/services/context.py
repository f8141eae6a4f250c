"""What every use case is given: the database, the clock, keys, policies. Built once by `idp.app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from idp.crypto.opaque import PAIRWISE_PURPOSE, THROTTLE_PURPOSE
from idp.domain.client import RegistrationPolicy
from idp.domain.controller import Controller
from idp.domain.life_cycle import LifeCyclePolicy
from idp.domain.mutual_tls import MutualTLSPolicy
from idp.domain.tokens import DPoPPolicy
from idp.outbound.http import NullHTTPClient
from idp.outbound.key_sets import KeySets
from idp.services.disclosures import DisclosureLog

if TYPE_CHECKING:
    from datetime import datetime

    from idp.crypto.keyring import KeyFolder
    from idp.crypto.opaque import KeyDerivation, Sealer
    from idp.crypto.passwords import PasswordHasher
    from idp.domain.client import TokenLifetimes
    from idp.domain.password_policy import PasswordPolicy
    from idp.domain.session import SessionLifetimes
    from idp.domain.throttle import CodePolicy, MailPolicy, SignInLimits
    from idp.federation.upstream import UpstreamProvider
    from idp.outbound.breached_passwords import BreachedPasswords
    from idp.outbound.http import HTTPClient
    from idp.storage.client_directory import ClientDirectory
    from idp.storage.engine import Database


class Clock(Protocol):
    """Tells the time; tests set it."""

    def __call__(self) -> datetime:
        """Give the present moment, aware, in UTC."""


@dataclass(frozen=True, slots=True, repr=False)
class DerivedKeys:
    """One key for each purpose, all derived from the root secret of `keys/`; never shown, wherever it is printed."""

    pairwise: bytes
    pivot: bytes
    refresh_successor: bytes
    csrf: bytes
    codes: bytes
    throttle: bytes
    dpop_nonce: bytes
    browser_state: bytes
    newsletters: bytes

    @classmethod
    def derive(cls, derivation: KeyDerivation) -> DerivedKeys:
        """Derive every key; the purposes' names can never change."""
        return cls(
            pairwise=derivation.key(PAIRWISE_PURPOSE),
            pivot=derivation.key("pivot-identity"),
            refresh_successor=derivation.key("refresh-successor"),
            csrf=derivation.key("csrf"),
            codes=derivation.key("mail-codes"),
            throttle=derivation.key(THROTTLE_PURPOSE),
            dpop_nonce=derivation.key("dpop-nonce"),
            browser_state=derivation.key("browser-state"),
            newsletters=derivation.key("newsletters"),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that use cases are made of; never a request, never a page.

    Attributes:
        issuer: Our own address, without a trailing slash.
        database: Reads and transactions.
        clock: The time.
        keys: Signing keys.
        derived: Keys for hashes that guessable text needs.
        sealer: Encrypts what must be read back.
        clients: Registered clients, cached by version.
        passwords: Hashes passwords, a bounded number at once.
        password_policy: What a new password must be.
        breached_passwords: The list that new passwords are looked up in.
        session_lifetimes: Limits of sessions.
        token_lifetimes: Limits of tokens.
        sign_in_limits: Brakes against guessing passwords.
        mail_policy: Brakes on mails that anyone can make us send.
        code_policy: Limits of a mailed code.
        franceconnect: The State's ordinary portal; None when it is off.
        key_minimum_age: How long a key is published before it signs.
        http: Sends requests to clients' addresses: keys, request objects, logout tokens.
        key_sets: Keys that clients publish, fetched by `http` and kept a while.
        mutual_tls: How certificates of clients are taken.
        dpop: How proofs of possession are taken.
        registration: What a client that registers itself may have.
        franceconnect_plus: FranceConnect+, the State's portal for the higher levels; None when it is off.
        controller: Who is responsible for the data, on receipts and certificates.
        life_cycle: When an account counts as abandoned.
        permission_lifetime: How long a parent may answer.
        disclosures: What this process has told services and not yet written down.
    """

    issuer: str
    database: Database
    clock: Clock
    keys: KeyFolder
    derived: DerivedKeys
    sealer: Sealer
    clients: ClientDirectory
    passwords: PasswordHasher
    password_policy: PasswordPolicy
    breached_passwords: BreachedPasswords
    session_lifetimes: SessionLifetimes
    token_lifetimes: TokenLifetimes
    sign_in_limits: SignInLimits
    mail_policy: MailPolicy
    code_policy: CodePolicy
    franceconnect: UpstreamProvider | None
    key_minimum_age: timedelta
    http: HTTPClient = field(default_factory=NullHTTPClient)
    key_sets: KeySets = field(default_factory=KeySets)
    mutual_tls: MutualTLSPolicy = field(default_factory=MutualTLSPolicy)
    dpop: DPoPPolicy = field(default_factory=DPoPPolicy)
    registration: RegistrationPolicy = field(default_factory=RegistrationPolicy)
    franceconnect_plus: UpstreamProvider | None = None
    controller: Controller = field(default_factory=Controller)
    life_cycle: LifeCyclePolicy = field(default_factory=LifeCyclePolicy)
    permission_lifetime: timedelta = timedelta(days=14)
    disclosures: DisclosureLog = field(default_factory=DisclosureLog)

    @property
    def pairwise(self) -> bytes:
        """The secret of all subjects."""
        return self.derived.pairwise

    @property
    def origins(self) -> tuple[str, ...]:
        """Addresses under which our endpoints are reached: the issuer, and where a certificate is asked for."""
        aliases = (self.mutual_tls.origin,) if self.mutual_tls.origin else ()
        return (self.issuer, *aliases)
