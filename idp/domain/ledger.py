"""The ledger of proofs: who agreed to what, in which words, when, how (CON-5, CGU-3; RGPD article 7.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Matter(StrEnum):
    """What an entry is about."""

    TERMS = "terms"
    CONSENT = "consent"
    PURPOSE = "purpose"
    PERMISSION = "permission"
    ERASURE = "erasure"


class Act(StrEnum):
    """What was done."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Document:
    """What the act refers to: a version of the terms, of a service's policy, of a purpose.

    Attributes:
        name: "terms", or the name of the purpose, or "policy".
        version: Its version.
        reference: Where it can be read; None when it has no address.
    """

    name: str
    version: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, as it is written; the ledger adds its place, its moment and its link.

    Attributes:
        matter: What it is about.
        act: What was done.
        account_id: Whose act; for a permission, the child's.
        subject: How the service knows the person, or how we name them towards themselves in receipts.
        client_id: Which service; None for the terms.
        document: What it refers to.
        words: The exact words that were shown, without a value of the person; kept once, by their hash.
        language: Of those words.
        channel: Where: "sign_up", "sign_in", "consent", "account", "api", "mail", "administrator" or "system".
        details: What else proves it: scopes, claims and refused claims by name, the answer to a purpose.
    """

    matter: Matter
    act: Act
    account_id: str
    subject: str
    client_id: str | None
    document: Document
    words: str
    language: str
    channel: str
    details: dict[str, Any] = field(default_factory=dict)
