"""`EmailAddress`: the address as typed, where mail goes, and the canonical form by which it is found (ACC-5).

Two addresses are one account exactly when their canonical forms are equal. The form must join what one
mailbox's owner may type in several ways, and must never join two mailboxes:

- the domain is lower-cased and written in its ASCII form (A-labels, RFC 5891), so that `café.fr` and
  `xn--caf-dma.fr` are one. Python's `idna` codec is not used: it is IDNA 2003, which turns `ß` into
  `ss`, another domain;
- the local part is brought to NFC and lower-cased one character at a time. Not case-folded, not NFKC:
  these turn `ß` into `ss`, the ligature `ﬀ` into `ff` and full-width letters into ASCII, each of which
  is another mailbox. A dotless i and a Cyrillic letter stay what they are;
- nothing is removed: dots and `+tags` mean what the mailbox's own server says they mean.

Whoever looks up by the canonical form sends mail to the stored `typed` address, never to what was
typed in a form: that is what made an address with a dotless i receive the link of its twin elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_MAX_ADDRESS_OCTETS = 254
_MAX_LOCAL_OCTETS = 64
_MAX_DOMAIN_LENGTH = 253
_MAX_LABEL_LENGTH = 63
_ACE_PREFIX = "xn--"

# RFC 5322 section 3.2.3, `atext`; the quoted form is refused: nobody has one, parsers disagree on it.
_ASCII_ATEXT = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")
_ASCII_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address that `parse` accepted.

    Attributes:
        typed: As its owner wrote it, in NFC; stored, shown, and the only place mail is sent to.
        canonical: What is compared and unique; never a destination.
    """

    typed: str
    canonical: str

    def __str__(self) -> str:
        """Give the address that mail is sent to."""
        return self.typed


def parse(address: str, *, allow_localhost: bool = False) -> EmailAddress | None:
    """Read an address; None for whatever is not plainly one.

    Refused: white space, controls (so no header can be injected), quoted local parts, comments,
    several `@`, IP literals and numeric hosts, more than 254 octets, a domain without a dot.

    Args:
        address: As received; the form has already trimmed it.
        allow_localhost: Accept `name@localhost`, for the demonstration and tests.
    """
    if len(address) > _MAX_ADDRESS_OCTETS:
        return None
    typed = unicodedata.normalize("NFC", address)
    local, at, domain = typed.rpartition("@")
    ascii_domain = _ascii_domain(domain)
    if not at or ascii_domain is None or not _is_local_part(local):
        return None
    if not _is_host(ascii_domain, allow_localhost=allow_localhost):
        return None
    found_by = f"{_lowered(local)}@{ascii_domain}"
    if max(len(typed.encode()), len(found_by.encode())) > _MAX_ADDRESS_OCTETS:
        return None
    return EmailAddress(typed, found_by)


class EmailFault(StrEnum):
    """Why `parse` refuses an address; the texts are in `templates/messages.html`, under the same names."""

    MISSING = "email_missing"
    TOO_LONG = "email_too_long"
    MALFORMED = "email_malformed"


def fault(address: str) -> EmailFault:
    """Say what is wrong with an address that `parse` refuses."""
    if not address:
        return EmailFault.MISSING
    return EmailFault.TOO_LONG if len(address) > _MAX_ADDRESS_OCTETS else EmailFault.MALFORMED


def canonical(address: str) -> str:
    """Give the form by which an address is found; total, so that a sign-in form needs no other check.

    Args:
        address: Anything a person may type. What is no address comes out lower-cased, and matches no account.
    """
    if len(address) > _MAX_ADDRESS_OCTETS:
        # Nobody's address; and Punycode takes quadratic time.
        return _lowered(address)
    local, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    return f"{_lowered(local)}{at}{_ascii_domain(domain) or _lowered(domain)}"


def masked(address: str) -> str:
    """Write an address so that its owner knows it again, and who looks over their shoulder learns little of it."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••{at}{domain}"


def _lowered(text: str) -> str:
    # One character at a time: str.lower() looks at the neighbours of a Greek
    # sigma, so that two spellings of one word would differ.
    lowered = "".join(character.lower() for character in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", lowered)


def _is_local_part(local: str) -> bool:
    if not 0 < len(local.encode(errors="replace")) <= _MAX_LOCAL_OCTETS:
        return False
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return False
    return all(_is_local_character(character) for character in local)


def _is_local_character(character: str) -> bool:
    if character.isascii():
        return _ASCII_ATEXT.fullmatch(character) is not None
    # RFC 6531 would take any UTF-8: letters, marks and digits are what people have, and nothing invisible.
    return unicodedata.category(character)[0] in "LMN"


def _ascii_domain(domain: str) -> str | None:
    labels = [_ascii_label(label) for label in _lowered(domain).split(".")]
    named = [label for label in labels if label is not None]
    return ".".join(named) if len(named) == len(labels) else None


def _ascii_label(label: str) -> str | None:
    if label.startswith(_ACE_PREFIX):
        return _checked_ace_label(label)
    if label.isascii():
        # RFC 5891 section 4.2.3.1: "--" in the third and fourth places belongs to A-labels.
        return label if _ASCII_LABEL.fullmatch(label) and label[2:4] != "--" else None
    if len(label) > _MAX_LABEL_LENGTH or not _is_unicode_label(label):
        return None
    return _ACE_PREFIX + label.encode("punycode").decode()


def _checked_ace_label(label: str) -> str | None:
    try:
        decoded = label.removeprefix(_ACE_PREFIX).encode("ascii").decode("punycode")
    except UnicodeError:
        return None
    # Two spellings of one domain would be two accounts: only the spelling we would write ourselves is taken.
    if decoded.isascii() or decoded != _lowered(decoded) or not _is_unicode_label(decoded):
        return None
    return label if _ACE_PREFIX + decoded.encode("punycode").decode() == label else None


def _is_unicode_label(label: str) -> bool:
    # RFC 5892 section 2.2: what NFKC would change (ligatures, full-width letters) is in no domain name.
    if _lowered(unicodedata.normalize("NFKC", label)) != label:
        return False
    if label.startswith("-") or label.endswith("-") or unicodedata.category(label[0])[0] == "M":
        return False
    return all(
        character == "-" or unicodedata.category(character) in _LABEL_CATEGORIES for character in label
    )


#: RFC 5892 section 2.1, LetterDigits; upper case is gone by then.
_LABEL_CATEGORIES = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})


def _is_host(domain: str, *, allow_localhost: bool) -> bool:
    if domain == "localhost":
        return allow_localhost
    labels = domain.split(".")
    return (
        len(domain) <= _MAX_DOMAIN_LENGTH
        and len(labels) > 1
        and all(len(label) <= _MAX_LABEL_LENGTH for label in labels)
        and not labels[-1].isdigit()
    )
