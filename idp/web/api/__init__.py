"""What services do with the token of a person, beside OpenID Connect: JSON, one file per subject."""

from __future__ import annotations

from flask import Blueprint

#: Every endpoint's name begins with "api.".
blueprint = Blueprint("api", __name__, url_prefix="/api")
