"""A provider that may send to this machine, and a service's address for events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.events import EventReceiver, reaching_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from tests.support.provider import Provider, Service


@pytest.fixture
def provider(provider: Provider) -> Provider:
    """The provider, which may send to this machine and is not patient."""
    return reaching_this_machine(provider)


@pytest.fixture
def receiver() -> Iterator[EventReceiver]:
    """A service's address; whatever hangs there is released in the end."""
    made = EventReceiver()
    yield made
    made.release.set()


@pytest.fixture
def service(provider: Provider, receiver: EventReceiver, serve: Callable[[WSGIApplication], str]) -> Service:
    """A service that wants to be told there."""
    return provider.a_client(events_uri=f"{serve(receiver)}/events?registered=1")
