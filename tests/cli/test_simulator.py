"""`idp franceconnect-simulator`: both portals beside each other on one machine (FC-8)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.rule("FC-8")


@contextmanager
def simulator(*arguments: str) -> Iterator[str]:
    """Run the command; gives its issuer."""
    port = free_port()
    command = [sys.executable, "-m", "idp.cli", "franceconnect-simulator", "--port", str(port), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - this interpreter
        assert running.stdout is not None
        told = running.stdout.readline()
        try:
            issuer = f"http://localhost:{port}/api/v2"
            assert issuer in told
            yield issuer
        finally:
            running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=60) == 0


def discovery(issuer: str) -> dict[str, Any]:
    """Read what a simulator says of itself."""
    with urlopen(f"{issuer}/.well-known/openid-configuration", timeout=60) as answer:  # noqa: S310 - http, ours
        found: dict[str, Any] = json.load(answer)
    return found


def test_both_portals_run_beside_each_other_until_they_are_stopped() -> None:
    """Each has an issuer and levels of its own."""
    with simulator() as ordinary, simulator("--plus", "--encryption", "ECDH-ES") as plus:
        said = {issuer: discovery(issuer) for issuer in (ordinary, plus)}

    assert [said[issuer]["issuer"] for issuer in (ordinary, plus)] == [ordinary, plus]
    assert said[ordinary]["acr_values_supported"] == ["eidas1"]
    assert said[plus]["acr_values_supported"] == ["eidas2", "eidas3"]


def test_registration_that_franceconnect_plus_does_not_have_is_refused() -> None:
    """It signs with ES256 only."""
    command = [sys.executable, "-m", "idp.cli", "franceconnect-simulator", "--plus", "--alg", "RS256"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - this interpreter

    assert done.returncode == 2
    assert "ES256" in done.stderr
