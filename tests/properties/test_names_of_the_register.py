"""Always true: what a service reads of a certified name is, letter by letter, what FranceConnect sent (FC-2, PRO-2)."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.federation.franceconnect.claims import received_identity
from idp.federation.upstream import UpstreamIdentity
from idp.protocol.claims.values import claim_values
from idp.services.sign_in.held_identity import decoded, encoded, hold
from idp.storage.engine import open_database
from idp.storage.repositories import attributes
from tests.support.builders import a_context, an_account
from tests.support.franceconnect import IDENTITY

if TYPE_CHECKING:
    from tests.support.clock import SettableClock

LONGEST = 256
MOST_GIVEN_NAMES = 6
# Letters and marks of every script, and what stands between them in a name.
LETTERS = st.characters(categories=["L", "M"])
BETWEEN = st.sampled_from(
    " '\N{RIGHT SINGLE QUOTATION MARK}-\N{HYPHEN}\N{NON-BREAKING HYPHEN}.\N{NO-BREAK SPACE}"
)


def is_sendable(name: str) -> bool:
    """Tell whether a text is a name as the register writes them: not padded, not too long."""
    return composed(name) == composed(name).strip() and 0 < len(composed(name)) <= LONGEST


NAMES = st.one_of(
    st.text(st.one_of(LETTERS, BETWEEN), min_size=1, max_size=40),
    st.text(LETTERS, min_size=200, max_size=LONGEST),
    st.sampled_from(
        ["O", "É", "E\u0301", "DURANTéàèùòœæŒÆ", "L'O'N'S A-A", "D’Arc", "L'HERBETTE--ANONYME", "Ÿ"]
    ),
).filter(is_sendable)


@pytest.mark.rule("FC-2", "FC-6", "PRO-2")
def test_name_is_read_letter_by_letter_as_it_was_sent(sqlite_url: str, clock: SettableClock) -> None:
    """Claims, sealed wait, domain, database and claims again change nothing but the form of accents (NFC)."""
    database = open_database(sqlite_url)
    context = a_context(database, clock)
    account = an_account(context)

    # One account for all examples: each login replaces what the last one certified.
    @settings(max_examples=150, deadline=None)
    @given(
        family_name=NAMES,
        given_names=st.lists(NAMES, min_size=1, max_size=MOST_GIVEN_NAMES),
        usage_name=st.none() | NAMES,
    )
    def sign_in(family_name: str, given_names: list[str], usage_name: str | None) -> None:
        sent = {"family_name": family_name, "given_name_array": given_names, "preferred_username": usage_name}
        received = received_identity(IDENTITY | sent)
        identity = UpstreamIdentity("s", "eidas1", received.civil, received.preferred_username)
        held = decoded(encoded(hold(identity)))
        with database.write() as connection:
            before = attributes.read(connection, account.account_id)
            after, _ = held.certify(before, clock())
            written_by = {"changed_by": "franceconnect", "now": clock()}
            assert attributes.write(connection, account.account_id, before, after, **written_by) is None

        with database.read() as connection:
            known = attributes.of_account(connection, account.account_id)
        claims = claim_values({name: one.value for name, one in known.items()}, (*sent, "given_name"))

        assert claims["family_name"] == composed(family_name)
        assert claims["given_name_array"] == [composed(name) for name in given_names]
        assert claims["given_name"] == " ".join(claims["given_name_array"])
        assert usage_name is None or claims["preferred_username"] == composed(usage_name)

    sign_in()
    database.dispose()


def composed(name: str) -> str:
    """Give the one form of a text that is stored."""
    return unicodedata.normalize("NFC", name)
