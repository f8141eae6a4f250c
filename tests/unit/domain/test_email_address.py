"""Addresses: what is one, and which two are the same (ACC-5)."""

from __future__ import annotations

import pytest

from idp.domain.email_address import canonical, parse


@pytest.mark.rule("ACC-5")
@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "jean",
        "@example.org",
        "jean@",
        "jean@@example.org",
        "jean@x@example.org",
        "jean@example.org@",
        " jean@example.org",
        "jean@example.org ",
        "je an@example.org",
        "jean@exam ple.org",
        "jean@example.org\n",
        "jean@example.org\r\nBcc: all@example.org",
        "jean\t@example.org",
        "jean\x00@example.org",
        "jean\x7f@example.org",
        "jean\u200b@example.org",
        "jean\u202e@example.org",
        "jean\ud800@example.org",
        '"jean"@example.org',
        "jean(comment)@example.org",
        "Jean <jean@example.org>",
        "jean@example.org,paul@example.org",
        "jean@example.org;paul@example.org",
        ".jean@example.org",
        "jean.@example.org",
        "je..an@example.org",
        "jean@example",
        "jean@localhost",
        "jean@.example.org",
        "jean@example.org.",
        "jean@example..org",
        "jean@-example.org",
        "jean@example-.org",
        "jean@ab--cd.org",
        "jean@exa_mple.org",
        "jean@192.0.2.1",
        "jean@[192.0.2.1]",
        "jean@[IPv6:2001:db8::1]",
        "jean@xn--.org",
        "jean@xn--example-.org",
        "jean@xn--\xe9.org",
        "jean@xn--99999999.org",
        "jean@xn--Caf-9.org",
        "jean@\uff45xample.org",
        "jean@\ufb01n.org",
        "jean@caf\xe9-.org",
        "jean@-caf\xe9.org",
        "jean@\u0301a\u010d.org",
        "jean@caf\xe9\u20ac.org",
        "jean@example\u3002org",
        "jean@" + "\xe9" * 64 + ".org",
        "jean@" + "\xe9" * 62 + ".org",
        "jean@" + "a" * 64 + ".org",
        "j" * 65 + "@example.org",
        "\xe9" * 33 + "@example.org",
        "jean@" + ".".join(["a" * 61] * 4) + ".fr",
        "j" * 60 + "@" + ".".join(["a" * 60] * 3) + ".abcdefghijklm",
        "\xe9" * 32 + "@" + ".".join(["a" * 62] * 3) + ".fr",
    ],
    ids=ascii,
)
def test_text_that_is_not_plainly_an_address_is_refused(address: str) -> None:
    """Nothing that two mail programs could read in two ways is taken."""
    assert parse(address) is None


@pytest.mark.rule("ACC-1")
@pytest.mark.parametrize(
    "address, found_by",
    [
        ("jean@example.org", "jean@example.org"),
        ("Jean.Dupont+paris@Example.ORG", "jean.dupont+paris@example.org"),
        ("o'neil_{x}@a-b.example.org", "o'neil_{x}@a-b.example.org"),
        ("j@1.2.3.fr", "j@1.2.3.fr"),
        ("hélène@example.org", "hélène@example.org"),
        ("He\u0301le\u0300ne@example.org", "hélène@example.org"),
        ("jean@café.fr", "jean@xn--caf-dma.fr"),
        ("jean@CAFÉ.fr", "jean@xn--caf-dma.fr"),
        ("jean@cafe\u0301.fr", "jean@xn--caf-dma.fr"),
        ("jean@XN--CAF-DMA.FR", "jean@xn--caf-dma.fr"),
        ("jean@faß.de", "jean@xn--fa-hia.de"),
        ("\u212aelvin@example.org", "kelvin@example.org"),
        ("二@例え.jp", "二@xn--r8jz45g.jp"),
    ],
    ids=ascii,
)
def test_address_is_found_by_one_form(address: str, found_by: str) -> None:
    """What one owner may type in several ways is one account."""
    parsed = parse(address)

    assert parsed is not None
    assert parsed.canonical == found_by == canonical(address)


@pytest.mark.rule("ACC-5")
@pytest.mark.parametrize(
    "one, other",
    [
        ("mike@example.org", "m\u0131ke@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("office@example.org", "o\ufb00ice@example.org"),
        ("paul@example.org", "p\u0430ul@example.org"),
        ("paul@example.org", "\uff50aul@example.org"),
        ("sam@example.org", "\u017fam@example.org"),
        ("jean@fass.de", "jean@faß.de"),
        ("j.dupont@example.org", "jdupont@example.org"),
        ("jean+a@example.org", "jean@example.org"),
    ],
    ids=ascii,
)
def test_addresses_of_two_mailboxes_are_never_one_account(one: str, other: str) -> None:
    """What compatibility forms or full case folding would join belongs to two people."""
    assert canonical(one) != canonical(other)


def test_address_written_out_is_as_it_was_typed() -> None:
    """Mail goes to what the owner wrote, never to the canonical form."""
    assert str(parse("Jean@Example.org")) == "Jean@Example.org"


def test_typed_address_is_in_nfc() -> None:
    """The stored address has one spelling whatever the keyboard."""
    parsed = parse("he\u0301@example.org")

    assert parsed is not None
    assert parsed.typed == "h\xe9@example.org"


def test_localhost_is_an_address_when_allowed() -> None:
    """The demonstration sends mail to this machine."""
    assert parse("jean@localhost", allow_localhost=True) is not None


@pytest.mark.parametrize("text", ["", "Jean", "Jean@Pas Un Domaine", "@", "\ud800@\ud800"], ids=ascii)
def test_canonical_of_no_address_is_lower_case(text: str) -> None:
    """A sign-in form may be sent anything: no error, and no account found."""
    assert canonical(text) == text.lower()


def test_canonical_of_a_very_long_text_takes_no_time() -> None:
    """Nobody's address is encoded for the domain name system."""
    assert canonical("A@" + "\xc9" * 100_000) == "a@" + "\xe9" * 100_000
