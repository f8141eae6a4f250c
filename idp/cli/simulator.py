"""`idp franceconnect-simulator`: FranceConnect's wire on this machine, with test identities (FC-8)."""

from __future__ import annotations

import importlib
import signal

import click

from idp.cli.exits import Exit, Refusal


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8001, show_default=True)
@click.option("--client-id", default="idp", show_default=True, help="Of the provider that is tried.")
@click.option("--client-secret", default="not-a-secret", show_default=True)
@click.option(
    "--provider", default="http://localhost:8000", show_default=True, help="Its issuer: redirects go there."
)
@click.option("--alg", type=click.Choice(["ES256", "RS256"]), default="ES256", show_default=True)
def command(port: int, *, client_id: str, client_secret: str, provider: str, alg: str) -> None:
    """Run the simulator of FranceConnect until Ctrl-C; it remembers nothing and must not face the Internet."""
    try:
        simulator = importlib.import_module("idp.demo.franceconnect_simulator")
        serving = importlib.import_module("idp.demo.serve")
    except ImportError as error:
        raise Refusal(
            f"{error.name} is not installed: pip install 'idp[demo]'", Exit.CONFIGURATION
        ) from error
    issuer = f"http://localhost:{port}/api/v2"
    registered = simulator.FranceConnectClient(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uris=(f"{provider}/franceconnect/callback",),
        post_logout_redirect_uris=(f"{provider}/franceconnect/logout/callback",),
        signing_alg=alg,
    )
    application = simulator.create_app(simulator.FranceConnectSettings(issuer=issuer, clients=(registered,)))
    try:
        server = serving.serve(application, "127.0.0.1", port)
    except OSError as error:
        raise Refusal(f"port {port}: {error.strerror}") from error
    click.echo(f"FranceConnect simulator: issuer {issuer}, client_id {client_id}. Ctrl-C stops it.")
    wait_for_stop()
    server.shutdown()


def wait_for_stop() -> None:
    """Wait for TERM or Ctrl-C."""
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    signal.sigwait(stops)
