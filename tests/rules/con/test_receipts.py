"""CON-5: a proof can be exported as a receipt, and anyone can verify it (ISO/IEC TS 27560; S-436, S-437)."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from idp.domain.ledger import Act, Document, Matter
from idp.services import receipts
from idp.services.account.deletion import delete
from idp.services.receipts import Genuine, NotOurs, Standing
from idp.services.signed_documents import CERTIFICATE, KEYS_PATH, sign_document
from tests.support.chains import WORDS, an_entry, entered, tampered, without_triggers
from tests.support.marks import ROOT
from tests.support.provider import form_of
from tests.support.schema import faults

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-5")
ENTRIES: dict[str, dict[str, Any]] = {
    "consent given": {"details": {"claims": ["email"], "refused_claims": ["given_name"], "legal_basis": "consent"}},
    "consent refused": {"act": Act.REFUSED, "details": {"asked": ["email"], "legal_basis": "public_interest"}},
    "consent withdrawn": {"act": Act.WITHDRAWN, "channel": "account"},
    "terms": {"matter": Matter.TERMS, "client_id": None, "channel": "sign_up", "details": {},
              "document": Document("terms", "2026", "https://compte.example.org/terms/2026")},
    "purpose": {"matter": Matter.PURPOSE, "document": Document("mobile", "2"),
                "details": {"answer": "yes", "recipients": ["Flowbird"]}},
    "permission": {"matter": Matter.PERMISSION, "channel": "mail", "details": {"claims": ["email"], "minimum_age": 15}},
    "service that is gone": {"client_id": "gone"},
}  # fmt: skip


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody who acted towards parking."""
    provider.a_client(
        client_id="parking",
        name="Stationnement",
        organisation="Direction de la voirie",
        recipients=("Indigo",),
        storage_location="France (Paris)",
        retention={"fr": "Trois ans.", "en": "Three years."},
        contacts=("stationnement@example.org",),
    )
    return provider.an_account()


def an_act(provider: Provider, person: Account, name: str = "consent given") -> str:
    """Enter one of the acts."""
    return entered(provider.context, an_entry(person.account_id, 1, **ENTRIES[name]))[0]


def downloaded(provider: Provider, person: Account, entry_id: str) -> dict[str, Any]:
    """Download a receipt as its owner."""
    answer = provider.signed_in(person).get(f"/account/receipts/{entry_id}/download")
    assert answer.status_code == 200, answer.text
    members: dict[str, Any] = json.loads(answer.text)
    return members


def checked(provider: Provider, presented: str) -> dict[str, Any]:
    """Have a program check something."""
    answer = provider.back_channel.post(
        "/receipts/check.json", data=presented, content_type="application/jose"
    )
    assert answer.status_code == 200, answer.text
    members: dict[str, Any] = answer.json or {}
    return members


def checked_by_page(browser: FlaskClient, **fields: Any) -> TestResponse:
    """Check something on the page, with no account."""
    form = form_of(browser.get("/receipts/check"))
    return browser.post("/receipts/check", data={**form, **fields}, content_type="multipart/form-data")


@pytest.mark.parametrize("path", ["", "/download"])
def test_receipt_of_somebody_else_is_not_found(provider: Provider, person: Account, path: str) -> None:
    """Own entries only; what is not there looks the same; nobody signed in sees none."""
    entry_id = an_act(provider, person)
    stranger = provider.signed_in()

    assert stranger.get(f"/account/receipts/{entry_id}{path}").status_code == 404
    assert stranger.get(f"/account/receipts/nothing{path}").status_code == 404
    assert provider.client().get(f"/account/receipts/{entry_id}{path}").status_code == 303
    assert entry_id not in stranger.get("/account/receipts").text


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_receipt_of_each_kind_of_act_fits_the_published_schema(
    provider: Provider, person: Account, name: str
) -> None:
    """Every field of ISO/IEC TS 27560 that the schema demands, and no other."""
    schema = provider.back_channel.get("/receipts/schema")
    file = downloaded(provider, person, an_act(provider, person, name))

    assert schema.content_type == "application/schema+json"
    assert faults(file["receipt"], json.loads(schema.text)) == []


def test_schema_of_the_documentation_is_the_one_that_is_served() -> None:
    """Whoever reads the repository reads the same."""
    served = ROOT / "idp" / "web" / "static" / "receipt.schema.json"

    assert (ROOT / "docs" / "receipt.schema.json").read_bytes() == served.read_bytes()


def test_receipt_says_who_what_why_and_in_which_words(provider: Provider, person: Account) -> None:
    """The ledger's act, the words, the service's contract; names of claims, never a value."""
    receipt = downloaded(provider, person, an_act(provider, person))["receipt"]

    notice = receipt["pii_processing"]["privacy_notice"]
    (mail, name) = [
        one for purpose in receipt["pii_processing"]["purposes"] for one in purpose["pii_information"]
    ]
    purpose = receipt["pii_processing"]["purposes"][0]
    assert (notice["text"], notice["version"]) == (WORDS, "1")
    assert receipt["pii_principal_id"] == f"subject-of-{person.account_id}"
    assert (mail["pii_type"], mail["state"], mail["pii_optional"]) == ("email", "given", False)
    assert (name["pii_type"], name["state"], name["pii_optional"]) == ("given_name", "refused", True)
    assert purpose["purpose"] == "Pour le service."
    assert purpose["recipient_third_parties"] == ["Indigo"]
    assert (purpose["storage_locations"], purpose["retention_period"]) == (["France (Paris)"], "Trois ans.")
    assert [one["party_name"] for one in receipt["party_identification"]] == [
        "Ville de Paris",
        "Direction de la voirie",
    ]
    assert receipt["event"]["event_state"] == "given"
    assert (receipt["proof"]["sequence"], len(receipt["proof"]["link"])) == (1, 64)
    assert person.email not in json.dumps(receipt)
    assert person.account_id not in json.dumps(receipt).replace(receipt["pii_principal_id"], "")


def test_receipt_is_verified_by_anyone_with_the_public_keys(provider: Provider, person: Account) -> None:
    """With PyJWT, as the documentation says; what the file shows is what is signed."""
    file = downloaded(provider, person, an_act(provider, person))
    keys = jwt.PyJWKSet.from_json(provider.back_channel.get(KEYS_PATH).text)

    header = jwt.get_unverified_header(file["jws"])
    said = jwt.decode(file["jws"], keys[header["kid"]], algorithms=["ES256"], issuer=provider.context.issuer)

    assert header["typ"] == "receipt+jwt"
    assert said == file["receipt"]


@pytest.mark.parametrize(
    "alteration", ["text beside", "signature", "other kind", "other JSON", "nothing", "bytes"]
)
def test_altered_receipt_is_refused(provider: Provider, person: Account, alteration: str) -> None:
    """By the page and for programs alike."""
    file = downloaded(provider, person, an_act(provider, person))
    shown = json.loads(json.dumps(file))
    shown["receipt"]["event"]["event_state"] = "refused"
    presented = {
        "text beside": json.dumps(shown),
        "signature": file["jws"][:-8] + "AAAAAAAA",
        "other kind": sign_document(provider.context, file["receipt"], typ=CERTIFICATE),
        "other JSON": json.dumps({"jws": [1, 2]}),
        "nothing": "",
        "bytes": "\x00\ud7ff{",
    }[alteration]

    assert checked(provider, presented) == {"valid": False}
    page = checked_by_page(provider.client(), receipt=presented)
    assert page.status_code in {400, 422}
    assert "authentique" not in page.text.partition("<main")[2].partition("Choisissez")[0]


def test_receipt_is_checked_as_it_was_downloaded_or_by_its_signed_part(
    provider: Provider, person: Account
) -> None:
    """By file, by text, folded by a mail program, or by a program; nobody has to be signed in."""
    file = downloaded(provider, person, an_act(provider, person))
    folded = "\n".join(file["jws"][at : at + 76] for at in range(0, len(file["jws"]), 76))

    for presented in (json.dumps(file), file["jws"], folded):
        said = checked(provider, presented)
        assert (said["valid"], said["ledger"]) == (True, "kept")
        page = checked_by_page(provider.client(), receipt=presented)
        assert "Ce reçu est authentique" in page.text
        assert WORDS in page.text
    upload = checked_by_page(provider.client(), file=(io.BytesIO(json.dumps(file).encode()), "receipt.json"))
    assert "La preuve est toujours dans notre registre." in upload.text


def test_receipt_outlives_the_account_and_says_that_it_is_erased(provider: Provider, person: Account) -> None:
    """The signature stands; the ledger names nobody any more."""
    file = downloaded(provider, person, an_act(provider, person))

    delete(provider.context, person.account_id)

    assert checked(provider, file["jws"])["ledger"] == "erased"
    assert "Le compte a été supprimé depuis" in checked_by_page(provider.client(), receipt=file["jws"]).text


def test_receipt_that_the_ledger_does_not_have_is_told(provider: Provider, person: Account) -> None:
    """Signed by us, and yet not what stands there: somebody altered the ledger."""
    database = provider.context.database
    file = downloaded(provider, person, an_act(provider, person))
    without_triggers(database)

    tampered(database, "UPDATE ledger_entries SET link = personal_hash")
    assert checked(provider, file["jws"])["ledger"] == "other"
    tampered(database, "DELETE FROM ledger_entries")
    assert checked(provider, file["jws"])["ledger"] == "unknown"


def test_checks_from_one_network_are_braked(provider: Provider) -> None:
    """Thirty in ten minutes; nothing is stored of what was presented."""
    for _ in range(30):
        assert isinstance(receipts.check(provider.context, "x", address="192.0.2.1"), NotOurs)

    braked = provider.back_channel.post(
        "/receipts/check.json", data="x", environ_base={"REMOTE_ADDR": "192.0.2.1"}
    )
    other = provider.back_channel.post(
        "/receipts/check.json", data="x", environ_base={"REMOTE_ADDR": "198.51.100.1"}
    )

    assert (braked.status_code, other.status_code) == (429, 200)
    assert int(braked.headers["Retry-After"]) > 0


def test_receipt_that_is_too_long_is_refused(provider: Provider) -> None:
    """No request of more than 256 KiB is read."""
    answer = provider.back_channel.post("/receipts/check.json", data="x" * 300_000)

    assert answer.status_code == 413


def test_receipts_are_listed_by_service_a_page_at_a_time(provider: Provider, person: Account) -> None:
    """The latest first; of one service alone where the address says so."""
    for _ in range(51):
        an_act(provider, person)
    terms = an_act(provider, person, "terms")
    browser = provider.signed_in(person)

    first, second = browser.get("/account/receipts").text, browser.get("/account/receipts?page=2").text
    parking = browser.get("/account/receipts?service=parking").text

    assert (first.count("Voir le reçu<"), second.count("Voir le reçu<")) == (50, 2)
    assert terms in first + second
    assert terms not in parking
    assert "Reçus de Stationnement seulement." in parking


def test_service_of_receipts_gives_what_it_promises(provider: Provider, person: Account) -> None:
    """None for others; the members that are signed; what the ledger has."""
    context, entry_id = provider.context, an_act(provider, person)
    made = receipts.receipt(context, person.account_id, entry_id)
    assert made is not None

    found = receipts.check(context, receipts.signed(context, made), address="")

    assert receipts.receipt(context, "another", entry_id) is None
    assert isinstance(found, Genuine)
    assert found.standing is Standing.KEPT
    assert found.members.items() >= made.members.items()
