"""Makes what tests start from: the parts of the use cases, an account, terms, the mails that wait."""

from __future__ import annotations

import base64
import os
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, literal_column, select

from idp.crypto.keyring import KeyFolder
from idp.crypto.opaque import KeyDerivation, Sealer, new_id
from idp.crypto.passwords import PasswordHasher
from idp.domain.account import Account, AccountState
from idp.domain.client import TokenLifetimes
from idp.domain.email_address import canonical
from idp.domain.password_policy import PasswordPolicy
from idp.domain.session import SessionLifetimes
from idp.domain.throttle import SIGN_IN_LIMITS, CodePolicy, MailPolicy
from idp.outbound.breached_passwords import EmbeddedBreachedPasswords
from idp.services.authorization.consents import Shown
from idp.services.authorization.terms import TermsText, publish
from idp.services.context import Context, DerivedKeys
from idp.services.messages import Mail, opened_mail
from idp.storage.client_directory import ClientDirectory
from idp.storage.models import outbox
from idp.storage.repositories import accounts
from tests.support import databases as shared

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

ISSUER = "https://compte.example.org"
#: Keeps every rule, and is on no list.
PASSWORD = "Vingt2.Tramways"
OTHER_PASSWORD = "11.Passerelles"
#: The version that holds in tests.
TERMS_VERSION = "2026-01-01"
#: What a person answers to who withdraws a consent.
CONFIRMED = Shown("Retirer votre accord ?", "fr")
HOME = "192.0.2.10"
ELSEWHERE = "198.51.100.20"


def a_context(database: Database, clock: SettableClock, **others: Any) -> Context:
    """Put the parts together as `idp.app` does, without a configuration.

    Args:
        database: Migrated.
        clock: The time.
        others: Parts that the test gives itself, such as `passwords`.
    """
    derivation = KeyDerivation(bytes(32))
    parts: dict[str, Any] = {
        "issuer": ISSUER,
        "database": database,
        "clock": clock,
        "keys": KeyFolder(the_signing_keys(), None, time.monotonic),
        "derived": DerivedKeys.derive(derivation),
        "sealer": Sealer.derived(derivation),
        "clients": ClientDirectory(),
        "passwords": the_hasher(),
        "password_policy": PasswordPolicy(),
        "breached_passwords": the_common_passwords(),
        "session_lifetimes": SessionLifetimes(),
        "token_lifetimes": TokenLifetimes(),
        "sign_in_limits": SIGN_IN_LIMITS,
        "mail_policy": MailPolicy(),
        "code_policy": CodePolicy(),
        "franceconnect": None,
        "key_minimum_age": timedelta(hours=2),
    }
    return Context(**(parts | others))


@cache
def the_signing_keys() -> Path:
    """Make the keys of the use cases of this process, once: one that signs, and the root that `a_context` has."""
    folder = Path(mkdtemp(prefix=f"signing-keys-{os.getpid()}-", dir=shared.shared_folder()))
    (folder / "root.secret").write_bytes(base64.urlsafe_b64encode(bytes(32)))
    (folder / "root.secret").chmod(0o600)
    KeyFolder(folder, None, time.monotonic).initialise(("ES256",), datetime(2026, 1, 1, tzinfo=UTC))
    return folder


@cache
def the_hasher() -> PasswordHasher:
    """Give the hasher of this process: the floor of OWASP, as many at once as there are cores."""
    return PasswordHasher(max_wait=timedelta(seconds=60))


@cache
def the_common_passwords() -> EmbeddedBreachedPasswords:
    """Open the list that the package carries, once a process."""
    return EmbeddedBreachedPasswords()


@cache
def hash_of(password: str) -> str:
    """Hash a password, once a process."""
    return the_hasher().hash(password)


def some_terms(
    context: Context, version: str = TERMS_VERSION, *, effective_at: datetime | None = None
) -> None:
    """Publish a version of the terms, in French and in English."""
    since = effective_at or datetime(2026, 1, 1, tzinfo=UTC)
    publish(context, TermsText(version, "fr", "Conditions d’utilisation", f"Texte {version}.", since))
    publish(context, TermsText(version, "en", "Terms of use", f"Text {version}.", since))


def an_account(
    context: Context,
    email: str = "zoe@example.fr",
    password: str = PASSWORD,
    *,
    language: str = "fr",
    is_generated: bool = False,
    is_locked: bool = False,
    terms_version: str = TERMS_VERSION,
) -> Account:
    """Write an account that was signed in to before, as it stands once its owner has signed up.

    Args:
        context: The parts.
        email: Its address.
        password: Its password.
        language: Its language.
        is_generated: Nobody knows the password.
        is_locked: The administrator locked it.
        terms_version: What it accepted.
    """
    now = context.clock()
    account = Account(
        account_id=new_id(now),
        email=email,
        state=AccountState.LOCKED if is_locked else AccountState.ACTIVE,
        password_is_generated=is_generated,
        language=language,
        terms_version=terms_version,
        created_at=now - timedelta(days=1),
        last_sign_in_at=now - timedelta(days=1),
    )
    with context.database.write() as connection:
        accounts.create(
            connection,
            account=account,
            email_canonical=canonical(email),
            password_hash=hash_of(password),
        )
    return account


def mails(context: Context) -> list[Mail]:
    """Open every mail that waits, the oldest first."""
    # The clock of a test may stand still: rows come in the order in which they were written.
    written: ColumnElement[int] = literal_column("rowid" if context.database.is_sqlite else "ctid")
    statement = (
        select(outbox.c.message_id, outbox.c.payload)
        .where(outbox.c.kind == "mail")
        .order_by(outbox.c.created_at, written)
    )
    with context.database.read() as connection:
        return [opened_mail(context, *row) for row in connection.execute(statement)]


def last_mail(context: Context, to: str | None = None) -> Mail:
    """Open the mail that was queued last.

    Args:
        context: The parts.
        to: Look at the mails to this address only; threads don't write in one order.

    Raises:
        LookupError: There is none.
    """
    waiting = [mail for mail in mails(context) if to in {None, mail.to}]
    if not waiting:
        raise LookupError("no mail waits")
    return waiting[-1]
