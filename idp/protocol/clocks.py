"""How far the clock of a client may be ahead of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: FAPI 2.0 Security Profile 5.3.2.1: up to 10 seconds in the future "shall" be accepted, more than 60 refused.
#: Half of the longest: a client that sends the 10 seconds, and whose clock is a little ahead, is still understood.
SKEW: Final = timedelta(seconds=30)
