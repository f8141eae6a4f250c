"""The commands of the documents do what the documents say: each of them is run, as it stands there."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from idp.cli.exits import Exit
from tests.support.client_keys import a_key, jwks
from tests.support.marks import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

pytestmark = pytest.mark.rule("ADM-1")
BLOCK = re.compile(r"^```sh\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
#: What the shell of the reader does: lines that go on, a variable, a loop over names.
CONTINUED = re.compile(r"\\\n\s*")
VARIABLE = re.compile(r"^(?P<name>[A-Z]+)=(?P<value>\S+)$", re.MULTILINE)
LOOP = re.compile(
    r"^for (?P<name>\w+) in (?P<words>[^;]+); do\n(?P<body>.*?)^done$", re.MULTILINE | re.DOTALL
)
DOCUMENTS = ("docs/relying-parties.md", "docs/conformance-suite.md")


def commands(document: str) -> Iterator[list[str]]:
    """List what `idp clients` is told to do in a document, word by word.

    Yields:
        The words after `idp`, without a configuration.
    """
    # One shell for all blocks: what is set in one of them is there in the next.
    blocks = BLOCK.findall((ROOT / document).read_text(encoding="utf-8"))
    for line in unrolled(CONTINUED.sub(" ", "".join(blocks))).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["idp"] and "clients" in words:
            yield words[words.index("clients") :]


def unrolled(script: str) -> str:
    """Write variables and loops out."""
    for variable in VARIABLE.finditer(script):
        script = script.replace(f"${variable['name']}", variable["value"])
    return LOOP.sub(
        lambda loop: "\n".join(
            loop["body"].replace(f"${loop['name']}", word) for word in loop["words"].split()
        ),
        script,
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_works(
    idp: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    """Who copies a command gets a registered service, or a token, and no error."""
    with (ROOT / document).open(encoding="utf-8") as page:
        keys = set(re.findall(r"--jwks (\S+\.json)", page.read()))
    for name in keys:
        (tmp_path / name).write_text(json.dumps(jwks(a_key("ES256", name))))
    example = (ROOT / "docs" / "services.example.toml").read_text(encoding="utf-8")
    (tmp_path / "services.toml").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert config.is_file()

    ran = [(words, idp(*words)) for words in commands(document)]

    assert ran
    assert [(words, one.err) for words, one in ran if one.code != expected(words)] == []


def expected(words: list[str]) -> int:
    """Say how a command ends: a dry run of services that are not there yet finds something to do."""
    return Exit.CHANGES if "--dry-run" in words else Exit.OK
