"""OIDC Core 5.5: the claims parameter."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.claims.requested import parse
from idp.protocol.claims.syntax import ClaimRequest
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import read

EXAMPLE = """
  {
   "userinfo":
    {
     "given_name": {"essential": true},
     "nickname": null,
     "email": {"essential": true},
     "email_verified": {"essential": true},
     "picture": null,
     "http://example.info/claims/groups": null
    },
   "id_token":
    {
     "auth_time": {"essential": true},
     "acr": {"values": ["urn:mace:incommon:iap:silver"] }
    }
  }
"""


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "5.5", "OPTIONAL")
def test_example_of_the_standard_is_read() -> None:
    """Line breaks included."""
    requested = parse(EXAMPLE)

    assert len(requested.userinfo) == 6
    assert requested.userinfo["email"] == ClaimRequest(essential=True)
    assert requested.userinfo["nickname"] == ClaimRequest()
    assert requested.id_token["acr"].values == ("urn:mace:incommon:iap:silver",)
    assert read(claims=EXAMPLE).acr_values == ("urn:mace:incommon:iap:silver",)


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "5.5.1", "MUST NOT")
def test_essential_claim_that_may_not_be_given_is_no_error() -> None:
    """Even essential claims may be left out, unless the claim says otherwise."""
    request = read(claims='{"userinfo": {"picture": {"essential": true}}}')

    assert "picture" not in request.asked.names


@pytest.mark.spec("OIDC Core", "5.5", "OPTIONAL")
@pytest.mark.parametrize(
    "raw",
    [
        '{"userinfo": {"a": null, "a": null}}',
        "[" * 4000,
        '{"id_token": ' * 300,
        '{"userinfo": {' + ",".join(f'"c{i}": null' for i in range(10_000)) + "}}",
        " " * 1_048_576,
    ],
    ids=["repeated member", "deep arrays", "deep objects", "ten thousand claims", "one mebibyte"],
)
def test_claims_parameter_made_to_hurt_is_refused(raw: str) -> None:
    """Repeated, deep, numerous or large: an error for the client, at once."""
    with pytest.raises(RedirectedError) as caught:
        read(claims=raw)

    assert caught.value.code is ErrorCode.INVALID_REQUEST
