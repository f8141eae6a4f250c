"""Documents that people keep are signed, and verified for years after the key is gone (CON-5, S-437)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import jwt
import pytest
from sqlalchemy import func, select

from idp.crypto.jwt import sign
from idp.crypto.keyring import KeyFolder
from idp.domain.chain_check import FaultKind
from idp.services.operations import chains
from idp.services.signed_documents import (
    CERTIFICATE,
    KEYS_PATH,
    RECEIPT,
    published_keys,
    sign_document,
    sign_document_within,
    verify_document,
)
from idp.storage.models import receipt_keys
from tests.support.client_keys import a_key
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-5")
PAYLOAD = {"record": "01", "words": "Vos places réservées"}


def kept(provider: Provider) -> int:
    """Count the keys that are kept."""
    with provider.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(receipt_keys)) or 0


def test_document_altered_is_refused(provider: Provider) -> None:
    """One character of its content, of its signature, or its kind."""
    document = sign_document(provider.context, PAYLOAD, typ=RECEIPT)
    header, payload, signature = document.split(".")
    other = sign_document(provider.context, {**PAYLOAD, "record": "02"}, typ=CERTIFICATE)

    for altered in (
        ".".join((header, other.split(".")[1], signature)),
        ".".join((other.split(".")[0], payload, signature)),
        ".".join((header, payload, "A" * len(signature))),
        f"{header}.{payload}.",
        payload,
        "",
    ):
        assert verify_document(provider.context, altered) is None


def test_token_of_ours_is_no_document(provider: Provider) -> None:
    """The same key signs ID Tokens: one can't be shown as a receipt (RFC 8725 section 3.11)."""
    sign_document(provider.context, PAYLOAD, typ=RECEIPT)
    key = provider.context.keys.keyring().signing_key("ES256")
    token = sign({"iss": provider.context.issuer, "iat": 1_800_000_000}, key, typ="JWT")

    assert verify_document(provider.context, token) is None


def test_document_of_another_kind_or_issuer_is_refused(provider: Provider) -> None:
    """A certificate is no receipt, and what another installation said is not ours."""
    certificate = sign_document(provider.context, PAYLOAD, typ=CERTIFICATE)
    key = provider.context.keys.keyring().signing_key("ES256")
    foreign = sign({"iss": "https://other.example.org", "iat": 1_800_000_000}, key, typ=RECEIPT)

    assert verify_document(provider.context, certificate, typ=RECEIPT) is None
    assert verify_document(provider.context, foreign) is None


def test_key_that_somebody_put_in_is_not_believed(provider: Provider) -> None:
    """Whoever writes to the database alone can't have receipts of their own believed; a verification names the key."""
    context = provider.context
    sign_document(context, PAYLOAD, typ=RECEIPT)
    theirs = a_key("ES256")
    false = theirs.sign({"iss": context.issuer, "iat": 1_800_000_000}, typ=RECEIPT)
    with context.database.writer.begin() as connection:
        connection.execute(
            receipt_keys.insert().values(
                kid=theirs.jwk["kid"], jwk=theirs.jwk, seal=bytes(32), first_used_at=context.clock()
            )
        )

    assert verify_document(context, false) is None
    assert theirs.jwk["kid"] not in [one["kid"] for one in published_keys(context)["keys"]]
    faults = chains.verify(context, "ledger").faults
    assert [(fault.kind, fault.line_id) for fault in faults] == [(FaultKind.KEY, theirs.jwk["kid"])]


def test_document_says_who_signed_it_and_when(provider: Provider, clock: SettableClock) -> None:
    """Its content comes back, with our name and the moment."""
    document = sign_document(provider.context, PAYLOAD, typ=RECEIPT)

    verified = verify_document(provider.context, document, typ=RECEIPT)

    assert verified is not None
    assert verified.payload == PAYLOAD | {"iss": provider.context.issuer, "iat": int(clock().timestamp())}
    assert verified.signed_at == clock().replace(microsecond=0)


def test_key_is_kept_once_and_in_the_transaction_of_the_act(provider: Provider) -> None:
    """The first document keeps it, also inside a transaction; the following ones only read."""
    with provider.context.database.write() as connection:
        sign_document_within(provider.context, connection, PAYLOAD, typ=CERTIFICATE)

    database = provider.context.database
    with recorded_queries(database.reader, database.writer) as statements:
        sign_document(provider.context, PAYLOAD, typ=RECEIPT)

    assert kept(provider) == 1
    assert len(statements) == 1


def test_document_is_verified_after_its_key_has_left(
    provider: Provider, clock: SettableClock, tmp_path: Path
) -> None:
    """Rotation and removal take nothing from what was signed before."""
    keys = KeyFolder(tmp_path / "keys", None, count().__next__)
    keys.initialise(("ES256",), clock())
    context = replace(provider.context, keys=keys)
    before = sign_document(context, PAYLOAD, typ=RECEIPT)
    first = keys.keyring().signing_key("ES256").kid
    for _ in range(2):
        keys.rotate("ES256", clock(), minimum_age=timedelta(0), force=True)
    keys.retire(first, clock(), token_lifetime=timedelta(0), force=True)

    after = sign_document(context, PAYLOAD, typ=RECEIPT)

    assert first not in keys.keyring().public_keys()
    assert verify_document(context, before) is not None
    assert verify_document(context, after) is not None
    assert len(published_keys(context)["keys"]) == 2


@pytest.mark.spec("RFC 7517", "5", "MUST")
def test_document_is_verified_by_anyone_with_the_published_keys(provider: Provider) -> None:
    """The example of the documentation, with PyJWT: keys by their address, algorithm and kind checked."""
    document = sign_document(provider.context, PAYLOAD, typ=RECEIPT)
    answer = provider.back_channel.get(KEYS_PATH)

    keys = jwt.PyJWKSet.from_json(answer.text)
    read = jwt.decode_complete(
        document,
        keys[jwt.get_unverified_header(document)["kid"]],
        algorithms=["ES256"],
        issuer=provider.context.issuer,
    )

    assert read["payload"]["words"] == PAYLOAD["words"]
    assert read["header"]["typ"] == RECEIPT
    assert not any("d" in key for key in json.loads(answer.text)["keys"])


@pytest.mark.spec("RFC 9110", "13.1.2", "MUST")
def test_keys_that_are_known_are_not_sent_again(provider: Provider) -> None:
    """A cache keeps them for five minutes, and asks by their ETag."""
    sign_document(provider.context, PAYLOAD, typ=RECEIPT)
    first = provider.back_channel.get(KEYS_PATH)

    again = provider.back_channel.get(KEYS_PATH, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert first.headers["Access-Control-Allow-Origin"] == "*"
