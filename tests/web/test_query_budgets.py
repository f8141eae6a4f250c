"""How many statements the hot path may run, whatever else is counted."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

import pytest

from idp.domain.events import AccountLocked
from idp.services import ledger
from idp.services.audit import record
from tests.support.chains import an_entry
from tests.support.dpop import ProofMaker, a_code, redeem, userinfo, with_proof
from tests.support.provider import a_provider
from tests.support.purposes import a_session
from tests.support.queries import Recording, recorded_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

SCOPE = "openid email profile offline_access"


@dataclass(frozen=True)
class Cost:
    """What one request ran, outside of transactions and inside."""

    reads: Recording
    writes: Recording

    @property
    def commits(self) -> int:
        """How many transactions there were."""
        return self.writes.commits

    def __len__(self) -> int:
        """Count every statement."""
        return len(self.reads) + len(self.writes)

    def __str__(self) -> str:
        """Show them."""
        return f"{self.reads}\n-- in transactions:\n{self.writes}"


def measured(provider: Provider, ask: Callable[[], TestResponse]) -> Cost:
    """Record what one request runs, once everything that is kept in memory is there."""
    database = provider.context.database
    with recorded_queries(database.reader) as reads, recorded_queries(database.writer) as writes:
        answer = ask()
    assert answer.status_code in {200, 201, 303}, answer.text
    return Cost(reads, writes)


@pytest.mark.rule("OID-1")
@pytest.mark.parametrize("consent_required", [True, False], ids=["with consent", "without"])
def test_silent_authorization_reads_little_and_writes_once(
    lasting_provider: Provider, *, consent_required: bool
) -> None:
    """Three reads and one transaction."""
    service = lasting_provider.a_client(consent_required=consent_required)
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    lasting_provider.tokens(browser, service, scope=SCOPE)

    recording = measured(
        lasting_provider, lambda: lasting_provider.authorize(browser, service, prompt="none", scope=SCOPE)
    )

    assert len(recording.reads) <= 3, recording
    assert recording.commits == 1
    assert len(recording.writes) <= 4, recording


@pytest.mark.rule("OID-1")
def test_code_is_redeemed_by_one_transaction_of_few_statements(lasting_provider: Provider) -> None:
    """Four statements in all, the client's version included."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()
    lasting_provider.tokens(browser, service, scope=SCOPE)
    code = lasting_provider.code(browser, service, scope=SCOPE)

    recording = measured(lasting_provider, lambda: lasting_provider.redeem(service, code))

    assert len(recording) <= 4, recording
    assert recording.commits == 1


@pytest.mark.rule("ADM-3", "CON-5")
def test_hot_path_writes_no_line_of_ledger_or_trail(lasting_provider: Provider) -> None:
    """A silent authorization, a code, a refresh and UserInfo touch no chain: their writers do not wait for it."""
    service = lasting_provider.a_client(consent_required=True)
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    lasting_provider.tokens(browser, service, scope=SCOPE)
    database = lasting_provider.context.database

    with recorded_queries(database.reader, database.writer) as recording:
        tokens = lasting_provider.tokens(browser, service, prompt="none", scope=SCOPE)
        lasting_provider.refresh(service, tokens["refresh_token"])
        lasting_provider.userinfo(tokens["access_token"])

    chained = ("chain_heads", "audit_events", "ledger_entries")
    assert not [one for one in recording.statements if any(table in one for table in chained)]


@pytest.mark.rule("ADM-3", "CON-5")
def test_lines_of_a_transaction_cost_three_statements_a_chain(lasting_provider: Provider) -> None:
    """The place, the lines, the new end: however many lines there are; they come last, one chain after the other."""
    context = lasting_provider.context
    account_id = lasting_provider.an_account().account_id

    with recorded_queries(context.database.writer) as recording, context.database.write() as connection:
        for number in range(5):
            record(connection, AccountLocked("x"), context.clock(), account_id=account_id)
            ledger.enter(connection, an_entry(account_id, number), context.clock())

    heads = [one.split()[0] for one in recording.statements if "chain_heads" in one]
    lines = [
        one for one in recording.statements if "INTO audit_events" in one or "INTO ledger_entries" in one
    ]
    assert heads == ["UPDATE"] * 4
    assert len(lines) == 2
    assert "chain_heads" not in "".join(recording.statements[:-6])


@pytest.mark.rule("OID-2")
@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
def test_refresh_runs_three_statements(lasting_provider: Provider, *, is_public: bool) -> None:
    """The client's version, the token, the new tokens."""
    service = lasting_provider.a_client(is_public=is_public)
    tokens = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=SCOPE)

    recording = measured(lasting_provider, lambda: lasting_provider.refresh(service, tokens["refresh_token"]))

    assert len(recording) <= 3, recording
    assert recording.commits == 1


@pytest.mark.rule("OID-2")
def test_userinfo_reads_twice_and_writes_nothing(lasting_provider: Provider) -> None:
    """The token with its family, account and client's version; the attributes."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    tokens = lasting_provider.tokens(browser, service, scope=SCOPE)

    recording = measured(lasting_provider, lambda: lasting_provider.userinfo(tokens["access_token"]))

    assert len(recording) <= 2, recording
    assert recording.commits == 0


@pytest.mark.rule("CON-3")
def test_purposes_cost_userinfo_one_read(lasting_provider: Provider) -> None:
    """The answers; a service that declares no purpose pays nothing."""
    session = a_session(lasting_provider)
    session.claim()

    recording = measured(lasting_provider, lambda: lasting_provider.userinfo(session.tokens["access_token"]))

    assert len(recording) <= 2, recording
    assert recording.commits == 0


@pytest.mark.rule("OID-2")
def test_introspection_reads_twice(lasting_provider: Provider) -> None:
    """The client's version and the token."""
    service = lasting_provider.a_client()
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    recording = measured(lasting_provider, lambda: lasting_provider.post("/introspect", service, token=token))

    assert len(recording) <= 2, recording
    assert recording.commits == 0


@pytest.mark.rule("OID-2")
def test_client_credentials_write_once(lasting_provider: Provider) -> None:
    """The client's version, then family and token in one transaction."""
    service = lasting_provider.a_client()
    lasting_provider.post("/token", service, grant_type="client_credentials")

    recording = measured(
        lasting_provider, lambda: lasting_provider.post("/token", service, grant_type="client_credentials")
    )

    assert len(recording) <= 3, recording
    assert recording.commits == 1


@pytest.mark.rule("OID-5")
def test_proof_costs_one_transaction_and_a_jwt_token_none(lasting_provider: Provider) -> None:
    """A proof is remembered, wherever it is brought; a token for an API is stored like any."""
    service = lasting_provider.a_client(resources=("https://api.example.org",))
    key = ProofMaker(lasting_provider.clock)
    grant = {"grant_type": "client_credentials"}
    lasting_provider.post("/token", service, **grant)
    token = redeem(lasting_provider, service, a_code(lasting_provider, service), key.proof()).json[
        "access_token"
    ]
    proof = key.proof("/userinfo", method="GET", access_token=token)

    userinfo_cost = measured(lasting_provider, lambda: userinfo(lasting_provider, token, proof))
    token_cost = measured(lasting_provider, lambda: with_proof(lasting_provider, service, key.proof(), grant))
    jwt_cost = measured(
        lasting_provider,
        lambda: lasting_provider.post("/token", service, **grant, resource="https://api.example.org"),
    )

    assert (len(userinfo_cost.reads), userinfo_cost.commits) == (1, 1), userinfo_cost
    assert (len(token_cost), token_cost.commits) == (4, 2), token_cost
    assert (len(jwt_cost), jwt_cost.commits) == (3, 1), jwt_cost


def test_malformed_secrets_run_nothing_but_the_clients_version(lasting_provider: Provider) -> None:
    """A flood of invented tokens costs no look-up: prefix and checksum tell (S-192, S-196)."""
    service = lasting_provider.a_client()
    database = lasting_provider.context.database
    lasting_provider.introspect(service, "x")

    with recorded_queries(database.reader, database.writer) as recording:
        lasting_provider.introspect(service, "mpa_" + "a" * 49)
        lasting_provider.redeem(service, "mpc_" + "a" * 49)
        lasting_provider.refresh(service, "mpr_" + "a" * 49)
        lasting_provider.userinfo("mpa_" + "a" * 49)

    assert len(recording) == 3, recording


@pytest.mark.rule("OID-5")
def test_request_is_pushed_by_one_read_and_one_write(lasting_provider: Provider) -> None:
    """The client's version, then the request."""
    service = lasting_provider.a_client()
    parameters = lasting_provider.parameters(service)
    lasting_provider.post("/par", service, **parameters)

    recording = measured(lasting_provider, lambda: lasting_provider.post("/par", service, **parameters))

    assert len(recording.reads) <= 1, recording
    assert recording.commits == 1
    assert len(recording.writes) <= 1, recording


@pytest.mark.rule("OID-5")
def test_pushed_request_costs_three_statements_more_than_a_plain_one(lasting_provider: Provider) -> None:
    """The client's version and the request as it was pushed; and its end, in the transaction of the answer."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    lasting_provider.tokens(browser, service, scope=SCOPE)
    plain = measured(lasting_provider, lambda: lasting_provider.authorize(browser, service, scope=SCOPE))
    pushed = lasting_provider.post("/par", service, **lasting_provider.parameters(service, scope=SCOPE))
    query = {"client_id": service.client_id, "request_uri": (pushed.json or {})["request_uri"]}

    recording = measured(lasting_provider, lambda: browser.get("/authorize", query_string=query))

    assert recording.commits == 1
    assert len(recording) <= len(plain) + 3, recording


@pytest.mark.rule("PRO-1")
def test_home_page_reads_each_thing_once(lasting_provider: Provider) -> None:
    """Session, attributes, what waits, the link, terms, requests, favourites, rubriques, open services."""
    provider = lasting_provider
    linking = a_provider(
        provider.context.database,
        provider.clock,
        franceconnect={"enabled": True, "client_id": "a", "client_secret": "b"},
    )
    browser = linking.signed_in(linking.an_account(given_name="Zoé"))
    browser.get("/")

    recording = measured(linking, lambda: browser.get("/"))

    assert len(recording.reads) <= 9, recording
    assert len(recording.writes) == 0, recording


def test_no_view_and_no_hook_is_a_coroutine(lasting_provider: Provider) -> None:
    """The application does not ask at each request: what would have to be awaited would never run."""
    app = lasting_provider.app
    hooks = [
        function
        for kind in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
        for functions in kind.values()
        for function in functions
    ]

    assert [name for name, view in app.view_functions.items() if iscoroutinefunction(view)] == []
    assert [hook for hook in hooks if iscoroutinefunction(hook)] == []
