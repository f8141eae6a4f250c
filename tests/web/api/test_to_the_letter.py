"""The interfaces do what /api/openapi.json says, read by somebody who has nothing else (PRO-6, PRO-7, CON-3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.crypto.opaque import keyed_digest
from idp.domain.service_request import MOST_OF_A_PERSON
from idp.domain.throttle import Counter
from idp.services.clients import calls
from idp.storage.repositories import throttle
from idp.storage.repositories.throttle import StoredCounter
from tests.services.test_newsletters import NEWS
from tests.support.faults import snapshot
from tests.support.openapi import Description, Operation
from tests.support.purposes import Session, a_session
from tests.web.api.test_newsletters import Owner, an_owner
from tests.web.api.test_requests import HOME, Writer, a_writer, own_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("PRO-6", "PRO-7", "CON-3")

ALL_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
JSON = "application/json"
#: What each operation takes, as its document says.
BODIES: dict[str, dict[str, Any]] = {
    "put_request": {
        "title": "Carte de stationnement",
        "status": "to_pay",
        "status_text": "À régler en ligne",
        "message": "Il reste 45 €.\r\nMerci.",
        "url": f"{HOME}pay?id=1#card",
        "due_at": "2026-03-20T08:00:00+01:00",
        "step": 2,
        "steps": 4,
        "updated_at": "2026-03-02T08:00:00.000001Z",
    },
    "answer_purpose": {"answer": True, "version": "1", "language": "fr"},
}
PATIENT = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class World:
    """A service for each interface, and somebody who knows them."""

    provider: Provider
    writer: Writer
    owner: Owner
    session: Session
    description: Description

    def call(
        self,
        name: str,
        /,
        *,
        token: str | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        **parameters: str,
    ) -> TestResponse:
        """Call an operation rightly, but for what is given."""
        operation = self.description.operations[name]
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.provider.back_channel.open(
            self.address(operation, **parameters),
            method=operation.method,
            query_string=query,
            data=json.dumps(BODIES[name]).encode() if data is None and name in BODIES else data,
            headers=self.bearer(name, token) | {"Content-Type": JSON} | (headers or {}),
        )

    def address(self, operation: Operation, /, **parameters: str) -> str:
        """Write the address of an operation."""
        path = operation.path
        names = {
            "subject": self.writer.subject,
            "kind": "permit",
            "reference": "DA-1",
            "name": MINE.get(operation.name, ""),
        } | parameters
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        return path

    def bearer(self, name: str, token: str | None = None) -> dict[str, str]:
        """Give the header that opens an operation."""
        own = {"list_subscribers": self.owner.token, **dict.fromkeys(OF_REQUESTS, self.writer.token)}
        given_ = own.get(name, self.session.tokens["access_token"]) if token is None else token
        return {"Authorization": f"Bearer {given_}"} if given_ else {}


MINE = {"answer_purpose": "mobile_providers", "list_subscribers": "news"}
OF_REQUESTS = ("put_request", "get_request", "delete_request")
NEEDING_A_TOKEN = (*OF_REQUESTS, "list_purposes", "answer_purpose", "list_subscribers")


def a_world(provider: Provider) -> World:
    """Register the services, and sign people in there."""
    document = provider.back_channel.get("/api/openapi.json").json
    return World(provider, a_writer(provider), an_owner(provider), a_session(provider), Description(document))


@pytest.fixture
def world(lasting_provider: Provider) -> World:
    """The interfaces, with services and people of the test's own."""
    return a_world(lasting_provider)


def at(minutes: int, **members: Any) -> dict[str, Any]:
    """Write what a service says, so many minutes after another word."""
    return BODIES["put_request"] | {"updated_at": f"2026-03-02T08:{minutes:02}:00Z"} | members


def said_before(world: World, name: str, **parameters: str) -> TestResponse:
    """Call an operation about a request that is there."""
    assert world.call("put_request", **parameters).status_code in (200, 201)
    return world.call(name, **parameters)


def an_outdated_word(world: World) -> TestResponse:
    """Say something older than what is kept."""
    world.call("put_request", body=at(5))
    return world.call("put_request", body=at(4, status="closed"))


def one_request_too_many(world: World) -> TestResponse:
    """Fill what one service may write for one person, in the database, and write once more."""
    assert world.call("put_request", reference="first").status_code == 201
    with world.provider.context.database.write() as connection:
        (row,) = connection.exec_driver_sql(
            f"SELECT * FROM service_requests WHERE client_id = '{world.writer.service.client_id}'"  # noqa: S608 - our own value
        ).mappings()
        for number in range(MOST_OF_A_PERSON - 1):
            copy = dict(row) | {"request_id": f"{row['request_id']}-{number}", "reference": f"copy-{number}"}
            names = ", ".join(copy)
            values = ", ".join("NULL" if value is None else _literal(value) for value in copy.values())
            connection.exec_driver_sql(f"INSERT INTO service_requests ({names}) VALUES ({values})")  # noqa: S608 - our own values
    return world.call("put_request", reference="one-too-many")


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def too_often(name: str) -> Callable[[World], TestResponse]:
    """Call an operation when the service has used up its minute."""

    def call(world: World) -> TestResponse:
        service = world.owner.service if name == "list_subscribers" else world.writer.service
        brake_until_the_next_minute(world.provider, service)
        return world.call(name)

    return call


def brake_until_the_next_minute(provider: Provider, service: Service) -> None:
    """Write into the counter of a service that it has called too often."""
    context, now = provider.context, provider.context.clock()
    brake, until = calls.brake(service.client_id), now + timedelta(seconds=59.5)
    key = keyed_digest(context.derived.throttle, brake.kind, brake.value)
    counter = Counter(failures=1200, window_started_at=now, blocked_until=until)
    with context.database.write() as connection:
        throttle.lock(connection, [key], now)
        throttle.save(connection, [StoredCounter(key, counter.to_json(), until)])


def of_another_kind(name: str) -> Callable[[World], TestResponse]:
    """Call an operation with a live token that is not for it."""

    def call(world: World) -> TestResponse:
        person, own = world.session.tokens["access_token"], world.owner.token
        return world.call(name, token=own if "purpose" in name else person)

    return call


def with_header(name: str, **headers: str) -> Callable[[World], TestResponse]:
    """Call an operation with other headers."""
    return lambda world: world.call(
        name, headers={key.replace("_", "-"): value for key, value in headers.items()}
    )


#: How each documented answer comes about; the set of keys is compared with the document.
CASES: dict[tuple[str, int], Callable[[World], TestResponse]] = {
    ("describe", 200): lambda world: world.call("describe", token=""),
    ("list_purposes", 200): lambda world: world.call("list_purposes"),
    ("list_purposes", 400): lambda world: world.call("list_purposes", query={"access_token": "x"}),
    ("answer_purpose", 200): lambda world: world.call("answer_purpose"),
    ("answer_purpose", 400): lambda world: world.call(
        "answer_purpose", body={"answer": "yes", "version": "1"}
    ),
    ("answer_purpose", 404): lambda world: world.call("answer_purpose", name="elses"),
    ("answer_purpose", 409): lambda world: world.call(
        "answer_purpose", body={"answer": True, "version": "9"}
    ),
    ("answer_purpose", 413): lambda world: world.call("answer_purpose", body=b" " * 5000),
    ("put_request", 200): lambda world: said_before(world, "put_request"),
    ("put_request", 201): lambda world: world.call("put_request"),
    ("put_request", 400): lambda world: world.call("put_request", body={"title": "x"}),
    ("put_request", 404): lambda world: world.call("put_request", subject="nobody"),
    ("put_request", 409): an_outdated_word,
    ("put_request", 413): lambda world: world.call("put_request", body=b" " * 40_000),
    ("get_request", 200): lambda world: said_before(world, "get_request"),
    ("get_request", 400): lambda world: world.call("get_request", kind="Permit"),
    ("get_request", 404): lambda world: world.call("get_request"),
    ("delete_request", 204): lambda world: said_before(world, "delete_request"),
    ("delete_request", 400): lambda world: world.call("delete_request", reference="-1"),
    ("delete_request", 404): lambda world: world.call("delete_request"),
    ("list_subscribers", 200): lambda world: (world.owner.subscribe(2), world.call("list_subscribers"))[1],
    ("list_subscribers", 400): lambda world: world.call("list_subscribers", query={"limit": "0"}),
    ("list_subscribers", 404): lambda world: world.call("list_subscribers", name="elses"),
    **{(name, 401): lambda world, name=name: world.call(name, token="") for name in NEEDING_A_TOKEN},
    **{(name, 403): of_another_kind(name) for name in NEEDING_A_TOKEN},
    **{(name, 415): with_header(name, Content_Type="text/plain") for name in BODIES},
    **{(name, 429): too_often(name) for name in (*OF_REQUESTS, "list_subscribers")},
}


def test_every_documented_answer_has_a_case(world: World) -> None:
    """Nothing is promised that no test has seen, nothing is answered here that is not promised."""
    documented = {
        (name, status) for name, one in world.description.operations.items() for status in one.responses
    }

    assert documented == set(CASES)


@pytest.mark.parametrize("name, status", CASES, ids=str)
def test_documented_answer_is_given_as_documented(lasting_provider: Provider, name: str, status: int) -> None:
    """Status, content type, headers and every member."""
    world = a_world(lasting_provider)

    answer = CASES[name, status](world)

    assert answer.status_code == status, answer.text
    assert complaints(world, name, answer) == []


def complaints(world: World, name: str, answer: TestResponse) -> list[str]:
    """Compare an answer with what its operation says of this status."""
    operations = world.description.operations
    described = operations[name].responses.get(answer.status_code)
    if described is None:
        return [f"{answer.status_code} is not documented"]
    found = [
        f"{header} is missing"
        for header, one in described.get("headers", {}).items()
        if one["required"] and header not in answer.headers
    ]
    if answer.headers.get("Cache-Control") != "no-store" and answer.status_code != 204:
        found.append("may be cached")
    content = described.get("content", {}).get(JSON)
    if content is None:
        return [*found, *(["a body"] if answer.data else [])]
    if answer.content_type != JSON:
        return [*found, f"content type {answer.content_type}"]
    return [*found, *world.description.faults(content.get("schema", {}), answer.json)]


# Bad bodies, drawn from the document


def spoiled(description: Description, name: str) -> SearchStrategy[dict[str, Any]]:
    """Draw what is wrong with a body: each member that it names is wrong, one that is None is missing."""
    schema = description.operations[name].body
    assert schema is not None
    required = set(schema["required"])
    wrong = {
        member: st.one_of(st.tuples(description.wrong(part)), *([st.just(())] if member in required else []))
        for member, part in schema["properties"].items()
    }
    unknown = st.text(max_size=20).filter(lambda text: text not in schema["properties"])
    drawn = st.fixed_dictionaries({}, optional=wrong)
    others = st.dictionaries(unknown, st.tuples(st.integers()), max_size=2)
    return st.builds(lambda one, other: one | other, drawn, others).filter(bool)


@pytest.mark.parametrize("name", BODIES)
def test_body_that_the_document_forbids_is_refused_member_by_member(world: World, name: str) -> None:
    """Each member that is wrong is named, no other one is, and nothing is kept."""
    before = kept(world)

    @PATIENT
    @given(spoiled(world.description, name))
    def law(wrong: dict[str, tuple[Any, ...]]) -> None:
        given_ = {member: value[0] for member, value in wrong.items() if value}
        body = {member: value for member, value in BODIES[name].items() if member not in wrong} | given_

        answer = world.call(name, body=body)

        assert answer.status_code == 400, answer.text
        assert complaints(world, name, answer) == []
        assert {fault["member"] for fault in answer.json["faults"]} == set(wrong)

    law()
    assert kept(world) == before


@pytest.mark.parametrize("name", BODIES)
def test_body_that_the_document_allows_is_taken(world: World, name: str) -> None:
    """What is required alone, and nothing for what may be nothing."""
    schema = world.description.operations[name].body
    assert schema is not None
    smallest = {member: BODIES[name][member] for member in schema["required"]}
    nothing = {
        member: None
        for member, part in schema["properties"].items()
        if "null" in world.description.resolved(part).get("type", "")
    }

    for body in (smallest, BODIES[name] | nothing):
        assert world.description.faults(schema, body) == []
        assert world.call(name, body=body, reference=f"r{len(body)}").status_code in (200, 201)


@pytest.mark.parametrize("name", sorted((*OF_REQUESTS, "answer_purpose", "list_subscribers")))
def test_address_that_the_document_forbids_is_refused_by_its_parts(world: World, name: str) -> None:
    """Whatever stands in the address or the query: 400 names the part, or there is nothing."""
    before = kept(world)
    operation = world.description.operations[name]
    parts = {
        part: st.text(max_size=40).filter(
            lambda text, schema=one["schema"]: world.description.faults(schema, text) != []
        )
        for part, one in operation.parameters.items()
    }

    @PATIENT
    @given(st.sampled_from(sorted(parts)).flatmap(lambda part: st.tuples(st.just(part), parts[part])))
    def law(drawn: tuple[str, str]) -> None:
        part, value = drawn
        if operation.parameters[part]["in"] == "query":
            # A query is text: a number that is allowed is written in digits.
            if part == "limit" and value.isascii() and value.isdigit() and 1 <= int(value) <= 500:
                return
            answer = world.call(name, query={part: value})
        else:
            answer = world.call(name, **{part: value})

        assert answer.status_code in {400, 404, 405}, answer.text
        assert world.description.faults({"$ref": "#/components/schemas/Error"}, answer.json) == []
        if answer.status_code == 400:
            assert part in {fault["member"] for fault in answer.json["faults"]}

    law()
    assert kept(world) == before


def kept(world: World) -> dict[str, list[str]]:
    """Read everything that is kept, but for how often services called."""
    found = snapshot(world.provider.context.database)
    del found["throttle_counters"]
    return found


# Bad bodies that no schema tells of

RAW: list[tuple[str, bytes, dict[str, str], int]] = [
    ("nothing", b"", {}, 400),
    ("cut", b'{"title": "x', {}, 400),
    ("array", b"[]", {}, 400),
    ("text", b'"x"', {}, 400),
    ("null", b"null", {}, 400),
    ("two documents", b"{}{}", {}, 400),
    ("byte order mark", b"\xef\xbb\xbf{}", {}, 400),
    ("UTF-16", "{}".encode("utf-16"), {}, 400),
    ("Latin-1", '{"title": "Été"}'.encode("latin-1"), {}, 400),
    ("half a character", b'{"title": "\\ud800"}', {}, 400),
    ("NaN", b'{"step": NaN}', {}, 400),
    ("number beyond all", b'{"step": 1e999}', {}, 400),
    ("a thousand digits", b'{"step": ' + b"9" * 1000 + b"}", {}, 400),
    ("deep array", b'{"title": ' + b"[" * 1500 + b"]" * 1500 + b"}", {}, 400),
    ("deep object", b'{"title": ' + b'{"a":' * 500 + b"1" + b"}" * 501, {}, 400),
    ("nul", b'{"title": "a\\u0000b", "\\u0000": 1}', {}, 400),
    ("form", b"title=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ("no type", b"{}", {"Content-Type": ""}, 415),
    ("another JSON", b"{}", {"Content-Type": "application/problem+json"}, 415),
    ("another charset", b"{}", {"Content-Type": "application/json; charset=iso-8859-1"}, 415),
    ("compressed", b"{}", {"Content-Encoding": "gzip"}, 415),
    ("huge", b'{"title": "' + b"x" * 300_000 + b'"}', {}, 413),
]


@pytest.mark.parametrize("name", BODIES)
def test_body_that_no_schema_allows_is_refused(world: World, name: str) -> None:
    """Whatever the bytes, their type and their coding: the documented error, and nothing is kept."""
    before = kept(world)

    for what, data, headers, status in RAW:
        answer = world.call(name, body=data, headers=headers)

        assert answer.status_code == status, what
        assert answer.json["error"] == "invalid_request", what
        assert complaints(world, name, answer) == [], what
    assert kept(world) == before


@pytest.mark.parametrize("name", BODIES)
def test_member_that_is_repeated_is_named(world: World, name: str) -> None:
    """Two readers might each take another one."""
    before = kept(world)
    members = json.dumps(BODIES[name])[1:-1]
    twice = next(iter(BODIES[name]))

    answer = world.call(name, body=f'{{{members}, "{twice}": null}}'.encode())

    assert (answer.status_code, answer.json["faults"]) == (400, [{"member": twice, "problem": "repeated"}])
    assert kept(world) == before


@pytest.mark.parametrize("charset", ["application/json; charset=UTF-8", "Application/JSON"])
def test_type_is_read_as_types_are(world: World, charset: str) -> None:
    """Case and a charset that says what JSON is anyway are no other type (RFC 8259 section 11)."""
    assert world.call("put_request", headers={"Content-Type": charset}).status_code == 201


# Around the operations


def test_other_methods_are_refused_with_those_there_are(world: World) -> None:
    """405, with `Allow` (RFC 9110 section 15.5.6)."""
    operations = world.description.operations.values()

    for operation in operations:
        allowed = {one.method for one in operations if one.path == operation.path}
        for method in set(ALL_METHODS) - allowed:
            answer = world.provider.back_channel.open(world.address(operation), method=method)

            assert (answer.status_code, answer.json["error"]) == (405, "invalid_request")
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed


def test_answer_is_json_whatever_is_accepted(world: World) -> None:
    """A program that asks as a browser does gets what programs get, an address of nothing included."""
    asked = {"Accept": "text/html"}

    for answer in (
        world.call("list_purposes", headers=asked),
        world.call("put_request", body={}, headers=asked),
        world.provider.back_channel.get("/api/nothing", headers=asked),
    ):
        assert answer.is_json
        if answer.status_code >= 400:
            assert world.description.faults({"$ref": "#/components/schemas/Error"}, answer.json) == []
            assert answer.json["error_description"] != ""


@pytest.mark.spec("RFC 6750", "3.1", "MAY")
@pytest.mark.parametrize(
    "name, scope",
    [("put_request", "requests"), ("list_subscribers", "newsletters"), ("answer_purpose", "openid")],
)
def test_token_that_lacks_a_scope_is_told_which(world: World, name: str, scope: str) -> None:
    """The administrator has to be asked for it."""
    answer = of_another_kind(name)(world)

    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{scope}"' in challenge


def test_service_that_calls_too_often_is_told_when_to_come_back(provider: Provider) -> None:
    """Its own calls alone are counted; the next minute begins anew, to the second and never too early."""
    world = a_world(provider)
    other = a_writer(world.provider)
    brake_until_the_next_minute(world.provider, world.writer.service)

    answer = world.call("put_request")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert world.writer.shown == []
    assert other.put().status_code == 201
    world.provider.clock.advance(timedelta(seconds=60))
    assert world.call("put_request").status_code == 201


def test_calls_are_counted_up_to_the_limit(world: World) -> None:
    """The last call within the limit counts, the one after it does not."""
    provider = world.provider
    with provider.context.database.write() as connection:
        key = keyed_digest(
            provider.context.derived.throttle, *_name_of(calls.brake(world.writer.service.client_id))
        )
        throttle.lock(connection, [key], provider.clock())
        nearly = Counter(failures=calls.CALLS.free_failures - 1, window_started_at=provider.clock())
        throttle.save(connection, [StoredCounter(key, nearly.to_json(), provider.clock())])

    statuses = [world.call("put_request").status_code for _ in range(2)]

    assert statuses == [201, 429]


def _name_of(brake: Any) -> tuple[str, str]:
    return brake.kind, brake.value


def test_full_person_takes_no_more_of_a_service(world: World) -> None:
    """Five hundred requests of one person are a fault of the service's; what is there can still be changed."""
    full = one_request_too_many(world)

    assert (full.status_code, full.json["error"]) == (409, "too_many_requests")
    assert complaints(world, "put_request", full) == []
    assert world.call("put_request", reference="first", body=at(30)).status_code == 200


def test_limited_person_is_nobody_to_a_service(world: World) -> None:
    """Nothing is told about them, nothing is written for them, and which it is can't be read off (RGPD article 18)."""
    world.call("put_request")
    with world.provider.context.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE accounts SET limited_at = 1 WHERE account_id = '{world.writer.account.account_id}'"  # noqa: S608
        )

    assert world.call("put_request", body=at(1)).json["error"] == "unknown_subject"
    assert world.call("get_request").status_code == world.call("delete_request").status_code == 404


def test_scope_that_is_taken_back_closes_the_interface_at_once(world: World) -> None:
    """A token that still lives opens nothing any more."""
    scopes = world.writer.service.client.scopes - {"requests"}
    world.provider.change(world.writer.service, scopes=scopes)

    answer = world.call("put_request")

    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")


def test_pages_end_and_begin_where_they_say(world: World) -> None:
    """A place that was another list's, or nobody's, skips nobody twice; the last page has no next one."""
    world.owner.subscribe(3)
    everybody = [one["sub"] for one in world.call("list_subscribers").json["subscribers"]]

    first = world.call("list_subscribers", query={"limit": "3"}).json
    behind = world.call("list_subscribers", query={"after": "f" * 64}).json
    before = world.call("list_subscribers", query={"after": "0" * 64}).json

    assert (first["next"], [one["sub"] for one in first["subscribers"]]) == (None, everybody)
    assert behind == {"subscribers": [], "next": None}
    assert len(before["subscribers"]) == 3


def test_newsletter_of_a_service_without_its_scope_can_not_be_read(world: World) -> None:
    """Owning a list is not enough: an administrator opens the interface."""
    service = world.provider.a_client(
        newsletters=(NEWS,),
        scopes=frozenset({"openid", "other"}),
        grant_types=world.owner.service.client.grant_types,
    )

    answer = world.call("list_subscribers", token=own_token(world.provider, service, "other"))

    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")
