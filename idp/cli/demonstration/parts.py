"""The process of the simulator, the two services and the mail catcher: ordinary programs around the provider."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from idp.cli.demonstration import plan as plans
from idp.demo import explorateurs, franceconnect_simulator, mail_catcher, parking
from idp.demo.serve import serve

if TYPE_CHECKING:
    from flask import Flask

    from idp.cli.demonstration.plan import Plan


def run(plan: Plan, told: IO[str], tell: IO[str]) -> None:
    """Serve everything but the provider until TERM or Ctrl-C.

    Args:
        plan: Addresses and folder.
        told: The parent writes one line here when the services are registered: their secrets.
        tell: Two lines are written here: the panel's public keys, then that all is served or why it is not.
    """
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    key = explorateurs.client_key(folder(plan, "explorateurs"))
    say(tell, jwks={"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]})
    mailbox = mail_catcher.MailCatcherSettings()
    try:
        smtp = mail_catcher.start_smtp(mailbox, plans.HOST, plan.smtp_port)
        servers = [
            serve(franceconnect_simulator.create_app(simulator(plan)), plans.HOST, plan.port_base + 1),
            serve(mail_catcher.create_app(mailbox), plans.HOST, plan.port_base + 4),
        ]
        line = told.readline()
        if not line:
            return
        servers += [
            serve(app, plans.HOST, plan.port_base + at) for at, app in services(plan, json.loads(line))
        ]
    except OSError as error:
        say(tell, error=f"{error.strerror or error}: another --port-base?")
        sys.exit(1)
    say(tell, ready=True)
    signal.sigwait(stops)
    for server in servers:
        server.shutdown()
    smtp.stop()


def say(tell: IO[str], **members: Any) -> None:  # noqa: ANN401 - what the parent is told
    """Write one line to the parent."""
    tell.write(json.dumps(members) + "\n")
    tell.flush()


def simulator(plan: Plan) -> franceconnect_simulator.FranceConnectSettings:
    """Register the provider at the simulator."""
    client = franceconnect_simulator.FranceConnectClient(
        client_id="mon-paris",
        client_secret=plan.franceconnect_secret,
        redirect_uris=(f"{plan.issuer}/franceconnect/callback",),
        post_logout_redirect_uris=(f"{plan.issuer}/franceconnect/logout/callback",),
    )
    return franceconnect_simulator.FranceConnectSettings(issuer=plan.franceconnect, clients=(client,))


def services(plan: Plan, secrets: dict[str, str]) -> list[tuple[int, Flask]]:
    """Make the two services, which know the provider by what anyone would be given."""
    parked = parking.ParkingSettings(
        issuer=plan.issuer,
        base_url=plan.origin(2),
        client_id=plans.PARKING,
        client_secret=secrets[plans.PARKING],
        data_dir=folder(plan, "stationnement"),
        mon_paris_account_url=f"{plan.issuer}/account/services",
    )
    panel = explorateurs.ExplorateursSettings(
        issuer=plan.issuer,
        base_url=plan.origin(3),
        client_id=plans.EXPLORATEURS,
        data_dir=folder(plan, "explorateurs"),
        mon_paris_account_url=f"{plan.issuer}/account/services",
    )
    return [(2, parking.create_app(parked)), (3, explorateurs.create_app(panel))]


def folder(plan: Plan, name: str) -> Path:
    """Make the folder of one service."""
    made = plan.data / name
    made.mkdir(mode=0o700, exist_ok=True)
    return made
