"""One proof of possession, many callers, on both databases (OID-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dpop import ProofMaker, a_code, redeem, userinfo, with_proof
from tests.support.provider import a_provider
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

GRANT = {"grant_type": "client_credentials"}


def assert_one_won(answers: list[TestResponse]) -> None:
    """Say that one caller got what it asked for, and all others were told of the proof."""
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(lost) == len(answers) - 1
    assert {answer.json["error"] for answer in lost} == {"invalid_dpop_proof"}


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "11.1", "MUST")
def test_proof_that_sixteen_bring_to_two_nodes_at_once_serves_one(crowded_provider: Provider) -> None:
    """The primary key of one row decides, whatever the node."""
    provider = crowded_provider
    nodes = provider, a_provider(provider.context.database, provider.clock)
    service, key = provider.a_client(), ProofMaker(provider.clock)

    for _ in range(ROUNDS):
        proof = key.proof()

        def present(node: Provider, proof: str = proof) -> TestResponse:
            return with_proof(node, service, proof, GRANT)

        assert_one_won(race(*[lambda node=node: present(node) for node in nodes * (RACERS // 2)]))


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "11.1", "MUST")
def test_proof_that_sixteen_bring_to_userinfo_at_once_serves_one(crowded_provider: Provider) -> None:
    """Whoever listened and is as fast as the client gets nothing, or the client learns that something is wrong."""
    provider = crowded_provider
    service, key = provider.a_client(), ProofMaker(provider.clock)
    token = redeem(provider, service, a_code(provider, service), key.proof()).json["access_token"]

    for _ in range(ROUNDS):
        proof = key.proof("/userinfo", method="GET", access_token=token)

        def ask(proof: str = proof) -> TestResponse:
            return userinfo(provider, token, proof)

        assert_one_won(race(*[ask] * RACERS))


@pytest.mark.rule("OID-5")
def test_proofs_of_many_clients_do_not_hinder_each_other(crowded_provider: Provider) -> None:
    """Sixteen different proofs at once, sixteen tokens."""
    provider = crowded_provider
    service, key = provider.a_client(), ProofMaker(provider.clock)
    proofs = [key.proof() for _ in range(RACERS)]

    answers = race(*[lambda proof=proof: with_proof(provider, service, proof, GRANT) for proof in proofs])

    assert [answer.status_code for answer in answers] == [200] * RACERS
