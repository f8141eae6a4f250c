"""Opens an account by hand: the address is proven first, then the rest is asked for (ACC-1, ACC-3, ACC-4, ACC-5).

A sign-up is a row that one browser holds by a secret, its handle. Nothing exists under the address before its
proof: neither account nor session. Whether the address has an account already shows nowhere but in its mailbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_id, new_secret
from idp.domain import civil_identity, declared_identity
from idp.domain.account import Account, AccountState
from idp.domain.authentication import Authentication
from idp.domain.errors import RuleRefused, ThrottledUntil
from idp.domain.events import AccountCreated
from idp.domain.password_policy import broken_rules
from idp.services.account import mailed_code
from idp.services.account.mailed_code import MailsExhausted, Proof, Resent
from idp.services.audit import record
from idp.services.authorization import terms
from idp.services.messages import Mail
from idp.services.sign_in import throttling
from idp.services.sign_in.arrival import arrive
from idp.storage.repositories import accounts, attributes, email_changes, signups
from idp.storage.repositories.signups import Signup

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.declared_identity import IdentityFault
    from idp.domain.email_address import EmailAddress
    from idp.domain.password_policy import BrokenRule
    from idp.domain.terms import TermsVersion
    from idp.services.account.mailed_code import CodeExhausted, CodeExpired, WrongCode
    from idp.services.context import Context
    from idp.services.sign_in.arrival import Arrived, Visit
    from idp.storage.engine import Connection

#: What a name may be at most, for the page to say.
LONGEST_NAME = civil_identity.LONGEST_NAME
_SEALED_FOR = "signup:"
_PURPOSE = "signup"


@dataclass(frozen=True, slots=True)
class Begun:
    """A mail is on its way; the browser keeps the handle."""

    handle: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many sign-ups from this network."""

    until: datetime


@dataclass(frozen=True, slots=True)
class WaitingSignup:
    """A sign-up as its browser sees it."""

    email: str
    pending_id: str | None
    is_proven: bool
    by_franceconnect: bool


@dataclass(frozen=True, slots=True)
class ProvenSignup:
    """A sign-up whose address is proven.

    Attributes:
        email: As typed; mail goes there.
        email_canonical: The form by which the account will be found.
        language: Of its mails.
        pending_id: The authorization request it began in.
        franceconnect: What `begin` was given, in clear again.
    """

    email: str
    email_canonical: str
    language: str
    pending_id: str | None
    franceconnect: str | None


@dataclass(frozen=True, slots=True)
class Proven:
    """The code was right: this try proved the address."""

    signup: ProvenSignup


@dataclass(frozen=True, slots=True)
class AlreadyProven:
    """The address is proven already, as after a double click: the browser goes on."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such sign-up in this browser, or it is over."""


@dataclass(frozen=True, slots=True)
class ProvenByLink:
    """The link was good: the browser that followed it holds the sign-up by a new handle."""

    handle: str
    signup: ProvenSignup


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the second page asks for, as typed.

    Attributes:
        password: The new password.
        identity: Values by wire name: `declared_identity.FIELDS`.
        accepts_terms: The box is ticked.
        terms_version: The version that the page showed; None when it does not say.
    """

    password: str
    identity: Mapping[str, str]
    accepts_terms: bool
    terms_version: str | None = None


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something is to be corrected; nothing was created (ACC-3).

    Attributes:
        password: Every rule that the password breaks.
        identity: What is wrong with each field.
        terms: "terms_required" or "terms_required_again"; None when they are accepted.
    """

    password: tuple[BrokenRule, ...]
    identity: Mapping[str, IdentityFault]
    terms: str | None


@dataclass(frozen=True, slots=True)
class AddressTaken:
    """The address, which this person has proven, got an account meanwhile: they sign in to it."""


def begin(
    context: Context,
    email: EmailAddress,
    *,
    browser_hash: bytes,
    address: str,
    language: str,
    pending_id: str | None = None,
    service_name: str | None = None,
    franceconnect: str | None = None,
) -> Begun | Throttled:
    """Send a code and a link to an address, or tell its owner that somebody tried; the work is the same.

    Args:
        context: The parts.
        email: The address to prove.
        browser_hash: The browser that may type the code.
        address: The visitor's IP address; empty when it can't be told.
        language: Of the mail.
        pending_id: The authorization request that waits.
        service_name: Who sent it, for the mail.
        franceconnect: What the end of a sign-up through FranceConnect needs; sealed at rest.
    """
    now = context.clock()
    handle = new_secret(SecretKind.SIGNUP)
    sealed = None if franceconnect is None else _sealed(context, email.canonical, franceconnect)
    with context.database.write() as connection:
        allowed = throttling.count(
            context, connection, throttling.signup_brakes(context, address=address), now
        )
        if isinstance(allowed, ThrottledUntil):
            return Throttled(allowed.when)
        refused = mailed_code.may_send(context, connection, email.canonical, now)
        signup = Signup(email.typed, email.canonical, language, pending_id, now, 0, None, sealed)
        proof = _proof(context, signup, digest(handle), service_name)
        secrets = mailed_code.send(context, connection, proof, is_wanted=refused is None)
        signups.create(
            connection,
            signup,
            secrets,
            signup_hash=digest(handle),
            browser_hash=browser_hash,
            now=now,
            expires_at=now + mailed_code.LINK_LIFETIME,
        )
    return Begun(handle)


def waiting(context: Context, handle: str | None, browser_hash: bytes) -> WaitingSignup | None:
    """Find the sign-up that a browser holds; None when there is none, or it is over."""
    signup = _find(context, handle, browser_hash)
    if signup is None:
        return None
    return WaitingSignup(
        signup.email, signup.pending_id, signup.proven_at is not None, signup.franceconnect is not None
    )


def resend(
    context: Context, handle: str | None, browser_hash: bytes, *, service_name: str | None = None
) -> Resent | MailsExhausted | AlreadyProven | Gone:
    """Send another code and link; those of the mail before end (ACC-4)."""
    now = context.clock()
    if handle is None or not is_well_formed(SecretKind.SIGNUP, handle):
        return Gone()
    signup_hash = digest(handle)
    with context.database.write() as connection:
        signup = signups.find(connection, signup_hash, browser_hash, now)
        if signup is None:
            return Gone()
        if signup.proven_at is not None:
            return AlreadyProven()
        refused = mailed_code.may_send(context, connection, signup.email_canonical, now)
        if refused is not None:
            return MailsExhausted(refused.when)
        proof = _proof(context, signup, signup_hash, service_name)
        secrets = mailed_code.send(context, connection, proof, is_wanted=True)
        signups.renew(connection, signup_hash, browser_hash, secrets, now)
    return Resent()


def prove_by_code(
    context: Context, handle: str | None, browser_hash: bytes, code: str
) -> Proven | AlreadyProven | WrongCode | CodeExpired | CodeExhausted | Gone:
    """Compare a typed code, in the browser that asked for it and no other.

    Args:
        context: The parts.
        handle: As the browser sent it.
        browser_hash: The browser.
        code: Six digits.
    """
    if handle is None or not is_well_formed(SecretKind.SIGNUP, handle):
        return Gone()
    now, signup_hash, most = context.clock(), digest(handle), context.code_policy.tries
    code_hash = mailed_code.code_hash(context, _PURPOSE, signup_hash.hex(), code)
    with context.database.write() as connection:
        tried = signups.try_code(connection, signup_hash, browser_hash, code_hash, most_tries=most, now=now)
        if tried is None:
            return _why_not_tried(signups.find(connection, signup_hash, browser_hash, now), now)
    if tried.proven_at is not None:
        return Proven(_proven(context, tried))
    return mailed_code.refused(context, tried.tries)


def address_of_link(context: Context, token: str | None) -> str | None:
    """Tell which address a link would prove; nothing changes, for programs that read mail follow links (S-272)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    with context.database.read() as connection:
        signup = signups.by_link(connection, digest(token), context.clock())
    return None if signup is None else signup.email


def prove_by_link(context: Context, token: str | None, browser_hash: bytes) -> ProvenByLink | Gone:
    """Use up a link, for the browser that followed it and no other: who merely began gains nothing (ACC-5)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return Gone()
    handle = new_secret(SecretKind.SIGNUP)
    with context.database.write() as connection:
        signup = signups.prove_by_link(
            connection,
            digest(token),
            new_signup_hash=digest(handle),
            browser_hash=browser_hash,
            now=context.clock(),
        )
    return Gone() if signup is None else ProvenByLink(handle, _proven(context, signup))


def proven(context: Context, handle: str | None, browser_hash: bytes) -> ProvenSignup | None:
    """Find the sign-up of a browser whose address is proven; None when there is none."""
    signup = _find(context, handle, browser_hash)
    return None if signup is None or signup.proven_at is None else _proven(context, signup)


def consume(
    context: Context, connection: Connection, handle: str, browser_hash: bytes
) -> ProvenSignup | None:
    """Use up a proven sign-up in the transaction that opens its account; one caller at most gets it."""
    signup = signups.consume(connection, digest(handle), browser_hash, context.clock())
    return None if signup is None else _proven(context, signup)


def complete(
    context: Context,
    handle: str | None,
    browser_hash: bytes,
    details: Details,
    *,
    language: str,
    visit: Visit,
) -> Arrived | Incomplete | AddressTaken | Gone:
    """Open the account and sign its owner in: all of it in one transaction, or nothing (ACC-3, ACC-4).

    Args:
        context: The parts.
        handle: As the browser sent it.
        browser_hash: The browser.
        details: What the page asked for.
        language: Of the page: the account's, and that of the terms that were read.
        visit: The browser; its pending request is the one that the sign-up began in.

    Raises:
        NoTermsInForceError: There is nothing to accept.
    """
    known = proven(context, handle, browser_hash)
    if handle is None or known is None:
        return Gone()
    current = terms.in_force(context, language)
    incomplete = _check(context, known, details, current)
    if incomplete is not None:
        return incomplete
    password_hash = context.passwords.hash(details.password)
    now = context.clock()
    with context.database.write() as connection:
        used = consume(context, connection, handle, browser_hash)
        if used is None:
            return Gone()
        account = create_account(
            context,
            connection,
            used,
            password_hash=password_hash,
            password_is_generated=False,
            language=language,
            accepted=current,
            way="email",
        )
        if account is None:
            return AddressTaken()
        _declare(connection, account.account_id, details.identity, now)
        arrived = arrive(
            context,
            connection,
            account,
            Authentication.by_password(now),
            replace(visit, pending_id=used.pending_id),
        )
        accounts.record_sign_in(connection, account.account_id, now)
    return arrived


def create_account(
    context: Context,
    connection: Connection,
    signup: ProvenSignup,
    *,
    password_hash: str,
    password_is_generated: bool,
    language: str,
    accepted: TermsVersion,
    way: str,
) -> Account | None:
    """Write a new account with the proof that the terms are accepted, in one transaction (ACC-3).

    Args:
        context: The parts.
        connection: The transaction that `consume` ran in.
        signup: What `consume` gave.
        password_hash: Of the password typed, or of a generated one (PWD-7).
        password_is_generated: Nobody knows it.
        language: The account's.
        accepted: The version of the terms that was accepted.
        way: "email" or "franceconnect", for the trail.

    Returns:
        The account; None when the address has one already: the unique constraint decides (ACC-5).
    """
    now = context.clock()
    account = Account(
        account_id=new_id(now),
        email=signup.email,
        state=AccountState.ACTIVE,
        password_is_generated=password_is_generated,
        language=language,
        terms_version=accepted.version,
        created_at=now,
    )
    is_new = accounts.create(
        connection, account=account, email_canonical=signup.email_canonical, password_hash=password_hash
    )
    # Whatever else waits for this address ends with its owner's arrival (ACC-5).
    signups.remove_of_address(connection, signup.email_canonical)
    email_changes.remove_open_of_address(connection, signup.email_canonical)
    if not is_new:
        return None
    record(connection, AccountCreated(way), now, account_id=account.account_id)
    terms.accept_within(context, connection, account.account_id, accepted, channel="sign_up")
    return account


def terms_fault(*, accepts: bool, shown_version: str | None, current: TermsVersion) -> str | None:
    """Tell why the terms are not accepted: no tick, or the tick was under another version than the one in force."""
    if not accepts:
        return "terms_required"
    if shown_version is not None and shown_version != current.version:
        return "terms_required_again"
    return None


def _check(
    context: Context, known: ProvenSignup, details: Details, current: TermsVersion
) -> Incomplete | None:
    names = [details.identity.get(name, "") for name in ("given_name", "family_name", "preferred_username")]
    password = broken_rules(
        details.password,
        policy=context.password_policy,
        personal=(known.email, *names),
        is_common=context.breached_passwords.is_common,
    )
    identity = declared_identity.faults(details.identity, today=context.clock().date())
    fault = terms_fault(accepts=details.accepts_terms, shown_version=details.terms_version, current=current)
    return Incomplete(password, identity, fault) if password or identity or fault else None


def _declare(connection: Connection, account_id: str, identity: Mapping[str, str], now: datetime) -> None:
    typed = {name: identity.get(name, "") for name in declared_identity.FIELDS}
    declared = civil_identity.apply_declared({}, typed, now)
    changes = civil_identity.differences({}, declared)
    guarded = attributes.apply_changes(connection, account_id, changes, changed_by="person", now=now)
    if guarded is not None:
        raise RuleRefused("FC-6", guarded)


def _find(context: Context, handle: str | None, browser_hash: bytes) -> Signup | None:
    if handle is None or not is_well_formed(SecretKind.SIGNUP, handle):
        return None
    with context.database.read() as connection:
        return signups.find(connection, digest(handle), browser_hash, context.clock())


def _proof(context: Context, signup: Signup, signup_hash: bytes, service_name: str | None) -> Proof:
    return Proof(
        canonical=signup.email_canonical,
        purpose=_PURPOSE,
        row=signup_hash.hex(),
        mail=lambda code, link: _proof_mail(context, signup, code, link, service_name),
        owner_mail=lambda owner: _owner_mail(context, owner, signup, service_name),
    )


def _proof_mail(context: Context, signup: Signup, code: str, link: str, service_name: str | None) -> Mail:
    variables = mailed_code.in_mail(context, code) | {
        "link": f"{context.issuer}/sign-up/link?{urlencode({'token': link})}",
        "service_name": service_name,
    }
    return Mail(signup.email, "signup_code", signup.language, variables)


def _owner_mail(context: Context, owner: Account, signup: Signup, service_name: str | None) -> Mail:
    variables = mailed_code.in_owner_mail(context)
    if signup.franceconnect is not None:
        return Mail(owner.email, "email_existing_franceconnect", owner.language, variables)
    variables["service_name"] = service_name
    # To the stored address, never to the one typed (S-267).
    return Mail(owner.email, "signup_existing_account", owner.language, variables)


def _why_not_tried(
    signup: Signup | None, now: datetime
) -> AlreadyProven | CodeExpired | CodeExhausted | Gone:
    if signup is None:
        return Gone()
    if signup.proven_at is not None:
        return AlreadyProven()
    return mailed_code.not_tried(signup.code_expires_at, now)


def _proven(context: Context, signup: Signup) -> ProvenSignup:
    sealed = signup.franceconnect
    bound_to = _SEALED_FOR + signup.email_canonical
    plain = None if sealed is None else context.sealer.unseal(sealed, bound_to=bound_to).decode()
    return ProvenSignup(signup.email, signup.email_canonical, signup.language, signup.pending_id, plain)


def _sealed(context: Context, canonical: str, franceconnect: str) -> str:
    return context.sealer.seal(franceconnect.encode(), bound_to=_SEALED_FOR + canonical)
