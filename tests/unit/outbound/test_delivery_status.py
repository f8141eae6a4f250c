"""Reports of mail servers: which mail of ours was given up, and for whom (RFC 3464)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.outbound.delivery_status import Failure, failures, own_message_id

ID = "01jd3qk0x4v2m8w6y5r7t9z1bc"
REPORT = """\
From: MAILER-DAEMON@mx.example.org
To: no-reply@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon, 02 Mar 2026 09:00:00 +0000

{recipients}
--B
{returned}
--B--
"""
RECIPIENT = """\
Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 User unknown
"""
WHOLE = f"""\
Content-Type: message/rfc822

From: no-reply@example.org
Message-ID: <{ID}@example.org>
Subject: Votre compte

Bonjour
"""
HEADERS = f"""\
Content-Type: text/rfc822-headers

From: no-reply@example.org
Message-ID: <{ID}@example.org>
"""


def report(
    *, action: str = "failed", status: str = "5.1.1", returned: str = WHOLE, address: str = "zoe@example.fr"
) -> bytes:
    """Write a report."""
    recipient = RECIPIENT.format(address=address, action=action, status=status)
    return REPORT.format(recipients=recipient, returned=returned).encode()


@pytest.mark.rule("LIF-3")
@pytest.mark.spec("RFC 3464", "2.3.3", "MUST")
@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_report_of_anything_but_a_failure_is_none(action: str) -> None:
    """A mail that is late may still arrive."""
    assert failures(report(action=action)) == []


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: Absent\n\nI am away until Monday.",
        b"Content-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n",
        b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nAction: failed\n",
    ],
    ids=["empty", "bytes", "absence", "cut", "encoded"],
)
def test_mail_that_is_no_report_is_none(raw: bytes) -> None:
    """Whatever comes to the address of the sender."""
    assert all(failure.message_id is None for failure in failures(raw))


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize("returned", [WHOLE, HEADERS], ids=["whole mail", "headers only"])
@pytest.mark.parametrize("action", ["failed", "Failed", " failed "])
def test_failure_names_the_message_and_the_address(returned: str, action: str) -> None:
    """The Message-ID begins with the message of the outbox."""
    assert failures(report(returned=returned, action=action)) == [Failure(ID, "zoe@example.fr")]


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize(
    "returned",
    [
        "Content-Type: text/plain\n\nnothing\n",
        WHOLE.replace(ID, "another"),
        WHOLE.replace("Message-ID", "X-Other"),
    ],
    ids=["nothing returned", "of somebody else", "without"],
)
def test_failure_without_a_message_of_ours_names_the_address(returned: str) -> None:
    """Some servers return nothing of the mail."""
    assert failures(report(returned=returned)) == [Failure(None, "zoe@example.fr")]


@pytest.mark.rule("LIF-3")
def test_address_as_we_wrote_it_is_preferred() -> None:
    """The recipient's server may have forwarded it to another one (RFC 3464 section 2.3.1)."""
    raw = report(address="forwarded@example.net").replace(
        b"Final-Recipient", b"Original-Recipient: rfc822;zoe@example.fr\nFinal-Recipient"
    )

    assert failures(raw) == [Failure(ID, "zoe@example.fr")]


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize(
    "value, expected",
    [
        (f"<{ID}@example.org>", ID),
        (f" {ID}@example.org ", ID),
        (ID, ID),
        ("zoe@example.fr", None),
        (f"<{ID.upper()}@example.org>", None),
        (f"<x{ID}@example.org>", None),
        ("", None),
    ],
    ids=["header", "spaces", "bare", "address", "capitals", "longer", "empty"],
)
def test_message_id_is_ours_or_not(value: str, expected: str | None) -> None:
    """An address is never taken for one."""
    assert own_message_id(value) == expected


@pytest.mark.rule("LIF-3")
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(raw: bytes) -> None:
    """A report is written by strangers."""
    failures(b"Content-Type: multipart/report; boundary=B\n\n--B\n" + raw)
