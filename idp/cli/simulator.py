"""`idp franceconnect-simulator`: FranceConnect's wire on this machine, with test identities (FC-8)."""

from __future__ import annotations

import importlib
import signal

import click

from idp.cli.exits import Exit, Refusal

_PORT, _PLUS_PORT = 8001, 8005


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help=f"{_PORT} when absent, {_PLUS_PORT} with --plus."
)
@click.option("--client-id", default="idp", show_default=True, help="Of the provider that is tried.")
@click.option("--client-secret", default="not-a-secret", show_default=True)
@click.option(
    "--provider", default="http://localhost:8000", show_default=True, help="Its issuer: redirects go there."
)
@click.option("--alg", type=click.Choice(["ES256", "RS256"]), default="ES256", show_default=True)
@click.option(
    "--userinfo",
    type=click.Choice(["signed", "json"]),
    default="signed",
    show_default=True,
    help="How userinfo comes; old registrations get JSON.",
)
@click.option("--plus", is_flag=True, help="Be FranceConnect+: eidas2 and eidas3, encrypted tokens, ES256.")
@click.option(
    "--encryption",
    type=click.Choice(["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES"]),
    default="RSA-OAEP-256",
    show_default=True,
    help="Of tokens, with --plus, to the key that the provider publishes at /jwks.json.",
)
def command(
    port: int | None,
    *,
    client_id: str,
    client_secret: str,
    provider: str,
    alg: str,
    userinfo: str,
    plus: bool,
    encryption: str,
) -> None:
    """Run the simulator of FranceConnect until Ctrl-C; it remembers nothing and must not face the Internet."""
    if plus and alg != "ES256":
        raise click.UsageError("FranceConnect+ signs with ES256 only")
    try:
        simulator = importlib.import_module("idp.demo.franceconnect_simulator")
        serving = importlib.import_module("idp.demo.serve")
    except ImportError as error:
        raise Refusal(
            f"{error.name} is not installed: pip install 'idp[demo]'", Exit.CONFIGURATION
        ) from error
    port = port or (_PLUS_PORT if plus else _PORT)
    issuer = f"http://localhost:{port}/api/v2"
    ours = f"{provider}/franceconnect-plus" if plus else f"{provider}/franceconnect"
    registered = simulator.FranceConnectClient(
        client_id=client_id,
        client_secret=client_secret,
        redirect_uris=(f"{ours}/callback",),
        post_logout_redirect_uris=(f"{ours}/logout/callback",),
        signing_alg=alg,
        signs_userinfo=userinfo == "signed",
        encryption_alg=encryption if plus else None,
        jwks_uri=f"{provider}/jwks.json",
    )
    settings = simulator.FranceConnectSettings(issuer=issuer, clients=(registered,), plus=plus)
    try:
        server = serving.serve(simulator.create_app(settings), "127.0.0.1", port)
    except OSError as error:
        raise Refusal(f"port {port}: {error.strerror}") from error
    name = settings.portal.name
    click.echo(f"{name} simulator: issuer {issuer}, client_id {client_id}. Ctrl-C stops it.")
    wait_for_stop()
    server.shutdown()


def wait_for_stop() -> None:
    """Wait for TERM or Ctrl-C."""
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    signal.sigwait(stops)
