"""RFC 9207 section 2: who answers is in the answer."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.response_mode import (
    AuthorizationResponse,
    FormPost,
    respond,
)
from idp.protocol.errors import ErrorCode
from idp.protocol.metadata import ProviderFacts, provider_metadata
from tests.support.authorization_requests import ISSUER, read


def says_issuer(answer: AuthorizationResponse) -> bool:
    """Tell whether the answer names us, whatever its mode."""
    if isinstance(answer, FormPost):
        return ("iss", ISSUER) in answer.fields
    return answer.location.endswith("iss=https%3A%2F%2Fid.example.org")


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9207", "2", "MUST")
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_answer_names_the_issuer_in_every_mode(mode: str) -> None:
    """Success and error alike, so that a mix-up is seen."""
    request = read(response_mode=mode)

    assert says_issuer(respond(request.address, {"code": "c"}, issuer=ISSUER))
    error = request.refusal(ErrorCode.ACCESS_DENIED, reason="refused")
    assert says_issuer(respond(error.address, error.body, issuer=ISSUER))


@pytest.mark.spec("RFC 9207", "3", "MUST")
def test_metadata_says_that_the_issuer_is_in_the_answer() -> None:
    """Clients refuse answers without it once they have read this."""
    document = provider_metadata(ProviderFacts(ISSUER, ("ES256",)))

    assert document["authorization_response_iss_parameter_supported"] is True
