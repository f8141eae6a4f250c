"""Pages on the way through FranceConnect and FranceConnect+; their modules add their routes to one blueprint."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("franceconnect", __name__)
