"""What is wrong with what a service sent, member by member (PRO-6, PRO-7, CON-3): each fault, not only the first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What is wrong with a member."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    REPEATED = "repeated"
    WRONG_TYPE = "wrong_type"
    MALFORMED = "malformed"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    CONTROL_CHARACTER = "control_character"
    NOT_ONE_OF = "not_one_of"
    NOT_A_MOMENT = "not_a_moment"
    IN_THE_FUTURE = "in_the_future"
    OUT_OF_RANGE = "out_of_range"
    NOT_YOUR_ADDRESS = "not_your_address"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what a service sent: the member, and what."""

    member: str
    problem: Problem
