"""One file per protocol endpoint."""

from __future__ import annotations

from flask import Blueprint

#: Every endpoint's name begins with "oidc.".
blueprint = Blueprint("oidc", __name__)
