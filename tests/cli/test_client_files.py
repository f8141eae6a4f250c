"""`idp clients apply` brings the services in line with a file; `idp clients check` says what contracts lack (CON-1)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.crypto.opaque import SecretKind, is_well_formed
from idp.services.clients import declaration
from idp.storage.engine import Database, open_database
from idp.storage.models import audit_events, client_secrets, clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Run

pytestmark = pytest.mark.rule("ADM-1", "CON-1")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/services.example.toml"
CHANGES = 8
BARE = """
[[service]]
client_id = "parking"
name = "Parking"
organisation = "Voirie"
policy_uri = "https://parking.example.org/donnees"
legal_basis = "public_interest"
redirect_uris = ["https://parking.example.org/cb", "https://parking.example.org/cb2"]
scopes = ["openid", "email"]
description = {fr = "Un service."}
retention = {fr = "Un an."}
[[service.claims]]
name = "email"
reason = {fr = "Pour écrire."}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that describes one service."""
    services = tmp_path / "services.toml"
    services.write_text(BARE, encoding="utf-8")
    return services


@pytest.fixture
def apply(idp: Run, file: Path) -> Callable[..., Ran]:
    """Apply that file, after changes."""

    def changed(*flags: str, replace: tuple[tuple[str, str], ...] = ()) -> Ran:
        text = file.read_text(encoding="utf-8")
        for before, after in replace:
            assert before in text
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        return idp("clients", "apply", str(file), *flags)

    return changed


def database_of(config: Path) -> Database:
    """Open the database of a configuration."""
    return open_database(config.read_text().split('url = "')[1].split('"')[0])


def rows(config: Path) -> tuple[int, int, int]:
    """Count clients, secrets and lines of the trail."""
    database = database_of(config)
    with database.read() as connection:
        counted = tuple(
            connection.scalar(select(func.count()).select_from(one)) or 0
            for one in (clients, client_secrets, audit_events)
        )
    database.dispose()
    return counted  # type: ignore[return-value] # three tables


def test_example_is_applied_as_it_stands(idp: Run) -> None:
    """What the documentation gives registers two services, one of them with a secret, and is complete."""
    made = idp("clients", "apply", str(EXAMPLE))
    again = idp("clients", "apply", str(EXAMPLE), "--json")
    checked = idp("clients", "check")

    assert made.code == 0, made.err
    assert "+ stationnement  Stationnement résidentiel: created" in made.out
    secrets = re.findall(r"client_secret of (\S+)  (\S+)", made.out)
    assert [name for name, _ in secrets] == ["stationnement"]
    assert is_well_formed(SecretKind.CLIENT_SECRET, secrets[0][1])
    assert again.json == {
        "applied": False,
        "services": [
            {"client_id": "stationnement", "outcome": "unchanged", "changes": []},
            {"client_id": "panel", "outcome": "unchanged", "changes": []},
        ],
    }
    assert (checked.code, checked.out) == (0, "Every contract is complete.\n")
    shown = idp("clients", "show", "stationnement", "--json").json
    assert shown["purposes"][0]["recipients"] == ["PayByPhone", "Flowbird", "EasyPark", "Indigo Neo"]


def test_dry_run_shows_and_changes_nothing(idp: Run, config: Path, apply: Callable[..., Ran]) -> None:
    """Its exit code tells a program that there is something to do."""
    before = rows(config)

    tried = apply("--dry-run")

    assert tried.code == CHANGES
    assert "+ parking  Parking: created" in tried.out
    assert "dry run" in tried.out
    assert "client_secret" not in tried.out
    assert rows(config) == before
    assert apply().code == 0
    assert apply("--dry-run").code == 0
    assert idp("clients", "apply", "/nowhere.toml").code == 2


def test_second_time_there_is_nothing_to_do(config: Path, apply: Callable[..., Ran]) -> None:
    """Nothing is written, and no secret is made."""
    apply()
    before = rows(config)

    again = apply()

    assert again.code == 0
    assert "= parking  Parking: unchanged" in again.out
    assert "Nothing to do." in again.out
    assert rows(config) == before


def test_difference_is_told_field_by_field(apply: Callable[..., Ran]) -> None:
    """Before and after; members of lists one by one, claims by their name."""
    apply()

    tried = apply(
        "--dry-run",
        replace=(
            ('name = "Parking"', 'name = "Stationnement"\nminimum_age = 15'),
            ("https://parking.example.org/cb2", "https://parking.example.org/cb3"),
            ('{fr = "Un an."}', '{fr = "Deux ans.", en = "Two years."}'),
            (
                '"Pour écrire."}',
                '"Pour écrire vite."}\n[[service.claims]]\nname = "gender"\nreason = {fr = "x"}',
            ),
        ),
    )

    assert tried.code == CHANGES
    assert tried.out.splitlines()[:10] == [
        "~ parking  Stationnement: changed",
        '    name: "Parking" -> "Stationnement"',
        '    redirect_uris: - "https://parking.example.org/cb2"',
        '    redirect_uris: + "https://parking.example.org/cb3"',
        '    claims.email.reason.fr: "Pour écrire." -> "Pour écrire vite."',
        '    claims.gender: + {"reason": {"fr": "x"}, "required": false, "minimum_level": 100}',
        '    retention.fr: "Un an." -> "Deux ans."',
        '    retention.en: + "Two years."',
        "    minimum_age: + 15",
        "    Note: policy_version stays, so that nobody is asked again about this (CON-8).",
    ]


@pytest.mark.rule("ADM-2")
def test_what_takes_away_is_confirmed(idp: Run, config: Path, apply: Callable[..., Ran]) -> None:
    """Without a person to ask, --yes has to say so; what only adds needs none."""
    apply()
    before = rows(config)

    refused = apply(replace=((', "https://parking.example.org/cb2"', ""),))
    kept = rows(config)
    done = apply("--yes")
    added = apply(replace=(('name = "Parking"', 'name = "Parking"\nminimum_age = 15'),))

    assert refused.code == 2
    assert "--yes" in refused.err
    assert kept == before
    assert (done.code, added.code) == (0, 0)
    shown = idp("clients", "show", "parking", "--json").json
    assert (shown["redirect_uris"], shown["minimum_age"]) == (["https://parking.example.org/cb"], 15)


def test_what_the_file_leaves_out_goes_back_to_its_default(idp: Run, apply: Callable[..., Ran]) -> None:
    """The file is the whole of a service; its secret, and a logo that was uploaded, are not in it and stay."""
    apply()
    before = idp("clients", "show", "parking", "--json").json
    idp("clients", "update", "parking", "--minimum-age", "15", "--no-pkce", "--contact", "a@example.org")

    undone = apply("--yes")

    after = idp("clients", "show", "parking", "--json").json
    assert "minimum_age: - 15" in undone.out
    assert after == before | {"version": after["version"]}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "must have [[service]] tables"),
        ("service = 1", "must have [[service]] tables"),
        ("service = [1]", "service 1: client_id must be a text"),
        ("[[service]]\nname = 'x'", "service 1: client_id must be a text"),
        ("[[services]]\nclient_id = 'x'", "must have [[service]] tables, and nothing else"),
        ("[[service]]\nclient_id = 'x'\nname = 'X'\ncolour = 'red'", "x: "),
        ("[[service]]\nclient_id = 'x'\nname = 1", "x: "),
        ("[[service]]\nclient_id = 'x'\nname = 'X'\nresponse_types = [1]", "x: "),
        ("[[service]]\nclient_id = 'x'\nname = 'X'\njwks_file = 'none.json'", "none.json"),
        ("[[service]]\nclient_id = 'x'\nname = 'X'\nlogo_file = 'none.png'", "none.png"),
        ("[[service]", "services.toml"),
        (BARE + BARE, "parking: is there more than once"),
        (BARE.replace('legal_basis = "public_interest"', ""), "parking: legal_basis must be named"),
        (BARE.replace('legal_basis = "public_interest"', 'legal_basis = "fun"'), "parking: "),
        (BARE.replace("[[service.claims]]", "[[service.claim]]"), "parking: "),
        (BARE + '[[service.purposes]]\nname = "p"\n', "parking: "),
    ],
)
def test_file_that_can_not_be_read_changes_nothing(
    idp: Run, config: Path, file: Path, text: str, words: str
) -> None:
    """The file, the service and what is wrong are named."""
    before = rows(config)
    file.write_text(text, encoding="utf-8")

    refused = idp("clients", "apply", str(file), "--yes")

    assert refused.code == 1
    assert words in refused.err
    assert rows(config) == before


def test_one_faulty_service_stops_all_and_everything_is_told_at_once(
    idp: Run, config: Path, file: Path
) -> None:
    """Each problem is a line with the service and the field; the good services are not registered either."""
    before = rows(config)
    bad = BARE.replace('"parking"', '"other"').replace(
        "https://parking.example.org/cb2", "https://parking.example.org/#x"
    )
    bad = bad.replace('organisation = "Voirie"', "").replace('retention = {fr = "Un an."}', "")
    file.write_text(
        BARE + bad + BARE.replace('"parking"', '"third"').replace('policy_uri = "https', 'policy_uri = "ftp')
    )

    refused = idp("clients", "apply", str(file))

    assert refused.code == 1
    told = {tuple(line.split()[:2]) for line in refused.err.splitlines()[1:]}
    assert told == {
        ("other:", "redirect_uris"),
        ("other:", "organisation"),
        ("other:", "retention"),
        ("third:", "policy_uri"),
    }
    assert rows(config) == before


@pytest.mark.rule("CON-1")
def test_service_that_asks_nothing_of_people_needs_no_contract(idp: Run, file: Path) -> None:
    """An API that checks tokens has nobody to tell anything."""
    file.write_text(
        '[[service]]\nclient_id = "api"\nname = "API"\nscopes = ["api"]\ngrant_types = ["client_credentials"]\n'
    )

    assert idp("clients", "apply", str(file)).code == 0


def test_service_that_left_the_file_is_closed_by_prune_only(
    idp: Run, config: Path, apply: Callable[..., Ran]
) -> None:
    """Left as it is without, closed with --prune and a confirmation; erased never."""
    apply()
    idp("clients", "create", "--id", "old", "--name", "Vieux", "--redirect-uri", "https://old.example/cb")
    idp("clients", "create", "--id", "own", "--name", "Soi", "--redirect-uri", "https://own.example/cb",
        "--unverified")  # fmt: skip

    left = apply()
    tried = apply("--prune", "--dry-run", "--json")
    refused = apply("--prune")
    pruned = apply("--prune", "--yes")
    again = apply("--prune", "--yes")

    assert "? old  Vieux: not in the file: left as it is" in left.out
    assert "own" not in left.out
    assert tried.code == CHANGES
    assert tried.json["services"][-1] == {"client_id": "old", "outcome": "closed", "changes": []}
    assert refused.code == 2
    assert "- old  Vieux: no longer in the file: closed" in pruned.out
    assert idp("clients", "show", "old", "--json").json["disabled_at"] is not None
    assert idp("clients", "show", "own", "--json").json["disabled_at"] is None
    assert "Nothing to do." in again.out
    assert rows(config)[0] == 3


def test_closed_service_is_not_opened_by_its_file(idp: Run, apply: Callable[..., Ran]) -> None:
    """Whoever closed it had a reason; how to open it is told."""
    apply()
    idp("clients", "disable", "parking")

    again = apply()

    assert "idp clients enable" in again.err
    assert idp("clients", "show", "parking", "--json").json["disabled_at"] is not None


@pytest.mark.rule("ADM-2")
def test_secret_of_a_new_service_is_shown_once_to_programs_too(apply: Callable[..., Ran]) -> None:
    """And a service that stops having one loses it; one that begins to have one gets it."""
    made = apply("--json")
    public = apply("--json", "--yes", replace=(("scopes =", 'authentication_method = "none"\nscopes ='),))
    again = apply("--json", "--yes", replace=(('authentication_method = "none"\n', ""),))

    first = made.json["services"][0]["client_secret"]
    assert is_well_formed(SecretKind.CLIENT_SECRET, first)
    assert "client_secret" not in public.json["services"][0]
    assert again.json["services"][0]["client_secret"] != first


def test_logo_comes_from_a_file_beside_and_stays_when_unnamed(
    idp: Run, file: Path, apply: Callable[..., Ran]
) -> None:
    """The same image is no change; another one is."""
    (file.parent / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    apply(replace=(("scopes =", 'logo_file = "logo.png"\nscopes ='),))
    first = idp("clients", "show", "parking", "--json").json["logo_uri"]

    same = apply("--dry-run")
    unnamed = apply("--dry-run", replace=(('logo_file = "logo.png"\n', ""),))
    (file.parent / "logo.png").write_bytes(b"\xff\xd8\xff" + bytes(40))
    other = apply("--dry-run", replace=(("scopes =", 'logo_file = "logo.png"\nscopes ='),))

    assert first.startswith("/services/parking/logo?v=")
    assert (same.code, unnamed.code, other.code) == (0, 0, CHANGES)
    assert "logo_uri: " in other.out


@pytest.mark.rule("CON-3")
def test_words_of_a_question_that_change_under_one_version_are_told(apply: Callable[..., Ran]) -> None:
    """A yes to other words would pass for a yes to these: whoever changes them sees it, and raises the version."""
    words = 'title = {fr = "T", en = "T"}\nyes = {fr = "Oui.", en = "Yes."}\nno = {fr = "Non.", en = "No."}\n'
    purpose = '[[service.purposes]]\nname = "surveys"\nversion = "1"\n' + words
    apply(replace=(("[[service.claims]]", f"{purpose}[[service.claims]]"),))

    reworded = apply("--dry-run", replace=(('fr = "Oui."', 'fr = "Oui, volontiers."'),))
    raised = apply("--dry-run", replace=(('version = "1"', 'version = "2"'),))

    assert "Note: surveys keeps its version" in reworded.out
    assert 'purposes.surveys.yes.fr: "Oui." -> "Oui, volontiers."' in raised.out
    assert "keeps its version" not in raised.out


def test_order_of_claims_is_a_change_of_the_screen(apply: Callable[..., Ran]) -> None:
    """People read them in the order of the file."""
    gender = '[[service.claims]]\nname = "gender"\nreason = {fr = "x"}\n'
    apply(replace=(('"Pour écrire."}\n', f'"Pour écrire."}}\n{gender}'),))

    tried = apply("--dry-run", replace=((gender, ""), ("[[service.claims]]", f"{gender}[[service.claims]]")))

    assert 'claims: ["email", "gender"] -> ["gender", "email"]' in tried.out


@pytest.mark.parametrize("prune", [False, True])
def test_service_changed_by_somebody_else_meanwhile_stops_all(
    idp: Run, file: Path, monkeypatch: pytest.MonkeyPatch, *, prune: bool
) -> None:
    """All or nothing: what came first in the file is not written either."""
    idp("clients", "create", "--id", "old", "--name", "Vieux", "--redirect-uri", "https://old.example/cb")
    second = BARE.replace('"parking"', '"second"')
    file.write_text(BARE + ("" if prune else second))
    plan = declaration.plan

    def overtaken(*arguments: object) -> object:
        planned = plan(*arguments)  # type: ignore[arg-type] # handed on
        if prune:
            idp("clients", "update", "old", "--name", "Autre")
        else:
            idp(
                "clients", "create", "--id", "second", "--name", "X", "--redirect-uri", "https://x.example/cb"
            )
        return planned

    monkeypatch.setattr(declaration, "plan", overtaken)
    refused = idp("clients", "apply", str(file), "--yes", *(["--prune"] if prune else []))

    assert refused.code == 1
    assert "at the same moment" in refused.err
    assert {one["client_id"] for one in idp("clients", "list", "--json").json} == {
        "old",
        *(() if prune else ("second",)),
    }


def test_check_lists_what_contracts_lack(idp: Run) -> None:
    """A bare service is registered with a note; the list says what people can't be told, field by field."""
    made = idp("clients", "create", "--id", "bare", "--name", "Court", "--redirect-uri", "https://a.example/cb",
               "--scope", "openid email")  # fmt: skip

    listed = idp("clients", "check", "--json")
    shown = idp("clients", "check")

    assert made.code == 0
    assert "idp clients check" in made.err
    assert (listed.code, shown.code) == (1, 1)
    assert [one["field"] for one in listed.json[0]["lacks"]] == [
        "organisation",
        "description",
        "retention",
        "policy_uri",
        "claims",
    ]
    assert "bare" in shown.out
