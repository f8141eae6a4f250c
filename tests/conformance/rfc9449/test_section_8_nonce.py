"""RFC 9449 sections 8 and 9: nonces of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dpop import ProofMaker, redeem, userinfo, with_proof
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

GRANT = {"grant_type": "client_credentials"}


class TestDemanded:
    """A provider that demands a nonce in each proof."""

    @pytest.fixture
    def strict(self, database: Database, clock: SettableClock) -> Provider:
        """The provider."""
        return a_provider(database, clock, dpop={"require_nonce": True, "nonce_seconds": 100})

    @pytest.fixture
    def service(self, strict: Provider) -> Service:
        """A service of it."""
        return strict.a_client()

    @pytest.mark.rule("OID-5")
    @pytest.mark.spec("RFC 9449", "8", "MUST")
    def test_proof_without_a_nonce_is_answered_by_one(
        self, strict: Provider, service: Service, clock: SettableClock
    ) -> None:
        """Which serves at once, and gives the next one."""
        key = ProofMaker(clock)

        refused = with_proof(strict, service, key.proof(), GRANT)
        nonce = refused.headers["DPoP-Nonce"]
        given = with_proof(strict, service, key.proof(nonce=nonce), GRANT)

        assert (refused.status_code, refused.json["error"]) == (400, "use_dpop_nonce")
        assert given.status_code == 200
        assert given.headers["DPoP-Nonce"]

    @pytest.mark.spec("RFC 9449", "8", "MUST")
    @pytest.mark.parametrize("nonce", ["", "x", "é", "a" * 5000])
    def test_nonce_that_is_not_ours_is_refused(
        self, strict: Provider, service: Service, clock: SettableClock, nonce: str
    ) -> None:
        """And ours comes with the answer."""
        answer = with_proof(strict, service, ProofMaker(clock).proof(nonce=nonce), GRANT)

        assert answer.json["error"] == "use_dpop_nonce"
        assert answer.headers["DPoP-Nonce"] != nonce

    @pytest.mark.spec("RFC 9449", "8", "MUST")
    def test_nonce_lives_so_long_and_no_longer(
        self, strict: Provider, service: Service, clock: SettableClock
    ) -> None:
        """Half of its life at least, and never more than all of it."""
        key = ProofMaker(clock)
        nonce = with_proof(strict, service, key.proof(), GRANT).headers["DPoP-Nonce"]

        clock.advance(seconds=50)
        within = with_proof(strict, service, key.proof(nonce=nonce), GRANT)
        clock.advance(seconds=50)
        after = with_proof(strict, service, key.proof(nonce=nonce), GRANT)

        assert within.status_code == 200
        assert after.json["error"] == "use_dpop_nonce"

    @pytest.mark.spec("RFC 9449", "9", "MUST")
    def test_userinfo_demands_it_too(self, strict: Provider, service: Service, clock: SettableClock) -> None:
        """By a challenge of 401, with the nonce."""
        key = ProofMaker(clock)
        code = strict.code(strict.signed_in(), service)
        nonce = redeem(strict, service, code, key.proof()).headers["DPoP-Nonce"]
        token = redeem(strict, service, code, key.proof(nonce=nonce)).json["access_token"]

        refused = userinfo(strict, token, key.proof("/userinfo", method="GET", access_token=token))
        proof = key.proof("/userinfo", method="GET", access_token=token, nonce=refused.headers["DPoP-Nonce"])
        given = userinfo(strict, token, proof)

        assert refused.status_code == 401
        assert 'DPoP realm="mon-paris", error="use_dpop_nonce"' in refused.headers["WWW-Authenticate"]
        assert given.status_code == 200

    @pytest.mark.spec("RFC 9449", "8", "MUST")
    def test_another_node_takes_the_nonce(
        self, strict: Provider, service: Service, database: Database, clock: SettableClock
    ) -> None:
        """Nothing is kept: a nonce is time, under a key that all nodes have."""
        key = ProofMaker(clock)
        other = a_provider(database, clock, dpop={"require_nonce": True, "nonce_seconds": 100})
        nonce = with_proof(strict, service, key.proof(), GRANT).headers["DPoP-Nonce"]

        assert with_proof(other, service, key.proof(nonce=nonce), GRANT).status_code == 200


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "8.2", "MAY")
def test_nonce_comes_with_answers_to_proofs_and_no_others(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """Even where none is demanded; a plain bearer client is not bothered."""
    service = lasting_provider.a_client()

    proven = with_proof(lasting_provider, service, key.proof(), GRANT)
    refused = with_proof(lasting_provider, service, "x", GRANT)
    plain = with_proof(lasting_provider, service, None, GRANT)

    assert proven.headers["DPoP-Nonce"] == refused.headers["DPoP-Nonce"]
    assert "DPoP-Nonce" not in plain.headers


@pytest.mark.spec("RFC 9449", "8", "MUST")
def test_nonce_is_checked_where_it_is_not_demanded(lasting_provider: Provider, key: ProofMaker) -> None:
    """A client that uses one can tell a proof made ahead from one made now."""
    service = lasting_provider.a_client()
    nonce = with_proof(lasting_provider, service, key.proof(), GRANT).headers["DPoP-Nonce"]

    good = with_proof(lasting_provider, service, key.proof(nonce=nonce), GRANT)
    wrong = with_proof(lasting_provider, service, key.proof(nonce="x"), GRANT)

    assert good.status_code == 200
    assert wrong.json["error"] == "use_dpop_nonce"
