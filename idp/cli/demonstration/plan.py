"""Addresses, secrets and configuration of one demonstration; kept in its folder, so that it can be started again."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from idp.crypto.opaque import SecretKind, new_secret

PARKING: Final = "stationnement"
EXPLORATEURS: Final = "explorateurs"
HOST: Final = "127.0.0.1"
_SMTP_OFFSET: Final = 25
_SECRETS: Final = "secrets.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """One demonstration.

    Attributes:
        data: Its folder, absolute.
        port_base: The provider's port; the others follow it.
        smtp_port: Where the mail catcher takes mail.
        franceconnect_secret: Shared by the provider and the simulator.
    """

    data: Path
    port_base: int
    smtp_port: int
    franceconnect_secret: str

    def origin(self, offset: int) -> str:
        """Give the address of a part: 0 provider, 1 FranceConnect, 2 parking, 3 Explorateurs, 4 mail."""
        return f"http://localhost:{self.port_base + offset}"

    @property
    def issuer(self) -> str:
        """The provider's address."""
        return self.origin(0)

    @property
    def franceconnect(self) -> str:
        """The simulator's issuer."""
        return f"{self.origin(1)}/api/v2"

    @property
    def config_file(self) -> Path:
        """Where the provider's configuration is written."""
        return self.data / "config.toml"

    def configuration(self) -> str:
        """Write the provider's configuration."""
        values: dict[str, dict[str, Any]] = {
            "server": {"issuer": self.issuer, "bind": f"{HOST}:{self.port_base}", "drain_seconds": 0},
            "database": {"url": f"sqlite:///{self.data / 'idp.db'}"},
            "keys": {"directory": str(self.data / "keys")},
            "mail": {
                "host": HOST,
                "port": self.smtp_port,
                "security": "none",
                "sender": "Mon Paris (démonstration) <ne-pas-repondre@example.org>",
            },
            "franceconnect": {
                "enabled": True,
                "issuer": self.franceconnect,
                "client_id": "mon-paris",
                "client_secret": self.franceconnect_secret,
            },
            # The simulator and the mail catcher are on this machine.
            "outbound": {"allow_private_networks": True},
            # Everybody who tries it comes from one address: brakes by account stay, those by network are wide.
            "throttle": {"network_tries_per_minute": 500, "signups_per_network": 500},
            "logs": {"level": "warning", "format": "console"},
            "city": {"styleguide": True},
        }
        lines = ["# Written by `idp demo` at each start; try `idp --config` with it.", ""]
        for section, members in values.items():
            lines += [f"[{section}]"]
            lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in members.items()]
            lines += [""]
        return "\n".join(lines)


def made(data: Path, port_base: int) -> Plan:
    """Plan a demonstration, and write its configuration; its secrets stay those of its first start."""
    folder = data.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = secrets_in(folder)
    if "franceconnect" not in kept:
        kept["franceconnect"] = new_secret(SecretKind.CLIENT_SECRET)
        keep_secrets(folder, kept)
    plan = Plan(folder, port_base, free_port(port_base + _SMTP_OFFSET), kept["franceconnect"])
    write_private(plan.config_file, plan.configuration())
    return plan


def secrets_in(folder: Path) -> dict[str, str]:
    """Read the secrets of earlier starts."""
    file = folder / _SECRETS
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def keep_secrets(folder: Path, secrets: dict[str, str]) -> None:
    """Keep the secrets for later starts."""
    write_private(folder / _SECRETS, json.dumps(secrets, indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def free_port(wanted: int) -> int:
    """Give a port that nothing listens on: the wanted one, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")
