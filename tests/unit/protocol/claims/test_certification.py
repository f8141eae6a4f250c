"""The `certification` claim: how sure each claim is, for services that don't speak `verified_claims`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from idp.protocol.claims.values import Proof, certification

LONG_AGO = datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TODAY = datetime(2026, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=1)))
PROOFS = {
    "given_name": Proof(600, "franceconnect", TODAY),
    "family_name": Proof(600, "franceconnect", TODAY),
    "email": Proof(250, "mail"),
    "phone_number": Proof(100, "declared", LONG_AGO),
}


@pytest.mark.rule("FC-6")
def test_certification_speaks_of_the_claims_named_alone() -> None:
    """Level, source and date; no date where none is kept; nothing of what has no proof."""
    assert certification(PROOFS, ()) == {}
    assert certification(PROOFS, ["locale", "email_verified", "gender"]) == {}
    assert certification(PROOFS, ["given_name", "email", "phone_number"]) == {
        "given_name": {"level": 600, "source": "franceconnect", "date": "2026-11-22T09:00:00Z"},
        "email": {"level": 250, "source": "mail"},
        "phone_number": {"level": 100, "source": "declared", "date": "2020-01-02T03:04:05Z"},
    }


@pytest.mark.rule("FC-6")
def test_full_name_is_as_sure_as_its_least_sure_part() -> None:
    """A usage name that nobody vouches for makes the whole name no surer than itself."""
    usage = {"preferred_username": Proof(100, "franceconnect", LONG_AGO)}

    assert certification(PROOFS, ["name"])["name"]["level"] == 600
    assert certification(PROOFS | usage, ["name"]) == {
        "name": {"level": 100, "source": "franceconnect", "date": "2020-01-02T03:04:05Z"}
    }
