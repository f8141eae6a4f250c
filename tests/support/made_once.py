"""What every application makes anew and what is always the same: made once for each process of a test run.

Nearly every test has an application of its own. Three quarters of its price were the same templates, routes and
translations compiled again, and the same certificate authorities read again; none of it is what a test could change.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from werkzeug.routing import Rule

from idp.web import language

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import pytest


def make_once(patch: pytest.MonkeyPatch) -> None:
    """Remember what is made, for as long as the patch lasts.

    Args:
        patch: Of the whole run.
    """
    patch.setattr(Environment, "compile", _remembering(Environment.compile, _what_decides_code))
    patch.setattr(Rule, "_compile_builder", _remembering(Rule._compile_builder, _what_decides_address))  # noqa: SLF001 - werkzeug has no other place for it
    patch.setattr(language, "load", cache(language.load))
    patch.setattr(ssl, "create_default_context", _sharing_authorities(ssl.create_default_context))


def _remembering(make: Callable[..., Any], what_decides: Callable[..., Hashable]) -> Callable[..., Any]:
    """Make a thing once for each answer of another function to the same arguments; None makes it every time."""
    made: dict[Hashable, Any] = {}

    def remembered(*arguments: Any, **named: Any) -> Any:
        key = what_decides(*arguments, **named)
        if key is None:
            return make(*arguments, **named)
        if key not in made:
            made[key] = make(*arguments, **named)
        return made[key]

    return remembered


def _what_decides_code(
    environment: Environment, source: Any, name: str | None = None, filename: str | None = None, **others: Any
) -> Hashable:
    """Tell what the code of a template follows from: its text, and what its environment makes of it."""
    if not isinstance(source, str):
        return None
    escapes = environment.autoescape
    return (
        source,
        name,
        filename,
        tuple(sorted(others.items())),
        type(environment),
        escapes(name) if callable(escapes) else escapes,
        tuple(sorted(environment.extensions)),
        # One of them may be called while the template is compiled.
        frozenset(environment.filters.items()),
        frozenset(environment.tests.items()),
        environment.undefined,
        getattr(environment, "newstyle_gettext", False),
        (environment.trim_blocks, environment.lstrip_blocks, environment.keep_trailing_newline),
    )


def _what_decides_address(rule: Rule, append_unknown: bool = True) -> Hashable:  # noqa: FBT001, FBT002 - werkzeug's
    """Tell what the function follows from that writes the addresses of a route; it is given the route itself."""
    return None if rule.defaults else (rule.rule, tuple(rule._trace), append_unknown)  # noqa: SLF001 - the same


def _sharing_authorities(make: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """Read the machine's certificate authorities once; files that a test names are read each time."""
    usual = cache(make)

    def shared(*arguments: Any, **named: Any) -> ssl.SSLContext:
        if arguments or any(named.values()):
            return make(*arguments, **named)
        return usual()

    return shared
