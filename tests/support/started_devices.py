"""A television that asks the started demonstration by HTTP, as a device in somebody's living room does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from idp.domain.client import ClaimUse, Client, ClientAuthenticationMethod, GrantType
from idp.storage.repositories import clients
from tests.support.demonstration import PATIENCE_SECONDS
from tests.support.devices import GRANT_TYPE

if TYPE_CHECKING:
    from tests.support.demonstration import Demonstration

TELEVISION = "television"
_REASON = {"fr": "Pour vous saluer à l’écran.", "en": "To greet you on the screen."}


@dataclass(frozen=True, slots=True)
class Television:
    """A device that was given its codes.

    Attributes:
        demo: Whom it asks.
        codes: What it was given.
    """

    demo: Demonstration
    codes: dict[str, Any]

    def polls(self) -> dict[str, Any]:
        """Ask for tokens; give the answer, whatever it is."""
        form = {"client_id": TELEVISION, "grant_type": GRANT_TYPE, "device_code": self.codes["device_code"]}
        return _post(f"{self.demo.provider}/token", form)

    def reads(self, access_token: str) -> dict[str, Any]:
        """Ask who the person is."""
        request = Request(  # noqa: S310 - http, ours
            f"{self.demo.provider}/userinfo", headers={"Authorization": f"Bearer {access_token}"}
        )
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the same
            claims: dict[str, Any] = json.load(answer)
        return claims


def a_television(demo: Demonstration, *, scope: str = "openid email") -> Television:
    """Let a television ask for its codes, of a client that is registered when it is not yet."""
    with demo.database.write() as connection:
        if clients.by_id(connection, TELEVISION) is None:
            clients.create(connection, _client())
    form = {"client_id": TELEVISION, "scope": scope}
    return Television(demo, _post(f"{demo.provider}/device_authorization", form))


def _client() -> Client:
    return Client(
        client_id=TELEVISION,
        name="Télévision de quartier",
        description={"fr": "Les nouvelles du quartier.", "en": "News of the neighbourhood."},
        scopes=frozenset({"openid", "email"}),
        claims=(ClaimUse("email", _REASON, required=True),),
        retention={"fr": "Jusqu’à ce que vous vous déconnectiez.", "en": "Until you sign out."},
        authentication_method=ClientAuthenticationMethod.NONE,
        grant_types=frozenset({GrantType.DEVICE_CODE}),
        response_types=frozenset(),
        created_at=datetime.now(UTC),  # noqa: TID251 - the demonstration reads the machine's clock
    )


def _post(address: str, form: dict[str, str]) -> dict[str, Any]:
    request = Request(address, urlencode(form).encode())  # noqa: S310 - http, ours
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the same
            body: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        with error:
            body = json.load(error)
    return body
