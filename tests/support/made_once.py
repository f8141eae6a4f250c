"""What every application makes anew and what is always the same: made once for each process of a test run.

Nearly every test has an application and a database of its own. Three quarters of the price of an application were the
same templates, routes and translations compiled again, and the same certificate authorities read again; a fifth of
that of a database was the same statements compiled again. None of it is what a test could change.
"""

from __future__ import annotations

import ssl
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from sqlalchemy import create_engine
from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Rule

from idp.storage import engine
from idp.web import language

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import pytest


#: What `Rule.compile` writes: what addresses are matched by, and the functions that write them.
_COMPILED = ("_parts", "_trace", "_converters", "arguments")
_WRITERS = ("_build", "_build_unknown")


def make_once(patch: pytest.MonkeyPatch) -> None:
    """Remember what is made, for as long as the patch lasts.

    Args:
        patch: Of the whole run.
    """
    patch.setattr(Environment, "compile", _remembering(Environment.compile, _what_decides_code))
    patch.setattr(Rule, "compile", _compiling_alike(Rule.compile))
    patch.setattr(language, "load", cache(language.load))
    patch.setattr(DefaultDialect, "__eq__", _is_same_dialect)
    patch.setattr(DefaultDialect, "__hash__", lambda dialect: hash(_what_decides_statement(dialect)))
    patch.setattr(engine, "create_engine", partial(create_engine, execution_options={"compiled_cache": {}}))
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


def _compiling_alike(compile_rule: Callable[[Rule], None]) -> Callable[[Rule], None]:
    """Take what another application's route of the same address was compiled to; nothing of it knows its map."""
    made: dict[Hashable, dict[str, Any]] = {}

    def compiled(rule: Rule) -> None:
        key = (rule.rule, rule.subdomain, rule.host, rule.merge_slashes, rule.map.host_matching)
        if rule.defaults:
            compile_rule(rule)
        elif key in made:
            known = made[key]
            vars(rule).update(known, arguments=set(known["arguments"]))
            for name in _WRITERS:
                setattr(rule, name, known[name].__func__.__get__(rule))
        else:
            compile_rule(rule)
            made[key] = {name: vars(rule)[name] for name in (*_COMPILED, *_WRITERS)}

    return compiled


def _what_decides_statement(dialect: DefaultDialect) -> Hashable:
    """Tell what the text of a statement follows from, beside the statement: SQLAlchemy's key has the dialect itself."""
    return type(dialect), dialect.server_version_info, dialect.use_insertmanyvalues_wo_returning


def _is_same_dialect(dialect: DefaultDialect, other: object) -> bool:
    """Compare two dialects by what they make of a statement."""
    return isinstance(other, DefaultDialect) and _what_decides_statement(dialect) == _what_decides_statement(
        other
    )


def _sharing_authorities(make: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """Read the machine's certificate authorities once; files that a test names are read each time."""
    usual = cache(make)

    def shared(*arguments: Any, **named: Any) -> ssl.SSLContext:
        if arguments or any(named.values()):
            return make(*arguments, **named)
        return usual()

    return shared
