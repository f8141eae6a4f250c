"""config.example.toml and docs/configuration.md say what `Settings` holds."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from idp.config import ConfigurationError, Settings, parse
from tests.support.documents import configuration_table, example_file
from tests.support.marks import ROOT


def test_example_is_what_the_settings_say() -> None:
    """Every key of the settings stands in the example, with its default and its comment."""
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example_file()


def test_table_is_what_the_settings_say() -> None:
    """Every key of the settings stands in the document."""
    path = ROOT / "docs" / "configuration.md"

    assert path.read_text(encoding="utf-8") == configuration_table()


def test_example_with_every_key_in_force_gives_the_defaults() -> None:
    """Uncommenting a line changes nothing until its value is changed."""
    in_force = re.sub(r"^#(?=\w+ = )", "", example_file(), flags=re.MULTILINE)

    assert parse(tomllib.loads(in_force), "config.example.toml") == Settings()


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "server, header",
    [
        pytest.param({}, "Client-Cert", id="anybody could send it"),
        pytest.param({"trusted_proxies": ["10.0.0.1"]}, "Client_Cert", id="a name that servers drop"),
        pytest.param({"trusted_proxies": ["10.0.0.1"]}, "Client-Cert:", id="not a name"),
        pytest.param(
            {"trusted_proxies": ["10.0.0.1"], "engine": "granian", "forwarded_header": "forwarded"},
            "Client-Cert",
            id="granian takes Client_Cert for it",
        ),
    ],
)
def test_header_of_certificates_that_others_could_send_is_refused(
    server: dict[str, Any], header: str
) -> None:
    """A client's certificate is what a proxy of ours says, and there is no second way to say it."""
    with pytest.raises(ConfigurationError, match=r"mutual_tls\.certificate_header"):
        parse({"server": server, "mutual_tls": {"certificate_header": header}}, "config.toml")


@pytest.mark.parametrize(
    "engine, header", [("gunicorn", "Client-Cert"), ("gunicorn", "X-SSL-Cert"), ("granian", "Clientcert")]
)
def test_header_of_certificates_that_only_the_proxy_sends_is_taken(engine: str, header: str) -> None:
    """With the proxies named, and behind granian without a hyphen."""
    server = {"trusted_proxies": ["10.0.0.1"], "engine": engine, "forwarded_header": "forwarded"}

    settings = parse({"server": server, "mutual_tls": {"certificate_header": header}}, "config.toml")

    assert settings.mutual_tls.certificate_header == header


PORTAL = {"enabled": True, "client_id": "a", "client_secret": "b"}


@pytest.mark.rule("FC-1")
@pytest.mark.parametrize("section", ["franceconnect", "franceconnect_plus"])
@pytest.mark.parametrize(
    "wrong, key",
    [
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret_file"),
        ({"acr_values": ""}, "acr_values"),
        ({"acr_values": "eidas1 eidas4"}, "acr_values"),
        ({"encryption_algorithm": "RSA-OAEP"}, "encryption_algorithm"),
    ],
    ids=str,
)
def test_portal_that_could_not_work_is_refused_at_start(
    section: str, wrong: dict[str, str], key: str
) -> None:
    """No client, no level that exists, no key of ours for what it encrypts: said with the key that is wrong."""
    with pytest.raises(ConfigurationError, match=rf"config\.toml: {section}\.{key} "):
        parse({section: PORTAL | wrong}, "config.toml")


@pytest.mark.rule("FC-1")
def test_both_portals_may_be_on() -> None:
    """Each has defaults of its own: issuer, level, encryption, scopes."""
    settings = parse({"franceconnect": PORTAL, "franceconnect_plus": PORTAL}, "config.toml")

    ordinary, plus = settings.franceconnect, settings.franceconnect_plus
    assert (ordinary.acr_values, ordinary.encryption_algorithm) == ("eidas1", "")
    assert (plus.acr_values, plus.encryption_algorithm) == ("eidas2", "RSA-OAEP-256")
    assert ordinary.issuer != plus.issuer
    assert "rnipp_identite_pivot" in plus.scopes
