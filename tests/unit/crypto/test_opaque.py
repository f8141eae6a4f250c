"""Opaque secrets: kinds told without a query, checksums, derivation, sealing bound to its row."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.crypto.opaque import (
    KeyDerivation,
    Sealer,
    SecretKind,
    derived_secret,
    digest,
    form_token,
    is_form_token,
    is_well_formed,
    keyed_digest,
    new_code,
    new_id,
    new_request_id,
    new_secret,
)
from tests.support.clock import A_MONDAY_MORNING

KEY = bytes(range(32))
# The first table of characters takes seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_secret_says_its_kind_and_nothing_else() -> None:
    """Prefix, 256 bits, checksum; URL-safe; never twice."""
    made = [new_secret(kind) for kind in SecretKind]

    assert len(set(made)) == len(made)
    for kind, secret in zip(SecretKind, made, strict=True):
        assert secret.startswith(kind)
        assert len(secret) == 53
        assert secret.replace("-", "").replace("_", "").isalnum()
        assert [other for other in SecretKind if is_well_formed(other, secret)] == [kind]


@PATIENT
@given(st.integers(4, 52), st.characters(codec="ascii"))
def test_secret_with_one_other_letter_is_malformed(place: int, letter: str) -> None:
    """A typing mistake or a guess is seen without a query."""
    secret = derived_secret(SecretKind.ACCESS_TOKEN, KEY, b"x")
    changed = secret[:place] + letter + secret[place + 1 :]

    assert is_well_formed(SecretKind.ACCESS_TOKEN, changed) is (changed == secret)


@PATIENT
@given(st.text(max_size=80))
def test_text_of_anybody_is_malformed(text: str) -> None:
    """No text breaks the check."""
    assert not is_well_formed(SecretKind.SESSION, text)
    assert not is_well_formed(SecretKind.SESSION, "mps_" + text)


@pytest.mark.parametrize("form", ["{}\n", " {}", "{}=", "{} ", "x{}"])
def test_secret_with_something_around_it_is_malformed(form: str) -> None:
    """Exactly as it was given, or not at all."""
    secret = new_secret(SecretKind.CLIENT_SECRET)

    assert not is_well_formed(SecretKind.CLIENT_SECRET, form.format(secret))
    assert not is_well_formed(SecretKind.CLIENT_SECRET, secret[:-1])
    assert not is_well_formed(SecretKind.CLIENT_SECRET, secret.upper())


def test_derived_secret_is_the_same_for_its_source_and_key() -> None:
    """A retry gets the same successor; another key, source or kind another."""
    made = {
        derived_secret(kind, key, source)
        for kind in (SecretKind.REFRESH_TOKEN, SecretKind.ACCESS_TOKEN)
        for key in (KEY, bytes(32))
        for source in (b"a", b"b")
    }

    assert len(made) == 8
    assert derived_secret(SecretKind.REFRESH_TOKEN, KEY, b"a") in made


def test_digests_depend_on_every_part_and_their_borders() -> None:
    """Two parts are not their concatenation."""
    made = [
        keyed_digest(KEY, "a", "bc"), keyed_digest(KEY, "ab", "c"), keyed_digest(KEY, "abc"),
        keyed_digest(bytes(32), "abc"), digest("abc"),
    ]  # fmt: skip

    assert len(set(made)) == 5
    assert {len(one) for one in made} == {32}


def test_codes_are_six_digits() -> None:
    """Zeros in front included."""
    codes = [new_code() for _ in range(200)]

    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(set(codes)) > 150


def test_identifiers_sort_by_time_and_never_meet() -> None:
    """An index grows at its end, and one millisecond holds many."""
    moments = [A_MONDAY_MORNING + timedelta(milliseconds=number) for number in range(50)]
    made = [new_id(moment) for moment in moments]

    assert made == sorted(made)
    assert len({new_id(A_MONDAY_MORNING) for _ in range(100)}) == 100
    assert {len(one) for one in made} == {26}
    assert len(new_request_id()) == 24


def test_form_token_is_for_one_browser() -> None:
    """Different each time, good for its browser and key only."""
    browser, other = digest("a"), digest("b")
    token = form_token(KEY, browser)

    assert is_form_token(KEY, browser, token)
    assert token != form_token(KEY, browser)
    assert not is_form_token(KEY, other, token)
    assert not is_form_token(bytes(32), browser, token)
    for forged in (
        "",
        "é",
        "a",
        "====",
        token[:-4],
        token + "AAAA",
        token.replace(token[5], "A" if token[5] != "A" else "B"),
    ):
        assert not is_form_token(KEY, browser, forged)


def test_each_purpose_has_a_key_of_its_own() -> None:
    """One root, many keys, the same at each start."""
    derivation = KeyDerivation(KEY)
    keys = {derivation.key(purpose) for purpose in ("csrf", "pairwise-subject", "seal")}

    assert len(keys) == 3
    assert KeyDerivation(KEY).key("csrf") in keys
    assert KeyDerivation(bytes(32)).key("csrf") not in keys


def test_sealed_text_opens_in_its_own_row_only() -> None:
    """Bound to the row, the key and every bit; sealed twice it differs."""
    sealer = Sealer(KEY)
    sealed = sealer.seal("Zoé".encode(), bound_to="row-1")
    raw = bytearray(base64.urlsafe_b64decode(sealed))
    raw[-1] ^= 1
    altered = base64.urlsafe_b64encode(raw).decode()

    assert sealer.unseal(sealed, bound_to="row-1").decode() == "Zoé"
    assert sealed != sealer.seal("Zoé".encode(), bound_to="row-1")
    for wrong_sealer, wrong_text, row in (
        (sealer, sealed, "row-2"), (Sealer(bytes(32)), sealed, "row-1"), (sealer, altered, "row-1"),
        (sealer, "AAAA", "row-1"), (sealer, "", "row-1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            wrong_sealer.unseal(wrong_text, bound_to=row)
