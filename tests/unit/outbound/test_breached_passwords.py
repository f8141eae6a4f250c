"""The file of common passwords: how it is made, opened and searched (PWD-6)."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from idp.outbound.breached_passwords import (
    EMBEDDED_LIST,
    PREFIX_LENGTH,
    EmbeddedBreachedPasswords,
    NullBreachedPasswords,
    candidates,
    prefix,
)
from idp.outbound.data.build_common_passwords import build


@pytest.mark.parametrize(
    "content", [b"", b"1234", b"123456", b"bbbbbaaaaa"], ids=["empty", "cut", "cut later", "unsorted"]
)
def test_file_that_is_no_list_is_refused(content: bytes, tmp_path: Path) -> None:
    """A wrong file stops the start instead of letting every password through."""
    path = tmp_path / "list.bin"
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"list\.bin"):
        EmbeddedBreachedPasswords(path)


def test_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """An operator's own list must exist."""
    with pytest.raises(FileNotFoundError):
        EmbeddedBreachedPasswords(tmp_path / "none.bin")


def test_file_made_by_the_script_holds_what_it_should(tmp_path: Path) -> None:
    """Long entries and common words are kept, short ones that are no word are not."""
    source, target = tmp_path / "list.txt", tmp_path / "list.bin"
    source.write_bytes("soleil\r\nTrustno1\nabc123\nabc\nStraße99\n".encode() + b"broken\xff\xfe\n")

    count = build(source, target)

    listed = EmbeddedBreachedPasswords(target)
    assert len(listed) == count == target.stat().st_size / PREFIX_LENGTH
    assert all(map(listed.is_common, ["Soleil75!", "tRUSTNO1", "STRASSE99", "Janvier2024!"]))
    assert not any(map(listed.is_common, ["abc123", "abc", "zzzzzzzzzzz", ""]))
    listed.close()


@pytest.mark.rule("PWD-6")
def test_embedded_list_holds_half_a_million_entries_in_order() -> None:
    """The list that the package carries is whole."""
    content = EMBEDDED_LIST.read_bytes()
    prefixes = [content[i : i + PREFIX_LENGTH] for i in range(0, len(content), PREFIX_LENGTH)]

    assert len(prefixes) == 505_112
    assert all(left < right for left, right in pairwise(prefixes))
    assert prefix("password") in prefixes


def test_null_list_knows_no_password() -> None:
    """The twin for tests finds nothing."""
    assert not NullBreachedPasswords().is_common("password")


@pytest.mark.parametrize(
    "password, words",
    [
        ("Azerty123!", ["azerty123!", "azerty123", "azerty", "azerty"]),
        ("P@ssw0rd!", ["p@ssw0rd!", "p@ssw0rd", "password"]),
        ("Abc12345", ["abc12345", "abc12345"]),
        ("Soleil1234567", ["soleil1234567", "soleil1234567"]),
        ("12!", ["12!", "12"]),
        ("\ud800", ["\ud800", ""]),
    ],
    ids=ascii,
)
def test_candidates_undo_what_everyone_does_to_a_word(password: str, words: list[str]) -> None:
    """Specials around it, then everything around one word, then the usual disguises."""
    assert list(candidates(password)) == words
