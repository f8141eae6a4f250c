"""What a service may say of a request, and what is wrong with anything else (PRO-6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.faults import Fault, Problem
from idp.domain.service_request import CLOCK_SKEW, Status, Update, read

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SMALLEST: dict[str, Any] = {
    "title": "Stationnement résidentiel",
    "status": "to_pay",
    "updated_at": "2026-11-22T09:00:00Z",
}


def read_it(**members: Any) -> Update | tuple[Fault, ...]:
    """Read the smallest word of a service with other members."""
    return read(SMALLEST | members, is_own=lambda url: url.startswith("https://parking."), now=NOW)


@pytest.mark.rule("PRO-6")
@pytest.mark.parametrize(
    "member, value, problem",
    [
        ("title", None, Problem.MISSING),
        ("title", "  ", Problem.EMPTY),
        ("title", "x" * 151, Problem.TOO_LONG),
        ("title", 12, Problem.WRONG_TYPE),
        ("title", "a\u202eb", Problem.CONTROL_CHARACTER),
        ("title", "a\u061cb", Problem.CONTROL_CHARACTER),
        ("title", "a\nb", Problem.CONTROL_CHARACTER),
        ("title", "\u200b\u00a0\u200d", Problem.EMPTY),
        ("status_text", "a\u2028b", Problem.CONTROL_CHARACTER),
        ("message", "a\rb", Problem.CONTROL_CHARACTER),
        ("message", "a\u2066b", Problem.CONTROL_CHARACTER),
        ("message", "x" * 1001, Problem.TOO_LONG),
        ("message", "a\x00b", Problem.CONTROL_CHARACTER),
        ("message", ["a"], Problem.WRONG_TYPE),
        ("status", "topay", Problem.NOT_ONE_OF),
        ("status", None, Problem.MISSING),
        ("status", ["to_pay"], Problem.NOT_ONE_OF),
        ("url", "https://elsewhere.example/", Problem.NOT_YOUR_ADDRESS),
        ("url", "javascript:alert(1)", Problem.NOT_YOUR_ADDRESS),
        ("url", "https://parking.example/a b", Problem.NOT_YOUR_ADDRESS),
        ("url", "https://parking.example\\@evil.example/", Problem.NOT_YOUR_ADDRESS),
        ("url", "https://parking.example/\n", Problem.CONTROL_CHARACTER),
        ("url", "https://parking." + "x" * 2000, Problem.TOO_LONG),
        ("due_at", "tomorrow", Problem.NOT_A_MOMENT),
        ("due_at", "2026-12-01", Problem.NOT_A_MOMENT),
        ("due_at", 1_700_000_000, Problem.NOT_A_MOMENT),
        ("due_at", "2026-W49-2T08:00:00Z", Problem.NOT_A_MOMENT),
        ("due_at", "20261201T080000Z", Problem.NOT_A_MOMENT),
        ("due_at", "2026-12-01T08:00:00", Problem.NOT_A_MOMENT),
        ("due_at", "2026-12-01T08:00:00+25:00", Problem.NOT_A_MOMENT),
        ("due_at", "2026-02-30T08:00:00Z", Problem.NOT_A_MOMENT),
        ("due_at", "٢٠٢٦-12-01T08:00:00Z", Problem.NOT_A_MOMENT),
        ("due_at", "2026-12-01T08:00:00Z\n", Problem.NOT_A_MOMENT),
        ("due_at", "0001-01-01T00:00:00+23:59", Problem.OUT_OF_RANGE),
        ("due_at", "9999-12-31T23:59:59-23:59", Problem.OUT_OF_RANGE),
        ("updated_at", "1999-12-31T23:59:59Z", Problem.OUT_OF_RANGE),
        ("updated_at", "2026-11-22T11:00:00Z", Problem.IN_THE_FUTURE),
        ("updated_at", "2026-11-22T09:00:00", Problem.NOT_A_MOMENT),
        ("step", 1.5, Problem.WRONG_TYPE),
        ("step", True, Problem.WRONG_TYPE),
        ("step", 0, Problem.OUT_OF_RANGE),
        ("steps", 21, Problem.OUT_OF_RANGE),
        ("html", "<b>", Problem.UNKNOWN),
    ],
)
def test_member_that_is_wrong_is_named(member: str, value: object, problem: Problem) -> None:
    """A service's developer reads which member is wrong, and how."""
    assert read_it(**({"step": 1, "steps": 20} | {member: value})) == (Fault(member, problem),)


@pytest.mark.rule("PRO-6")
def test_everything_wrong_is_said_at_once() -> None:
    """Nobody corrects one fault to meet the next."""
    faults = read_it(title="", status="gone", html="<b>", steps=3)

    assert isinstance(faults, tuple)
    assert {fault.member for fault in faults} == {"title", "status", "html", "step"}


@pytest.mark.rule("PRO-6")
@pytest.mark.parametrize(
    "members, fault",
    [
        ({"step": 2}, Fault("steps", Problem.MISSING)),
        ({"steps": 3}, Fault("step", Problem.MISSING)),
        ({"steps": 3, "step": None}, Fault("step", Problem.MISSING)),
        ({"step": 4, "steps": 3}, Fault("step", Problem.OUT_OF_RANGE)),
    ],
    ids=["no steps", "no step", "null for a step", "past the last"],
)
def test_steps_go_together(members: dict[str, int], fault: Fault) -> None:
    """Which step of how many, or neither."""
    assert read_it(**members) == (fault,)


@pytest.mark.rule("PRO-6")
def test_whole_word_is_read() -> None:
    """Texts lose the blanks around them; moments keep their zone."""
    said = read_it(
        status_text=" À régler ",
        message="Il reste 45 €.\r\nMerci.",
        url="https://parking.example/pay",
        due_at="2026-12-01t00:00:00.000+01:00",
        step=2,
        steps=3,
    )

    assert said == Update(
        title="Stationnement résidentiel",
        status=Status.TO_PAY,
        updated_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
        status_text="À régler",
        message="Il reste 45 €.\nMerci.",
        url="https://parking.example/pay",
        due_at=datetime(2026, 11, 30, 23, tzinfo=UTC),
        step=2,
        steps=3,
    )


@pytest.mark.rule("PRO-6")
def test_clock_that_runs_a_little_ahead_is_forgiven() -> None:
    """Two machines never agree to the second."""
    ahead = (NOW + CLOCK_SKEW - timedelta(seconds=1)).isoformat()

    assert isinstance(read_it(updated_at=ahead), Update)


@given(
    st.dictionaries(
        st.sampled_from(["title", "status", "message", "url", "due_at", "step", "updated_at", "x"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_nothing_that_is_sent_breaks_the_reader(body: dict[str, Any]) -> None:
    """Whatever the JSON, the answer is an update or a list of faults."""
    read(body, is_own=lambda _: True, now=NOW)


@pytest.mark.parametrize("status", list(Status))
def test_status_that_is_final_awaits_nobody(status: Status) -> None:
    """What is over asks nothing of the person."""
    assert not (status.is_final and status.awaits_person)
