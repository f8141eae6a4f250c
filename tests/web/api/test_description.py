"""GET /api/openapi.json says what there is: every route, every error, every limit (PRO-6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain import service_request
from idp.domain.faults import Problem
from idp.domain.service_request import LENGTHS, MEMBERS, REFERENCE, TYPE, Status
from tests.web.api.test_requests import a_writer

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-6")
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def document(lasting_provider: Provider) -> dict[str, Any]:
    """The document, as a service reads it."""
    answer = lasting_provider.back_channel.get("/api/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def test_document_names_where_the_interfaces_are(
    document: dict[str, Any], lasting_provider: Provider
) -> None:
    """Whoever reads it can call them."""
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": lasting_provider.context.issuer}]


def test_every_route_is_described_and_every_description_is_a_route(
    document: dict[str, Any], lasting_provider: Provider
) -> None:
    """Nothing is left out, nothing is promised that is not there."""
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower(), rule.endpoint.removeprefix("api."))
        for rule in lasting_provider.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    described = {
        (path, method, operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }

    assert described == routes


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """A generator of clients stumbles over nothing."""
    found = set(re.findall(r"'\$ref': '#/([^']+)'", str(document)))

    for reference in found:
        part: Any = document
        for name in reference.split("/"):
            part = part[name]
    assert len(found) > 5


def test_limits_are_those_that_are_checked(document: dict[str, Any]) -> None:
    """Lengths, statuses, forms and problems come from one place."""
    schemas, parameters = document["components"]["schemas"], document["components"]["parameters"]
    update = schemas["Update"]["properties"]

    assert set(update) == set(MEMBERS)
    assert {name: update[name]["maxLength"] for name in LENGTHS} == LENGTHS
    assert schemas["Status"]["enum"] == list(Status)
    assert schemas["Error"]["properties"]["faults"]["items"]["properties"]["problem"]["enum"] == list(Problem)
    assert parameters["kind"]["schema"]["pattern"] == f"^{TYPE.pattern}$"
    assert parameters["reference"]["schema"]["pattern"] == f"^{REFERENCE.pattern}$"
    assert update["steps"]["maximum"] == service_request.MOST_STEPS


def test_answer_has_the_members_that_are_described(
    document: dict[str, Any], lasting_provider: Provider
) -> None:
    """What is sent back is what the document says."""
    writer = a_writer(lasting_provider)

    answer = writer.put(message="Bonjour", status_text="Reçue")

    described = document["components"]["schemas"]["Request"]
    assert set(described["required"]) <= set(answer.json) <= set(described["properties"])
