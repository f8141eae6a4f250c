"""Reading parameters: one value each, no empty value, bounded (RFC 6749 section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from idp.protocol.errors import EndpointError, ErrorCode

#: The longest value accepted, in characters, of a parameter that is not named in `LIMITS`.
LIMIT = 4096
#: The longest values accepted where the general limit is too tight or too wide.
LIMITS = {
    "client_id": 255,
    "redirect_uri": 2048,
    "scope": 2048,
    "code_challenge": 128,
    "code_challenge_method": 32,
    "response_type": 64,
    "response_mode": 64,
    "prompt": 256,
    "max_age": 32,
    "display": 32,
    "login_hint": 512,
    "ui_locales": 512,
    "acr_values": 1024,
    "state": 8192,
    "claims": 8192,
    "id_token_hint": 8192,
    "client_assertion": 8192,
    "token": 8192,
    "request": 65_536,
    "request_uri": 2048,
    "resource": 4096,
}
#: Parameters that may come several times; their values are kept as one text, parted by spaces (RFC 8707 section 2).
LISTS = frozenset({"resource"})
#: JSON may be pretty-printed; everything else is one line.
MULTILINE = frozenset({"claims"})

# Control characters, lone surrogates, and the replacement character, which is what a decoder makes
# of bytes that are no UTF-8: the value would not be the one that was sent.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_UNFIT_MULTILINE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was received under the names that an endpoint defines.

    Attributes:
        values: The parameters that came once, with a value that is fit to be used.
        repeated: Names that came more than once; they have no value here.
        malformed: Names whose value is too long or holds a character it can't.
    """

    values: dict[str, str]
    repeated: frozenset[str] = field(default_factory=frozenset)
    malformed: frozenset[str] = field(default_factory=frozenset)

    def get(self, name: str) -> str | None:
        """Give the value of a parameter; None when absent, repeated or malformed."""
        return self.values.get(name)

    def is_broken(self, name: str) -> bool:
        """Tell whether the parameter came, but not as it must."""
        return name in self.repeated or name in self.malformed


def single_values(pairs: Iterable[tuple[str, str]], known: frozenset[str]) -> Parameters:
    """Read the parameters that an endpoint knows, and say which of them came badly.

    RFC 6749 section 3.1: "Request and response parameters MUST NOT be included more than once",
    "Parameters sent without a value MUST be treated as if they were omitted from the request",
    and unrecognized ones are ignored.

    Args:
        pairs: Names and values, decoded, in the order they came.
        known: The names that the endpoint defines.

    Returns:
        The values, and the names of those repeated or malformed: who calls knows whether the error
        may travel.
    """
    values: dict[str, str] = {}
    repeated: set[str] = set()
    malformed: set[str] = set()
    for name, value in pairs:
        if name in known:
            if name in LISTS and values.get(name):
                values[name] += f" {value}"
                continue
            if name in values:
                repeated.add(name)
            values[name] = value
    for name, value in values.items():
        if name not in repeated and not _is_fit(name, value):
            malformed.add(name)
    return Parameters(
        {n: v for n, v in values.items() if v and n not in repeated and n not in malformed},
        frozenset(repeated),
        frozenset(malformed),
    )


def endpoint_values(pairs: Iterable[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    """Read the parameters of a back-channel request.

    Args:
        pairs: Names and values of the body, decoded, in the order they came.
        known: The names that the endpoint defines.

    Returns:
        One value for each parameter that came with one.

    Raises:
        EndpointError: invalid_request, when a parameter is repeated or malformed.
    """
    parameters = single_values(pairs, known)
    if parameters.repeated:
        names = " ".join(sorted(parameters.repeated))
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "A parameter is included more than once.",
            reason=f"repeated: {names}",
        )
    if parameters.malformed:
        names = " ".join(sorted(parameters.malformed))
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "A parameter is too long or has a forbidden character.",
            reason=f"malformed: {names}",
        )
    return parameters.values


def _is_fit(name: str, value: str) -> bool:
    if len(value) > LIMITS.get(name, LIMIT):
        return False
    # Nearly every value is plain ASCII: two scans in C answer, the expression is for the rest.
    if value.isascii() and value.isprintable():
        return True
    return (_UNFIT_MULTILINE if name in MULTILINE else _UNFIT).search(value) is None
