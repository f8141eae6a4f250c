"""The other commands: keys, accounts, terms, messages, database, configuration (ADM-1, ADM-2)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.cli.client_form import in_words
from idp.cli.key_files import utc_now
from idp.cli.server.preparation import prepare
from idp.config import ConfigurationError, Settings, load, parse
from idp.protocol.clients.metadata import MetadataProblem
from idp.storage.models import outbox
from tests.support.provider import a_provider
from tests.support.running import ended_idp

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.cli.conftest import Run
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("ADM-1")


@pytest.fixture
def own_keys(config: Path, tmp_path: Path) -> Path:
    """A folder of keys of this test's own, in its configuration."""
    folder = tmp_path / "keys"
    head = config.read_text().split("[keys]")[0]
    config.write_text(
        f'{head}[keys]\ndirectory = "{folder}"\nalgorithms = ["ES256"]\nencryption_algorithms = ["ECDH-ES"]\n'
    )
    return folder


@pytest.mark.rule("OPS-4")
def test_keys_are_made_once_and_closed_to_others(idp: Run, own_keys: Path) -> None:
    """`keys init` makes what is missing and changes nothing the second time."""
    first, second = idp("keys", "init", "--json").json, idp("keys", "init", "--json").json

    assert first == second
    assert {(key["use"], key["alg"], key["state"]) for key in first} == {
        ("sig", "ES256", "active"),
        ("enc", "ECDH-ES", "active"),
    }
    assert all(file.stat().st_mode & 0o077 == 0 for file in own_keys.glob("*.pem"))
    assert own_keys.stat().st_mode & 0o077 == 0


@pytest.mark.rule("OPS-4")
def test_keys_go_through_their_states(idp: Run, own_keys: Path) -> None:
    """next, then active and retired; too early is refused; a retired one is removed when its tokens are dead."""
    del own_keys
    first = idp("keys", "init", "--json").json[0]["kid"]

    assert [key["state"] for key in idp("keys", "rotate", "--json").json] == ["next", "next"]
    assert idp("keys", "rotate").code == 1
    assert idp("keys", "rotate", "--force").code == 2
    assert idp("keys", "rotate", "--force", "--yes").code == 0
    assert {key["kid"]: key["state"] for key in idp("keys", "list", "--json").json}[first] == "retired"
    assert idp("keys", "retire", first, "--yes").code == 1
    assert idp("keys", "retire", first, "--force", "--yes").code == 0
    assert first not in {key["kid"] for key in idp("keys", "list", "--json").json}
    assert idp("keys", "retire", "nothing", "--yes").code == 4


@pytest.mark.rule("OPS-4")
def test_keys_of_one_algorithm_go_on_alone(idp: Run, own_keys: Path) -> None:
    """Keys that decrypt are rotated by the name of their algorithm, as those that sign."""
    del own_keys
    idp("keys", "init")

    (moved,) = idp("keys", "rotate", "--alg", "ECDH-ES", "--json").json

    assert (moved["use"], moved["alg"], moved["state"]) == ("enc", "ECDH-ES", "next")
    assert "ECDH-ES" in idp("keys", "list").out
    assert idp("keys", "rotate", "--alg", "A256KW").code == 1


@pytest.mark.rule("OPS-4")
def test_start_makes_the_keys_that_a_new_version_needs_or_says_how(
    config: Path, idp: Run, own_keys: Path
) -> None:
    """A folder of before, without a key to encrypt to: --upgrade makes it, and nothing else changes."""
    del own_keys
    wanted = config.read_text()
    config.write_text(wanted.replace('["ECDH-ES"]', "[]"))
    before = idp("keys", "init", "--json").json
    config.write_text(wanted)

    with pytest.raises(ConfigurationError, match="no active key for ECDH-ES: run `idp keys init`"):
        prepare(load(config), create_missing=False)
    prepare(load(config), create_missing=True)

    after = idp("keys", "list", "--json").json
    assert [key["use"] for key in before] == ["sig"]
    assert sorted(key["use"] for key in after) == ["enc", "sig"]
    assert before[0] in after


@pytest.mark.rule("OPS-4")
def test_key_file_that_others_can_read_is_refused(idp: Run, own_keys: Path) -> None:
    """A private key open to others says what to do, with the code of configuration."""
    idp("keys", "init")
    next(own_keys.glob("*.pem")).chmod(0o644)

    refused = idp("keys", "list")

    assert refused.code == 3
    assert "chmod 600" in refused.err


@pytest.mark.rule("LOG-6")
def test_account_is_locked_with_its_sessions_and_unlocked(
    idp: Run, database: Database, clock: SettableClock
) -> None:
    """Locking ends what is open, at once, and the trail says so."""
    provider = a_provider(database, clock)
    person = provider.an_account("zoe@example.org")
    browser = provider.signed_in(person)

    assert idp("accounts", "show", "ZOE@example.org", "--json").json["sessions"] == 1
    assert idp("accounts", "lock", "zoe@example.org", "--reason", "vol").code == 0
    shown = idp("accounts", "show", person.account_id, "--json").json
    assert (shown["state"], shown["sessions"]) == ("locked", 0)
    assert "account.locked" in {event["name"] for event in shown["events"]}
    assert browser.get("/account").status_code == 303
    assert idp("accounts", "unlock", person.account_id).code == 0
    assert idp("accounts", "show", person.account_id, "--json").json["state"] == "active"


@pytest.mark.rule("ACC-7")
@pytest.mark.rule("LIF-4")
def test_account_is_erased_after_confirmation(idp: Run, database: Database, clock: SettableClock) -> None:
    """Asked first; then nothing of the person is found any more."""
    person = a_provider(database, clock).an_account("zoe@example.org")

    assert idp("accounts", "delete", "zoe@example.org").code == 2
    assert idp("accounts", "delete", "zoe@example.org", "--yes").code == 0
    assert idp("accounts", "show", "zoe@example.org").code == 4
    assert idp("accounts", "show", person.account_id).code == 4


@pytest.mark.rule("CGU-1")
def test_terms_are_published_once_per_version(idp: Run, tmp_path: Path) -> None:
    """The heading is the title; the same text again is no error, another text under the same name is."""
    file = tmp_path / "terms.md"
    file.write_text("# Conditions\n\nBonjour.\n", encoding="utf-8")
    publish = ("terms", "publish", str(file), "--version", "2026-11-01")
    day = ("--effective-at", "2026-11-01")

    assert idp(*publish, *day, "--json").json["new"] is True
    assert idp(*publish, *day, "--json").json["new"] is False
    file.write_text("# Conditions\n\nAutre chose.\n")
    assert idp(*publish, *day).code == 1
    assert [one["title"] for one in idp("terms", "list", "--json").json] == ["Conditions"]


@pytest.mark.rule("CGU-2")
def test_terms_are_never_retroactive(idp: Run, tmp_path: Path) -> None:
    """A second version can't take effect in the past."""
    file = tmp_path / "terms.md"
    file.write_text("# Conditions\n\nBonjour.\n")
    idp("terms", "publish", str(file), "--version", "1", "--effective-at", "2026-01-01")

    refused = idp("terms", "publish", str(file), "--version", "2", "--effective-at", "2026-02-01")

    assert refused.code == 1
    assert "CGU-2" in refused.err


def test_dead_letters_are_listed_and_sent_again(idp: Run, database: Database) -> None:
    """A message that was given up shows why, and not what it says; then it waits again."""
    now = utc_now()
    with database.write() as connection:
        connection.execute(
            outbox.insert().values(
                message_id="m1", kind="mail", payload="sealed", created_at=now, expires_at=now + timedelta(days=1),
                next_attempt_at=now, attempts=3, last_error="SMTP 554", dead_at=now,
            )
        )  # fmt: skip

    listed = idp("outbox", "list", "--dead", "--json")
    assert [(one["message_id"], one["last_error"]) for one in listed.json] == [("m1", "SMTP 554")]
    assert "sealed" not in listed.out
    assert idp("outbox", "retry").code == 2
    assert idp("outbox", "retry", "nothing").code == 4
    assert idp("outbox", "retry", "--all", "--json").json == {"retried": 1}
    assert idp("outbox", "list", "--dead", "--json").json == []


def test_database_is_checked_for_real(idp: Run) -> None:
    """Kind, revision, whether it can be written, and what differs."""
    checked = idp("database", "check", "--json")

    assert checked.code == 0
    assert (checked.json["writable"], checked.json["differences"]) == (True, [])


def test_database_that_was_not_upgraded_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Code 5, and the command that mends it; which then does."""
    file = tmp_path / "config.toml"
    file.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/new/idp.db"\n[keys]\ndirectory = "{tmp_path}/keys"\n'
    )
    config = ("--config", str(file))

    before = ended_idp(*config, "database", "upgrade")
    again = ended_idp(*config, "database", "upgrade", "--json")

    assert (before.returncode, again.returncode) == (0, 0)
    assert "from nothing" in before.stdout
    assert ended_idp(*config, "clients", "list").stdout == "No service is registered.\n"


def test_database_that_is_away_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    """Code 5, one sentence, no password."""
    file = tmp_path / "config.toml"
    file.write_text('[database]\nurl = "postgresql://someone:secret-word@127.0.0.1:9/nothing"\n')

    done = ended_idp("--config", str(file), "clients", "list")

    assert done.returncode == 5
    assert "does not answer" in done.stderr
    assert "secret-word" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "content, said",
    [
        pytest.param("[server]\nworker = 3\n", "worker", id="wrong type"),
        pytest.param("[serveur]\n", "serveur", id="unknown section"),
        pytest.param("issuer = ", "config.toml", id="not TOML"),
        pytest.param('[server]\nissuer = "http://compte.example.org"\n', "https", id="issuer in clear"),
        pytest.param(
            '[mail]\npassword_file = "/nowhere"\n', "mail.password_file", id="file that is not there"
        ),
        pytest.param(
            '[server]\nengine = "granian"\ntrusted_proxies = ["10.0.0.0/8"]\n',
            "forwarded",
            id="granian's headers",
        ),
    ],
)
def test_wrong_configuration_is_said_with_its_key(tmp_path: Path, content: str, said: str) -> None:
    """Code 3, with the key and the file."""
    file = tmp_path / "config.toml"
    file.write_text(content)

    done = ended_idp("--config", str(file), "config", "check")

    assert done.returncode == 3
    assert said in done.stderr


def test_configuration_with_an_old_audit_is_right_and_reminds_of_it(tmp_path: Path) -> None:
    """Code 0, for the provider serves; whoever checks reads that the audit has to be made again (S-425)."""
    file = tmp_path / "config.toml"
    file.write_text('[city]\naccessibility_audited_on = "2020-01-31"\n')

    done = ended_idp("--config", str(file), "config", "check")

    assert done.returncode == 0
    assert "city.accessibility_audited_on: the audit counts no more since 2023-01-31" in done.stderr


def test_shown_configuration_hides_secrets(idp: Run, config: Path) -> None:
    """Every value in force, defaults included; passwords are not."""
    config.write_text(
        '[database]\nurl = "postgresql://someone:secret-word@db/idp"\n'
        '[franceconnect]\nclient_secret = "secret-word"\n'
    )

    shown = idp("config", "show", "--json")

    assert shown.json["tokens"]["code_seconds"] == 60
    assert shown.json["database"]["url"] == "postgresql://someone:(hidden)@db/idp"
    assert "secret-word" not in shown.out


def test_example_configuration_is_the_defaults(idp: Run) -> None:
    """Uncommented or not, the printed file says what holds without it."""
    printed = idp("config", "example").out
    uncommented = "\n".join(line[1:] if line.startswith("#") and " = " in line and line[1] != " " else line
                            for line in printed.splitlines())  # fmt: skip

    assert parse(tomllib.loads(printed), "example") == Settings()
    assert parse(tomllib.loads(uncommented), "example") == Settings()


@pytest.mark.rule("ADM-2")
def test_help_lists_every_command_and_imports_none() -> None:
    """The first thing that somebody types is answered at once."""
    source = (
        "import sys; from idp.cli import main; sys.argv = ['idp', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted(set(sys.modules) & {'flask', 'sqlalchemy', 'rich', 'cryptography', 'gunicorn'}))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)  # noqa: S603 - this interpreter

    assert "franceconnect-simulator" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.rule("ADM-2")
def test_completion_is_offered_for_each_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """`eval "$(_IDP_COMPLETE=bash_source idp)"` works, as the help says."""
    monkeypatch.setenv("_IDP_COMPLETE", "bash_source")

    assert "_idp_completion" in ended_idp().stdout


def test_problems_are_said_in_the_words_that_were_typed() -> None:
    """The wire's name of a field is not what the flag is called."""
    assert "  name must" in in_words((MetadataProblem("client_name", "must have a character"),))
