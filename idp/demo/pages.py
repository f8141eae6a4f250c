"""What the demonstration pages share: templates, stylesheet, security headers."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response

_HERE = Path(__file__).parent
_STYLE = (_HERE / "style.css").read_bytes()

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def new_app(name: str, *, posts_leave: bool = False) -> Flask:
    """Make an application with the shared layout.

    Args:
        name: Module name of the program.
        posts_leave: Whether the answer to a form may lead to another site. Chromium applies
            `form-action` to each redirect, so the policy then says nothing about forms.
    """
    app = Flask(name, template_folder=str(_HERE / "templates"), static_folder=None)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    policy = _POLICY if posts_leave else f"{_POLICY}; form-action 'self'"
    app.add_url_rule("/style.css", "style", _style)
    app.add_url_rule("/favicon.ico", "favicon", _no_icon)

    def add_headers(response: Response) -> Response:
        """Keep pages private, unframed and free of anything from elsewhere."""
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.after_request(add_headers)
    return app


def _style() -> Response:
    """Serve the one stylesheet."""
    response = Response(_STYLE, mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _no_icon() -> Response:
    """Answer browsers that ask for an icon."""
    return Response(status=204)
