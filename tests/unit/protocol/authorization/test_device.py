"""The codes and the parameters of the device flow (RFC 8628)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto.opaque import new_letters
from idp.protocol.authorization.device import (
    ASKED_PARAMETERS,
    USER_CODE_LENGTH,
    USER_CODE_LETTERS,
    authorization_parameters,
    read_user_code,
    shown_user_code,
)
from idp.protocol.authorization.request import KNOWN_PARAMETERS
from tests.support.authorization_requests import ISSUER

CODES = st.text(USER_CODE_LETTERS, min_size=USER_CODE_LENGTH, max_size=USER_CODE_LENGTH)


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "BCDFGHJ",
        "BCDFGHJKL",
        "BCDFGHJA",
        "BCDFGHJ0",
        "BCDF/GHJK",
        "BCDFGHJ\N{LATIN SMALL LETTER K}\x00",
        "BCDFGHJ\N{KELVIN SIGN}",
        "BCDFGHJ\N{CYRILLIC CAPITAL LETTER ES}",
        "\N{FULLWIDTH LATIN CAPITAL LETTER B}CDFGHJK",
    ],
)
def test_text_that_is_no_user_code_is_none(typed: str) -> None:
    """Nothing is guessed: letters of other alphabets look alike and are others."""
    assert read_user_code(typed) is None


@pytest.mark.rule("OID-7")
@given(CODES, st.sampled_from(["", " ", "-", "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}", "\N{EN DASH}"]))
def test_user_code_is_read_however_it_is_written(letters: str, between: str) -> None:
    """Case, and whatever people put between letters, make no difference."""
    assert read_user_code(between.join(letters).lower()) == letters
    assert read_user_code(f" {letters} ") == letters
    assert read_user_code(shown_user_code(letters)) == letters


def test_user_code_is_shown_in_two_groups() -> None:
    """Four letters are kept in mind from one screen to the other."""
    assert shown_user_code("BCDFGHJK") == "BCDF-GHJK"


def test_letters_are_drawn_from_the_alphabet() -> None:
    """As many as asked, every one of them used."""
    codes = [new_letters(USER_CODE_LETTERS, USER_CODE_LENGTH) for _ in range(200)]

    assert all(len(code) == USER_CODE_LENGTH for code in codes)
    assert set("".join(codes)) == set(USER_CODE_LETTERS)


@pytest.mark.rule("OID-7")
@given(st.dictionaries(st.sampled_from(sorted(KNOWN_PARAMETERS | {"code", "other"})), st.text(max_size=5)))
def test_request_of_a_device_always_ends_here_after_a_question(asked: dict[str, str]) -> None:
    """Whatever it sends, the answer goes to our page, and the person is asked."""
    parameters = authorization_parameters(asked, client_id="television", issuer=ISSUER)

    fixed = {
        "client_id": "television",
        "redirect_uri": f"{ISSUER}/device/answer",
        "response_type": "code",
        "prompt": "consent",
    }
    assert parameters.items() >= fixed.items()
    assert parameters.keys() - fixed.keys() <= ASKED_PARAMETERS
