"""What tokens are bound to, and what they are signed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.app import key_folder
from idp.config import parse
from idp.crypto.certificates import from_der
from idp.crypto.jwt import unverified_header
from idp.domain.client import Client, Profile
from idp.domain.tokens import Confirmation, ConfirmationMethod
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.tokens.proofs import sender_constraint
from tests.support.client_keys import self_signed
from tests.support.clock import A_MONDAY_MORNING
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from pathlib import Path

    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

PLAIN = Client("parking", "Stationnement")


@pytest.mark.rule("OID-5")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1", "SHALL")
@pytest.mark.parametrize("profile", list(Profile))
def test_fapi_client_without_any_proof_is_refused(context: Context, profile: Profile) -> None:
    """It gets sender-constrained tokens, or none."""
    client = Client("parking", "Stationnement", profile=profile)

    with pytest.raises(EndpointError) as refused:
        sender_constraint(context, client, dpop=None, certificate=None, path="/token")

    assert refused.value.code is ErrorCode.INVALID_DPOP_PROOF


@pytest.mark.rule("OID-5")
def test_certificate_binds_the_tokens_of_a_fapi_client_and_of_no_other_unasked(context: Context) -> None:
    """The one it proved itself with will do."""
    made = self_signed()
    shown = from_der(made.der)
    fapi = Client("parking", "Stationnement", profile=Profile.FAPI2)

    bound = sender_constraint(context, fapi, dpop=None, certificate=shown, path="/token")
    unbound = sender_constraint(context, PLAIN, dpop=None, certificate=shown, path="/token")

    assert bound == Confirmation(ConfirmationMethod.CERTIFICATE, made.thumbprint)
    assert unbound is None


@pytest.mark.rule("OID-5")
def test_token_for_an_api_is_signed_with_what_there_is(
    database: Database, clock: SettableClock, tmp_path: Path
) -> None:
    """ES256 where there is a key of it; an installation with one key signs with that."""
    keys = tmp_path / "keys"
    settings = parse({"keys": {"directory": str(keys), "algorithms": ["EdDSA"]}}, "test")
    key_folder(settings).initialise(("EdDSA",), A_MONDAY_MORNING)
    provider = a_provider(database, clock, keys=keys)
    service = provider.a_client(resources=("https://api.example.org",))

    answer = provider.post(
        "/token", service, grant_type="client_credentials", resource="https://api.example.org"
    )

    assert unverified_header(answer.json["access_token"])["alg"] == "EdDSA"
