"""RFC 9449 section 6: what is told of the key of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.crypto.jwt import verified_claims
from tests.support.dpop import a_code, redeem

if TYPE_CHECKING:
    from tests.support.dpop import ProofMaker
    from tests.support.provider import Provider

API = "https://api.example.org"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "6.2", "MUST")
def test_introspection_names_the_key(lasting_provider: Provider, key: ProofMaker) -> None:
    """The thumbprint of RFC 7638, and the scheme; nothing of either for a token that is bound to none."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()
    bound = redeem(lasting_provider, service, lasting_provider.code(browser, service), key.proof()).json
    plain = lasting_provider.tokens(browser, service)

    told = lasting_provider.introspect(service, bound["access_token"])
    told_of_plain = lasting_provider.introspect(service, plain["access_token"])

    assert (told["token_type"], told["cnf"]) == ("DPoP", {"jkt": key.jkt})
    assert told_of_plain["token_type"] == "Bearer"
    assert "cnf" not in told_of_plain


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "6.1", "MUST")
def test_jwt_access_token_names_the_key(lasting_provider: Provider, key: ProofMaker) -> None:
    """The API checks the proof by itself."""
    service = lasting_provider.a_client(resources=(API,))
    code = a_code(lasting_provider, service, resource=API)

    token = redeem(lasting_provider, service, code, key.proof()).json["access_token"]

    claims = verified_claims(token, lasting_provider.context.keys.keyring().public_keys())
    assert claims["cnf"] == {"jkt": key.jkt}
