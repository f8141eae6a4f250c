"""What a browser lets the scripts of other sites read (OID-10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Response

from idp.domain.client import Client, ClientAuthenticationMethod, GrantType
from idp.storage.repositories import clients

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from tests.support.visitor import Visitor

ASK = """async ([address, client_id]) => {
    const form = new URLSearchParams({client_id, grant_type: "authorization_code", code: "x"});
    try {
        const answer = await fetch(address, {method: "POST", body: form, headers: {DPoP: "x"}});
        return (await answer.json()).error;
    } catch (error) {
        return error.name;
    }
}"""


@pytest.mark.rule("OID-10")
def test_script_reads_the_answer_of_its_own_client_and_no_other(
    visitor: Visitor, serve: Callable[[WSGIApplication], str]
) -> None:
    """With a preflight, for the header of a proof; a page of another site gets nothing to read."""
    own, other = (serve(Response("<!doctype html><title>app</title>", mimetype="text/html")) for _ in "ab")
    client = Client(
        client_id="app-in-a-page",
        name="App",
        authentication_method=ClientAuthenticationMethod.NONE,
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE}),
        redirect_uris=(f"{own}/callback",),
        allowed_origins=(own,),
        created_at=datetime.now(UTC),  # noqa: TID251 - the demonstration reads the machine's clock
    )
    with visitor.demo.database.write() as connection:
        clients.create(connection, client)

    def ask(origin: str, path: str) -> Any:
        visitor.page.goto(origin)
        return visitor.page.evaluate(ASK, [f"{visitor.demo.provider}{path}", client.client_id])

    assert ask(own, "/token") in {"invalid_grant", "invalid_dpop_proof"}
    assert ask(other, "/token") == "TypeError"
    assert ask(own, "/introspect") == "TypeError"
    assert ask(own, "/authorize") == "TypeError"
