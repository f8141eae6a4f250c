"""What a password must and must not contain, all at once (PWD-1, PWD-2, PWD-3, PWD-4, PWD-6).

The one definition of the rules: the server calls `broken_rules`, the live list in the page is built
from `to_browser`. It is asked when a password is set, never at login: an account made under older
rules still signs in.

What counts as what is said by Unicode general categories, in NFC, so that Python and JavaScript agree:

- upper case is `Lu` and lower case `Ll` of any script: `Ê` and `ñ` count, being letters that PWD-2
  does not list;
- a digit is `Nd` of any script: a resident who types Arabic-Indic digits has typed digits. `²` and `½`
  are not `Nd`;
- special is whatever is neither letter (`L`), mark (`M`), digit (`Nd`), white space (`Z`) nor control
  (`C`): `€`, `²` and emoji are special;
- a refused character counts for nothing, so that who takes it out learns no new rule afterwards.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

#: PWD-2: the list of the terms of use, in its order, then the typographic apostrophe.
REFUSED_CHARACTERS = tuple("&é\"'èçà~\\ù<>µ£¤§\N{RIGHT SINGLE QUOTATION MARK}")

#: PWD-4: no setting goes beyond; what is longer is never hashed, neither when a password is set nor at login.
MAX_LENGTH = 128
MAX_BYTES = 1024

#: The characters of each class that the terms of use leave to ASCII: A-Z, a-z, 0-9, special.
ASCII_CLASS_SIZES = (26, 26, 10, 25)

#: CNIL, délibération 2022-100: what is enough with throttled access, and without.
BITS_WHEN_THROTTLED = 50
BITS_ALONE = 80

_SHORTEST_MINIMUM = 8
_SHORTEST_MAXIMUM = 64
_SHORTEST_PART = 3
_SHORTEST_SUBSTRING = 4
# What NFKD leaves whole though people take it for two letters, or for one without its stroke.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_NOT_LETTER = re.compile(r"[\W\d_]+")


class BrokenRuleKind(StrEnum):
    """What is wrong with a password, in the order in which it is told; the texts are in the templates."""

    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NO_UPPERCASE = "no_uppercase"
    NO_LOWERCASE = "no_lowercase"
    NO_DIGIT = "no_digit"
    NO_SPECIAL = "no_special"
    REFUSED_CHARACTERS = "refused_characters"
    CONTROL_CHARACTERS = "control_characters"
    PERSONAL = "personal"
    CONTEXT = "context"
    COMMON = "common"


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """One rule that a password breaks.

    Attributes:
        kind: Which one.
        characters: The refused characters found, each once, in the order of the list; control
            characters as code points ("U+0009"), since they can't be shown. Empty for other rules.
    """

    kind: BrokenRuleKind
    characters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """The rules that may be set in `config.toml`.

    Attributes:
        min_length: Shortest password, in code points after NFC (PWD-1).
        max_length: Longest one (PWD-4).
        recommended_length: What the page advises; 13 characters of this alphabet make 80 bits (PWD-6).
        refused_characters: Refused anywhere (PWD-2).
        composition: Whether upper case, lower case, digit and special are required (PWD-1). The terms of use
            say so; NIST SP 800-63B and ASVS 6.2.5 advise against, so that it is a switch.
        context_words: Words refused inside a password, such as the name of the city's account (PWD-6).
        refuse_personal: Whether the person's own address and names are refused inside (PWD-6).
        refuse_common: Whether common and breached passwords are refused (PWD-6).
    """

    min_length: int = 8
    max_length: int = MAX_LENGTH
    recommended_length: int = 13
    refused_characters: tuple[str, ...] = REFUSED_CHARACTERS
    composition: bool = True
    context_words: tuple[str, ...] = ("monparis",)
    refuse_personal: bool = True
    refuse_common: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that break the terms of use or that nobody could satisfy.

        Raises:
            ValueError: Names the setting.
        """
        if not _SHORTEST_MINIMUM <= self.min_length <= self.recommended_length <= self.max_length:
            raise ValueError("8 <= min_length <= recommended_length <= max_length does not hold")
        if not _SHORTEST_MAXIMUM <= self.max_length <= MAX_LENGTH:
            raise ValueError("max_length must be between 64 and 128")
        if any(len(normalise(character)) != 1 for character in self.refused_characters):
            raise ValueError("refused_characters must be single characters")


class StrengthLevel(StrEnum):
    """What the meter says (PWD-6)."""

    WEAK = "weak"
    MEDIUM = "medium"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Strength:
    """An estimate of how many guesses a password takes.

    Attributes:
        level: Weak, medium or strong.
        bits: Base-2 logarithm of the guesses; an upper bound, exact for random passwords only.
    """

    level: StrengthLevel
    bits: float


# ANSSI calls less than 64 bits weak; 80 is what the CNIL asks of a password that nothing else protects.
_MEDIUM_BITS = 64
_STRONG_BITS = BITS_ALONE


def normalise(password: str) -> str:
    """Give the form that is checked and hashed: NFC, and nothing else (PWD-4).

    Never trimmed, case-folded, cut or brought to NFKC: two passwords that look different stay different.
    """
    return unicodedata.normalize("NFC", password)


def is_too_long(password: str, *, max_length: int = MAX_LENGTH) -> bool:
    """Tell whether a password is over the limit, doing no more work than the limit allows (PWD-4)."""
    # Each code point takes a byte at least: a body of 10 MB is neither encoded nor normalised.
    return (
        len(password) > MAX_BYTES
        or len(password.encode(errors="surrogatepass")) > MAX_BYTES
        or len(normalise(password)) > max_length
    )


def broken_rules(
    password: str,
    *,
    policy: PasswordPolicy,
    personal: tuple[str, ...] = (),
    is_common: Callable[[str], bool],
) -> tuple[BrokenRule, ...]:
    """Name every rule the password breaks, all at once (PWD-3).

    Args:
        password: As typed; compared in NFC, as it will be hashed.
        policy: The rules in force.
        personal: What is known of the person: e-mail addresses, names; empty texts are skipped.
        is_common: Whether a password is on the list of common and breached ones.

    Returns:
        The broken rules in the order of `BrokenRuleKind`; empty when the password is acceptable. Over the
        length limit nothing else is looked at.
    """
    if is_too_long(password, max_length=policy.max_length):
        return (BrokenRule(BrokenRuleKind.TOO_LONG),)
    checked = normalise(password)
    return (
        *_length_rules(checked, policy),
        *_composition_rules(checked, policy),
        *_character_rules(checked, policy),
        *_content_rules(checked, policy, personal, is_common),
    )


def to_browser(policy: PasswordPolicy) -> dict[str, object]:
    """Give the page what its live list needs, as plain JSON values (PWD-3).

    `classes` holds one JavaScript pattern for each class of PWD-1, to be used with the `u` flag on the
    password in NFC once the refused characters are taken out; `strength` the numbers of `strength()`.
    The page can't tell what is common or personal: the server does, at submit.
    """
    return {
        "min_length": policy.min_length,
        "max_length": policy.max_length,
        "recommended_length": policy.recommended_length,
        "refused": list(policy.refused_characters),
        "control": r"[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]",
        "classes": {
            BrokenRuleKind.NO_UPPERCASE: r"\p{Lu}",
            BrokenRuleKind.NO_LOWERCASE: r"\p{Ll}",
            BrokenRuleKind.NO_DIGIT: r"\p{Nd}",
            BrokenRuleKind.NO_SPECIAL: r"[^\p{L}\p{M}\p{Nd}\p{Z}\p{C}]",
        }
        if policy.composition
        else {},
        "strength": {
            "class_sizes": list(ASCII_CLASS_SIZES),
            "medium_bits": _MEDIUM_BITS,
            "strong_bits": _STRONG_BITS,
        },
    }


def strength(password: str) -> Strength:
    """Estimate how many guesses a password takes (PWD-6).

    The alphabet is the sum of the classes in use: 26, 26, 10, 25, and 1 for all the rest together. A
    character adds nothing when it repeats or follows the one before (`aa`, `ab`, `21`), or when the
    pair was seen already. Thirteen random characters of the four classes make 83.8 bits, which is
    strong; twelve make 77.3, which is medium.
    """
    if is_too_long(password):
        return Strength(StrengthLevel.WEAK, 0.0)
    checked = normalise(password)
    classes = {_class_of(character) for character in checked}
    alphabet = sum((*ASCII_CLASS_SIZES, 1)[index] for index in classes)
    bits = _telling_characters(checked) * math.log2(alphabet) if checked else 0.0
    if bits >= _STRONG_BITS:
        return Strength(StrengthLevel.STRONG, bits)
    return Strength(StrengthLevel.MEDIUM if bits >= _MEDIUM_BITS else StrengthLevel.WEAK, bits)


def policy_bits(length: int, *, composition: bool = True) -> float:
    """Give the bits of the space of passwords of one length, exactly, by inclusion and exclusion.

    Counts what can be typed in ASCII without a refused character; with `composition`, only what has
    all four classes.

    Args:
        length: Number of characters.
        composition: Whether the four classes of PWD-1 are required.
    """
    alphabet = sum(ASCII_CLASS_SIZES)
    absent_classes = range(len(ASCII_CLASS_SIZES) + 1) if composition else range(1)
    count = sum(
        (-1) ** absent * (alphabet - sum(sizes)) ** length
        for absent in absent_classes
        for sizes in combinations(ASCII_CLASS_SIZES, absent)
    )
    return math.log2(count) if count > 0 else 0.0


def require_enough_bits(policy: PasswordPolicy, *, throttled: bool) -> None:
    """Refuse to start with a shortest password that the CNIL finds too short.

    Args:
        policy: The rules in force.
        throttled: Whether logins are throttled (LOG-2); without it 8 characters are far from enough.

    Raises:
        ValueError: Says how many bits there are, and how many are asked for.
    """
    bits = policy_bits(policy.min_length, composition=policy.composition)
    asked = BITS_WHEN_THROTTLED if throttled else BITS_ALONE
    if bits < asked:
        raise ValueError(
            f"passwords of {policy.min_length} characters have {bits:.2f} bits; {asked} are needed "
            f"{'with' if throttled else 'without'} throttling (CNIL 2022-100)"
        )


def _length_rules(checked: str, policy: PasswordPolicy) -> Iterator[BrokenRule]:
    if len(checked) < policy.min_length:
        yield BrokenRule(BrokenRuleKind.TOO_SHORT)


_CLASS_KINDS = (
    BrokenRuleKind.NO_UPPERCASE,
    BrokenRuleKind.NO_LOWERCASE,
    BrokenRuleKind.NO_DIGIT,
    BrokenRuleKind.NO_SPECIAL,
)


def _composition_rules(checked: str, policy: PasswordPolicy) -> Iterator[BrokenRule]:
    if not policy.composition:
        return
    refused = _refused(policy)
    present = {_class_of(character) for character in checked if character not in refused}
    for index, kind in enumerate(_CLASS_KINDS):
        if index not in present:
            yield BrokenRule(kind)


def _class_of(character: str) -> int:
    """Give the index of a character's class in `ASCII_CLASS_SIZES`; one more for none of them."""
    category = unicodedata.category(character)
    if category in ("Lu", "Ll", "Nd"):
        return ("Lu", "Ll", "Nd").index(category)
    return 4 if category[0] in "LMZC" else 3


def _character_rules(checked: str, policy: PasswordPolicy) -> Iterator[BrokenRule]:
    found = tuple(character for character in _refused(policy) if character in checked)
    if found:
        yield BrokenRule(BrokenRuleKind.REFUSED_CHARACTERS, found)
    controls = tuple(
        f"U+{ord(character):04X}" for character in dict.fromkeys(checked) if _is_control(character)
    )
    if controls:
        yield BrokenRule(BrokenRuleKind.CONTROL_CHARACTERS, controls)


def _refused(policy: PasswordPolicy) -> dict[str, None]:
    return dict.fromkeys(normalise(character) for character in policy.refused_characters)


def _is_control(character: str) -> bool:
    # Lone surrogates are in no UTF-8 text, and line separators can't be typed in the field. Format characters
    # (Cf) stay: they hold emoji and some scripts together.
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _content_rules(
    checked: str,
    policy: PasswordPolicy,
    personal: tuple[str, ...],
    is_common: Callable[[str], bool],
) -> Iterator[BrokenRule]:
    if policy.refuse_personal and _contains_any(checked, personal):
        yield BrokenRule(BrokenRuleKind.PERSONAL)
    if _contains_any(checked, policy.context_words):
        yield BrokenRule(BrokenRuleKind.CONTEXT)
    if policy.refuse_common and is_common(checked):
        yield BrokenRule(BrokenRuleKind.COMMON)


def _contains_any(checked: str, texts: tuple[str, ...]) -> bool:
    """Tell whether a password holds one of the texts or a part of one, whatever the case and the accents.

    Three letters count when they stand alone: "Lea" in "Lea!2024", not in "Release". From four on, anywhere.
    """
    plain = _plain(checked)
    words = frozenset(_NOT_LETTER.split(plain))
    return any(
        part in plain if len(part) >= _SHORTEST_SUBSTRING else part in words
        for text in texts
        for part in _parts(_plain(text))
    )


def _parts(text: str) -> Iterator[str]:
    """List what is searched for: the text, the local part when it is an address, and the words in it.

    The domain of an address is left out: nobody's password should be refused for containing "orange".
    """
    local = text.rpartition("@")[0] or text
    for part in {text, local, *_NOT_ALPHANUMERIC.split(local)}:
        if len(part) >= _SHORTEST_PART:
            yield part


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return letters.casefold().translate(_PLAIN_LETTERS)


def _telling_characters(checked: str) -> int:
    seen: set[tuple[str, str]] = set()
    telling = 1
    for pair in pairwise(checked):
        if abs(ord(pair[1]) - ord(pair[0])) > 1 and pair not in seen:
            telling += 1
        seen.add(pair)
    return telling
