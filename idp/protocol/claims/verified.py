"""`verified_claims`: who vouches for a claim, by which rules, on what evidence (OIDC IDA 5, 8; FC-6).

What is certified here comes from FranceConnect, which checks it against the civil register. The names of the
answer are those of OpenID Identity Assurance Schema Definition 1.0: the trust framework is eIDAS, because
FranceConnect's levels are, and the evidence is one record of a population register.

A request is a filter: nothing comes out that was not asked for, and a value, a list of values or an age that is
not met takes its element away. None of this is ever an error (OIDC IDA 5.7.4): only a request that can't be read is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from idp.domain.tokens import VerifiedElement
from idp.protocol.claims.syntax import ClaimRequest, ClaimsSyntaxError, claim_name, claim_request
from idp.protocol.claims.values import timestamp

#: The claim itself, in both places of the `claims` parameter and in both answers.
VERIFIED_CLAIMS: Final = "verified_claims"
#: By whose rules identities are verified: eIDAS, with its levels.
TRUST_FRAMEWORK: Final = "eidas"
#: FranceConnect's level of the login that certified, in the words of eIDAS article 8.
ASSURANCE_LEVELS: Final = {"eidas1": "low", "eidas2": "substantial", "eidas3": "high"}
EVIDENCE_TYPE: Final = "electronic_record"
RECORD_TYPE: Final = "population_register"
#: The register that FranceConnect asks, and its country as the schema wants it (ISO 3166-1 alpha-3).
SOURCE: Final = {"name": "RNIPP (Insee)", "country": "France", "country_code": "FRA"}
#: What FranceConnect certifies, and no more: the address and the usage name come from elsewhere (FC-2).
VERIFIABLE_CLAIMS: Final = (
    "family_name",
    "given_name",
    "gender",
    "birthdate",
    "birthplace",
    "birthcountry",
    "place_of_birth",
)
#: A claim that is made of others is asked of the person as those, and of the contract.
PARTS: Final = {"place_of_birth": ("birthplace", "birthcountry")}

#: More elements than there are levels and claims to tell apart are no honest request.
_MOST_ELEMENTS = 10
_PURPOSE_LENGTHS = range(3, 301)
#: What says how a member is asked for; nothing of the answer has these names.
_QUERY = frozenset({"essential", "purpose", "value", "values", "max_age"})
_CONSTRAINTS = frozenset({"value", "values", "max_age"})
#: Members of `verification` that are one text: asked for by null or by an object.
_TEXTS = ("trust_framework", "assurance_level", "time", "verification_process")


class _Left(Enum):
    """Why a member is not in the answer."""

    OUT = "it was not asked for, or is not there"
    UNMET = "a requirement on it is not met: the whole element goes (OIDC IDA 5.7.4)"


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """One element that is asked for, as the syntax allows it.

    Attributes:
        verification: As received.
        claims: How each claim is asked for, by name; those that nobody here can verify included.
    """

    verification: Mapping[str, Any]
    claims: Mapping[str, ClaimRequest]


@dataclass(frozen=True, slots=True)
class Certified:
    """What is certified of a person now.

    Attributes:
        values: Claims on the wire; of certified ones only.
        level: FranceConnect's, of the login that certified them: "eidas1" to "eidas3".
        at: When it did, aware UTC.
    """

    values: Mapping[str, Any]
    level: str
    at: datetime

    @property
    def verification(self) -> dict[str, Any]:
        """Everything that can be said of how it was verified.

        No `verification_process` and no `check_id`: a reference that two services see would join what
        they know of a person whose subjects differ (CON-6).
        """
        return {
            "trust_framework": TRUST_FRAMEWORK,
            "assurance_level": ASSURANCE_LEVELS.get(self.level, ASSURANCE_LEVELS["eidas1"]),
            "time": timestamp(self.at),
            "evidence": [
                {"type": EVIDENCE_TYPE, "record": {"type": RECORD_TYPE, "source": dict(SOURCE)}},
            ],
        }


def parse(asked: object) -> tuple[VerifiedRequest, ...]:
    """Read the `verified_claims` member of one place of the `claims` parameter (OIDC IDA 5.3, 5.6).

    Args:
        asked: An object, or an array of such; what it holds was bounded by `syntax.read_document`.

    Returns:
        The elements in their order, without those that ask for no claim by `"claims": null`.

    Raises:
        ClaimsSyntaxError: No `verification` with a trust framework, no claims, or a member of another form.
    """
    elements = asked if isinstance(asked, list) else [asked]
    if len(elements) > _MOST_ELEMENTS:
        raise ClaimsSyntaxError("too many elements of verified_claims")
    read = [_element(element) for element in elements]
    return tuple(element for element in read if element.claims)


def within(elements: Iterable[VerifiedRequest], contract: frozenset[str]) -> tuple[VerifiedRequest, ...]:
    """Keep of each element the claims that can be verified here and that the contract names (CON-1)."""
    kept = (
        VerifiedRequest(
            element.verification,
            {
                name: asked
                for name, asked in element.claims.items()
                if name in VERIFIABLE_CLAIMS and contract.issuperset(parts_of(name))
            },
        )
        for element in elements
    )
    return tuple(element for element in kept if element.claims)


def granted(elements: Iterable[VerifiedRequest], allowed: frozenset[str]) -> tuple[VerifiedElement, ...]:
    """Keep of each element what the person allowed, with what it demands of the values (CON-2).

    Args:
        elements: As `within` gave them.
        allowed: The claims that the person gives.

    Returns:
        The elements that have a claim left.
    """
    return tuple(
        VerifiedElement(
            dict(element.verification), {name: asked.values for name, asked in element.claims.items()}
        )
        for element in within(elements, allowed)
    )


def parts_of(name: str) -> tuple[str, ...]:
    """Name the claims of the contract that a verified claim is made of: itself, for most."""
    return PARTS.get(name, (name,))


def select(
    elements: Iterable[VerifiedElement], certified: Certified, asked_at: datetime
) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Give the `verified_claims` of an answer: what was asked for and allowed, certified, and as demanded.

    Args:
        elements: As `granted` kept them; each is decided by itself (OIDC IDA 5.6).
        certified: What is known now.
        asked_at: When it was asked for: what `max_age` counts back from (OIDC IDA 5.5.2).

    Returns:
        One element as an object, several as an array; None when none is left: an empty one is no valid
        answer (OIDC IDA 5.7.5).
    """
    found = [answer for element in elements if (answer := _answered(element, certified, asked_at))]
    return found[0] if len(found) == 1 else found or None


def _element(asked: object) -> VerifiedRequest:
    if not isinstance(asked, dict):
        raise ClaimsSyntaxError("verified_claims is neither an object nor an array of such")
    verification = asked.get("verification")
    if not isinstance(verification, dict) or "trust_framework" not in verification:
        raise ClaimsSyntaxError("verified_claims without verification and trust_framework")
    _check_verification(verification)
    if "claims" not in asked:
        raise ClaimsSyntaxError("verified_claims without claims")
    return VerifiedRequest(verification, _claims(asked["claims"]))


def _claims(asked: object) -> dict[str, ClaimRequest]:
    if asked is None:
        return {}
    if not isinstance(asked, dict) or not asked:
        raise ClaimsSyntaxError("claims of verified_claims is not an object with members")
    for request in asked.values():
        _check_query(request)
    return {claim_name(member): claim_request(request) for member, request in asked.items()}


def _check_verification(verification: dict[str, Any]) -> None:
    """Refuse what the request syntax doesn't have; a member that nobody here knows is left alone."""
    for name in _TEXTS:
        if not isinstance(verification.get(name), dict | None):
            raise ClaimsSyntaxError(f"{name} is neither null nor an object")
    if not isinstance(verification.get("assurance_process"), dict | None):
        raise ClaimsSyntaxError("assurance_process is not an object")
    if "evidence" in verification:
        _check_evidence(verification["evidence"])
    _check_query(verification)
    _check_constraints(verification)


def _check_evidence(asked: object) -> None:
    if not isinstance(asked, list) or not asked:
        raise ClaimsSyntaxError("evidence is not an array with members")
    for entry in asked:
        kind = entry.get("type") if isinstance(entry, dict) else None
        # OIDC IDA 5.4: the type "shall" be named by `value`, and `values` "shall not be used" for it.
        if not isinstance(kind, dict) or "value" not in kind or "values" in kind:
            raise ClaimsSyntaxError("evidence without the value of its type")


def _check_query(asked: object) -> None:
    """Check, at every depth, the members that say how something is asked for."""
    if isinstance(asked, list):
        for item in asked:
            _check_query(item)
    if not isinstance(asked, dict):
        return
    if not isinstance(asked.get("essential", False), bool):
        raise ClaimsSyntaxError("essential is not a boolean")
    if not _is_purpose(asked.get("purpose")):
        raise ClaimsSyntaxError("purpose is not a text of 3 to 300 characters")
    if "values" in asked and not (isinstance(asked["values"], list) and asked["values"]):
        raise ClaimsSyntaxError("values is not an array with members")
    if not _is_age(asked.get("max_age", 0)):
        raise ClaimsSyntaxError("max_age is not a number of seconds")
    for name, inner in asked.items():
        if name not in _QUERY:
            _check_query(inner)


def _check_constraints(asked: object) -> None:
    """Check that what is demanded of a member of `verification` is text: they all are."""
    if isinstance(asked, list):
        for item in asked:
            _check_constraints(item)
    if not isinstance(asked, dict):
        return
    if not all(isinstance(value, str) for value in _wanted(asked) or ()):
        raise ClaimsSyntaxError("a value demanded of the verification is not a text")
    for name, inner in asked.items():
        if name not in _QUERY:
            _check_constraints(inner)


def _is_purpose(purpose: object) -> bool:
    return purpose is None or (isinstance(purpose, str) and len(purpose) in _PURPOSE_LENGTHS)


def _is_age(age: object) -> bool:
    return isinstance(age, int | float) and not isinstance(age, bool) and age >= 0


def _answered(element: VerifiedElement, certified: Certified, asked_at: datetime) -> dict[str, Any] | None:
    claims = {
        name: certified.values[name]
        for name, wanted in element.claims.items()
        if name in certified.values and (not wanted or certified.values[name] in wanted)
    }
    verification = _selected(element.verification, certified.verification, asked_at)
    if not claims or not isinstance(verification, dict):
        return None
    return {"verification": verification, "claims": claims}


def _selected(asked: object, held: object, asked_at: datetime) -> Any:  # noqa: ANN401 - any part of a JSON answer
    """Give what is asked of one member of what is held, or say why it is left out."""
    if isinstance(held, list) and isinstance(asked, list):
        return _selected_entries(asked, held, asked_at)
    if isinstance(held, dict):
        return _selected_members(asked, held, asked_at)
    if isinstance(held, str):
        return held if _meets(asked, held, asked_at) else _Left.UNMET
    # Not held at all: what is only asked for is left out, what is demanded is not met.
    return _Left.UNMET if _demands(asked) else _Left.OUT


def _selected_entries(asked: list[Any], held: list[Any], asked_at: datetime) -> Any:  # noqa: ANN401 - as above
    """Filter an array: each entry asked for is a filter and a template, and they are linked by OR (OIDC IDA 5.4)."""
    answers = (
        next(
            (found for template in asked if isinstance(found := _selected(template, entry, asked_at), dict)),
            None,
        )
        for entry in held
    )
    return [found for found in answers if found is not None] or _Left.UNMET


def _selected_members(asked: object, held: dict[str, Any], asked_at: datetime) -> Any:  # noqa: ANN401 - as above
    """Give the members that are asked for one by one: asking for a structure alone asks for nothing in it."""
    if not isinstance(asked, dict):
        return _Left.UNMET if _demands(asked) else _Left.OUT
    if _CONSTRAINTS & asked.keys():
        return _Left.UNMET
    found = {
        name: _selected(inner, held.get(name), asked_at)
        for name, inner in asked.items()
        if name not in _QUERY
    }
    if _Left.UNMET in found.values():
        return _Left.UNMET
    kept = {name: value for name, value in found.items() if value is not _Left.OUT}
    # OIDC IDA 5.7.5: without a member that the schema requires, its parent is left out too.
    return kept if kept and ("type" not in held or "type" in kept) else _Left.OUT


def _meets(asked: object, held: str, asked_at: datetime) -> bool:
    if not isinstance(asked, dict):
        return True
    wanted = _wanted(asked)
    if wanted is not None and held not in wanted:
        return False
    return "max_age" not in asked or _is_young_enough(held, asked["max_age"], asked_at)


def _wanted(asked: Mapping[str, Any]) -> list[Any] | None:
    """Give the values that would do; None for any."""
    return [asked["value"]] if "value" in asked else asked.get("values")


def _is_young_enough(held: str, most: float, asked_at: datetime) -> bool:
    try:
        at = datetime.fromisoformat(held)
        return asked_at - at <= timedelta(seconds=most)
    except (ValueError, TypeError):
        # Not a moment in time: the demand can't be met.
        return False
    except OverflowError:
        # Longer than time itself: every moment is younger.
        return True


def _demands(asked: object) -> bool:
    if isinstance(asked, list):
        return any(_demands(item) for item in asked)
    if not isinstance(asked, dict):
        return False
    return not _CONSTRAINTS.isdisjoint(asked) or any(_demands(inner) for inner in asked.values())
