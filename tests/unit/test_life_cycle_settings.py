"""Settings of the life cycle that would delete nobody, or warn before anything was left (LIF-2)."""

from __future__ import annotations

from typing import Any

import pytest

from idp.config import ConfigurationError, parse


@pytest.mark.rule("LIF-2")
@pytest.mark.parametrize(
    "section, told",
    [
        ({"warning_days": []}, "warning_days is empty"),
        ({"inactivity_months": 1, "warning_days": [60]}, "before the account was left"),
        ({"warning_days": [0]}, "warning_days"),
        ({"inactivity_months": 0}, "inactivity_months"),
    ],
    ids=["no warning", "too early", "on the day", "at once"],
)
def test_settings_that_warn_nobody_in_time_are_refused(section: dict[str, Any], told: str) -> None:
    """The provider does not start with them."""
    with pytest.raises(ConfigurationError, match=told):
        parse({"life_cycle": section}, "config.toml")


@pytest.mark.rule("LIF-2")
def test_settings_of_another_city_are_taken() -> None:
    """Two years, one mail."""
    settings = parse({"life_cycle": {"inactivity_months": 24, "warning_days": [30]}}, "config.toml")

    assert settings.life_cycle.warning_days == (30,)
