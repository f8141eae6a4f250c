"""RFC 8628 sections 3.2, 4 and 6.1: what a device is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from idp.protocol.authorization.device import USER_CODE_LETTERS
from tests.support.devices import a_device
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.2", "REQUIRED")
def test_answer_has_every_member_that_a_device_needs(lasting_provider: Provider) -> None:
    """Two codes, where to go, how long, how often."""
    answer = a_device(lasting_provider).answer

    assert set(answer) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert answer["verification_uri"] == f"{ISSUER}/device"
    assert answer["expires_in"] == 900
    assert answer["interval"] == 5


@pytest.mark.spec("RFC 8628", "3.2", "OPTIONAL")
def test_complete_address_is_the_plain_one_with_the_code(lasting_provider: Provider) -> None:
    """For a picture that a telephone reads (section 3.3.1)."""
    answer = a_device(lasting_provider).answer

    assert answer["verification_uri_complete"] == f"{ISSUER}/device?user_code={answer['user_code']}"


@pytest.mark.spec("RFC 8628", "5.2", "SHOULD")
def test_device_codes_are_no_two_alike_and_long(lasting_provider: Provider) -> None:
    """256 random bits, with the prefix that names them."""
    codes = {a_device(lasting_provider).answer["device_code"] for _ in range(20)}

    assert len(codes) == 20
    assert all(re.fullmatch(r"mpv_[A-Za-z0-9_-]{49}", code) for code in codes)


@pytest.mark.spec("RFC 8628", "6.1", "RECOMMENDED")
def test_user_codes_have_eight_letters_that_nobody_takes_for_others(lasting_provider: Provider) -> None:
    """No vowel makes a word of them, no digit is taken for a letter."""
    codes = [a_device(lasting_provider).user_code for _ in range(20)]

    assert all(re.fullmatch(f"[{USER_CODE_LETTERS}]{{4}}-[{USER_CODE_LETTERS}]{{4}}", code) for code in codes)
    assert set(USER_CODE_LETTERS).isdisjoint("AEIOUY0123456789")
    assert len(set(codes)) == 20


@pytest.mark.spec("RFC 8628", "5.1", "MUST")
def test_codes_are_kept_as_hashes_that_only_the_provider_can_search(lasting_provider: Provider) -> None:
    """A copy of the table opens nothing: the short code is hashed with a key."""
    device = a_device(lasting_provider)

    with lasting_provider.context.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM device_authorizations").all()

    text = repr(rows)
    assert rows
    assert device.answer["device_code"] not in text
    assert device.user_code.replace("-", "") not in text
    assert device.user_code not in text


@pytest.mark.spec("RFC 8628", "4", "OPTIONAL")
def test_discovery_names_the_endpoint_and_the_grant(lasting_provider: Provider) -> None:
    """So that a device finds it by itself."""
    document = lasting_provider.back_channel.get("/.well-known/openid-configuration").json

    assert document["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
    assert "urn:ietf:params:oauth:grant-type:device_code" in document["grant_types_supported"]
