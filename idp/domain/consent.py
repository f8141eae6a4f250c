"""`Consent`: which claims a person allowed a client, when (CON-2, CON-4, CON-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed a client, and what they were asked and did not allow.

    Attributes:
        consent_id: Names the record.
        scopes: Allowed scopes.
        claims: Allowed claims.
        refused_claims: Optional claims that were asked and not allowed; they are not asked again.
        policy_version: The version of the client's policy that was shown (CON-8).
        granted_at: When the latest answer was given.
    """

    consent_id: str
    scopes: frozenset[str]
    claims: frozenset[str]
    refused_claims: frozenset[str]
    policy_version: str
    granted_at: datetime

    def covers(self, *, scopes: frozenset[str], claims: frozenset[str], policy_version: str) -> bool:
        """Tell whether what is asked was answered already: consent is remembered until what is asked grows (CON-2)."""
        return (
            scopes <= self.scopes
            and claims <= self.claims | self.refused_claims
            and policy_version == self.policy_version
        )
