"""Reads `config.toml` once, checks it and returns frozen `Settings`.

Each attribute is a key of the file, in the section that its class describes; its description is the comment
in `config.example.toml` and the row in `docs/configuration.md`.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from idp.domain.accessibility import AccessibilityStatement, Conformity, conformity_of
from idp.domain.controller import Controller

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
#: What FranceConnect and FranceConnect+ may be asked for.
LEVELS: Final = frozenset({"eidas1", "eidas2", "eidas3"})
Seconds = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class ConfigurationError(Exception):
    """The configuration can't be used; the text names the key and the file."""


class Server(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the provider listens and how it is reached."""

    issuer: Annotated[
        str,
        Meta(description="Public address, https, no trailing slash; http is taken for localhost only."),
    ] = "http://localhost:8000"
    bind: Annotated[str, Meta(description="Address and port to listen on.")] = "127.0.0.1:8000"
    engine: Annotated[
        Literal["granian", "gunicorn"],
        Meta(description="Server program; docs/decisions says which does what."),
    ] = "gunicorn"
    workers: Annotated[
        int, Meta(ge=0, description="Worker processes; 0 means one for each core, 4 at most.")
    ] = 0
    threads: Annotated[Count, Meta(description="Threads of each worker.")] = 4
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses or networks whose X-Forwarded-* headers are believed; none by default."),
    ] = ()
    forwarded_header: Annotated[
        Literal["x-forwarded-for", "forwarded"],
        Meta(description="Header in which the proxies name the client; behind granian it must be forwarded."),
    ] = "x-forwarded-for"
    request_timeout_seconds: Annotated[
        Seconds, Meta(description="A worker that has been busy with one request for longer is replaced.")
    ] = 30
    graceful_seconds: Annotated[
        Seconds, Meta(description="How long requests in flight may take to finish at a stop.")
    ] = 10
    drain_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=60,
            description="How long /readyz answers 503 at a stop before the sockets close; load balancers notice.",
        ),
    ] = 2
    max_requests: Annotated[
        int,
        Meta(
            ge=0, description="A worker is replaced after about so many requests; 0 for never. gunicorn only."
        ),
    ] = 100_000
    worker: Annotated[bool, Meta(description="Run the delivery worker beside the server.")] = True


class DatabaseSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where everything that must survive is kept."""

    url: Annotated[
        str,
        Meta(
            description="sqlite:///PATH (four slashes for an absolute path) or postgresql://USER:PASSWORD@HOST/NAME."
        ),
    ] = "sqlite:///var/idp.db"


class Keys(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys that sign and decrypt."""

    directory: Annotated[str, Meta(description="Folder of the private keys, mode 0700; back it up.")] = "keys"
    passphrase_file: Annotated[
        str,
        Meta(description="File with the passphrase of the private keys; empty leaves them in clear."),
    ] = ""
    algorithms: Annotated[
        tuple[Literal["ES256", "RS256", "PS256", "EdDSA"], ...],
        Meta(description="Algorithms to sign with; RS256 is asked for by OpenID Connect."),
    ] = ("ES256", "RS256")
    encryption_algorithms: Annotated[
        tuple[Literal["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"], ...],
        Meta(
            description="Algorithms by which services may encrypt requests to us, a key for each; may be none."
        ),
    ] = ("RSA-OAEP-256", "ECDH-ES")
    next_minimum_age_seconds: Annotated[
        Seconds,
        Meta(
            description="How long a key is published before it signs; at least the time that JWK Sets are cached."
        ),
    ] = 7200

    @property
    def every_algorithm(self) -> tuple[str, ...]:
        """Name each algorithm that there must be an active key for."""
        return (*self.algorithms, *self.encryption_algorithms)


class Mail(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Outgoing mail."""

    host: Annotated[str, Meta(description="SMTP server.")] = "localhost"
    port: Annotated[Port, Meta(description="Its port.")] = 25
    security: Annotated[
        Literal["none", "starttls", "tls"],
        Meta(description="Protection of the connection; none is for a server on this machine."),
    ] = "starttls"
    username: Annotated[str, Meta(description="Account on the SMTP server; empty for none.")] = ""
    password_file: Annotated[str, Meta(description="File with its password.")] = ""
    sender: Annotated[str, Meta(description="From address.")] = "Mon Paris <ne-pas-repondre@example.org>"
    timeout_seconds: Annotated[Seconds, Meta(description="How long to wait for the SMTP server.")] = 10


class FranceConnect(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """FranceConnect, the State's identity federator."""

    enabled: Annotated[bool, Meta(description="Offer FranceConnect.")] = False
    issuer: Annotated[str, Meta(description="Issuer of FranceConnect, path included.")] = (
        "https://oidc.franceconnect.gouv.fr/api/v2"
    )
    client_id: Annotated[str, Meta(description="Client identifier given by the partner portal.")] = ""
    client_secret: Annotated[str, Meta(description="Its secret; prefer client_secret_file.")] = ""
    client_secret_file: Annotated[str, Meta(description="File with its secret.")] = ""
    signing_algorithm: Annotated[
        Literal["ES256", "RS256"],
        Meta(description="Algorithm registered for the ID token and UserInfo."),
    ] = "ES256"
    encryption_algorithm: Annotated[
        Literal["", "ECDH-ES", "RSA-OAEP", "RSA-OAEP-256"],
        Meta(
            description="Algorithm registered for encrypting both to our keys, those of keys.encryption_algorithms;"
            " empty when they come signed only."
        ),
    ] = ""
    acr_values: Annotated[
        str,
        Meta(
            description="Levels that may be asked for, separated by spaces: the lowest, unless a service wants more."
        ),
    ] = "eidas1"
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What is asked for; each scope must be in the authorization."),
    ] = ("openid", "identite_pivot", "preferred_username", "email", "idp_birthdate")
    timeout_seconds: Annotated[Seconds, Meta(description="How long to wait for FranceConnect.")] = 5
    leeway_seconds: Annotated[int, Meta(ge=0, le=60, description="Clock difference tolerated.")] = 30
    jwks_minimum_refetch_seconds: Annotated[
        Seconds, Meta(description="Shortest time between two fetches of its keys.")
    ] = 10


class FranceConnectPlus(FranceConnect, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """FranceConnect+, the State's portal for the levels substantial and high; beside FranceConnect, or alone."""

    issuer: Annotated[str, Meta(description="Issuer of FranceConnect+, path included.")] = (
        "https://auth.franceconnect.gouv.fr/api/v2"
    )
    encryption_algorithm: Annotated[
        Literal["", "ECDH-ES", "RSA-OAEP", "RSA-OAEP-256"],
        Meta(
            description="Algorithm registered for encrypting both to our keys, those of keys.encryption_algorithms;"
            " empty when they come signed only."
        ),
    ] = "RSA-OAEP-256"
    acr_values: Annotated[
        str,
        Meta(
            description="Levels that may be asked for, separated by spaces: the lowest, unless a service wants more."
        ),
    ] = "eidas2"
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What is asked for; each scope must be in the authorization."),
    ] = ("openid", "identite_pivot", "rnipp_identite_pivot", "preferred_username", "email")


class Password(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rules for new passwords."""

    minimum_length: Annotated[
        int,
        Meta(ge=8, le=64, description="Shortest password, in characters; the terms of use say 8."),
    ] = 8
    recommended_length: Annotated[
        int,
        Meta(
            ge=8,
            le=64,
            description="Length that the page recommends; 13 characters of this alphabet make 80 bits.",
        ),
    ] = 13
    refuse_common: Annotated[
        bool, Meta(description="Refuse common and breached passwords (embedded list, no network).")
    ] = True
    refuse_personal: Annotated[
        bool, Meta(description="Refuse a password that contains the person's address or name.")
    ] = True
    common_list: Annotated[
        str, Meta(description="Another list of the same format; empty for the embedded one.")
    ] = ""
    context_words: Annotated[
        tuple[str, ...],
        Meta(description="Words refused inside a password: the names of the city and the service."),
    ] = ("monparis",)


class Hashing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Argon2id; less than the floor of OWASP is refused at start."""

    memory_kib: Annotated[int, Meta(ge=7168, description="Memory of one hash, in KiB.")] = 19456
    time_cost: Annotated[Count, Meta(description="Passes.")] = 2
    parallelism: Annotated[Count, Meta(description="Lanes.")] = 1
    concurrency: Annotated[
        int,
        Meta(ge=0, description="Hashes computed at once in a worker; 0 means the number of cores."),
    ] = 0
    queue_seconds: Annotated[
        Seconds,
        Meta(description="How long a login may wait for its turn before the answer is 503."),
    ] = 5


class Sessions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Signed-in browsers."""

    idle_seconds: Annotated[
        Seconds,
        Meta(description="A session unused for so long ends; RGAA 13.1 asks for 20 hours or more."),
    ] = 72_000
    absolute_seconds: Annotated[Seconds, Meta(description="A session ends after so long, used or not.")] = (
        604_800
    )
    recent_seconds: Annotated[
        Seconds, Meta(description="A sensitive act asks again for the password after so long.")
    ] = 900
    most_per_account: Annotated[Count, Meta(description="Beyond so many, the oldest session ends.")] = 20


class Tokens(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Lives of tokens."""

    code_seconds: Annotated[int, Meta(ge=10, le=600, description="Authorization code.")] = 60
    access_token_seconds: Annotated[Seconds, Meta(description="Access token.")] = 300
    id_token_seconds: Annotated[Seconds, Meta(description="ID token.")] = 300
    refresh_idle_seconds: Annotated[Seconds, Meta(description="Refresh token that is not used.")] = 1_209_600
    refresh_absolute_seconds: Annotated[
        Seconds, Meta(description="Refresh tokens of one authorization, however often renewed.")
    ] = 7_776_000
    refresh_retry_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=60,
            description="A public client that lost the answer gets the same successor again within so long.",
        ),
    ] = 10
    pushed_request_seconds: Annotated[
        int, Meta(ge=10, le=590, description="How long a pushed request waits for the browser.")
    ] = 90
    device_code_seconds: Annotated[
        int, Meta(ge=60, le=1800, description="How long a device waits for its person.")
    ] = 900


class MutualTLS(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Certificates of clients (RFC 8705), which a TLS proxy in front asks for."""

    certificate_header: Annotated[
        str,
        Meta(
            description="Header in which server.trusted_proxies hand over the certificate: PEM, escaped PEM or"
            " Client-Cert of RFC 9440; empty when none is asked for."
        ),
    ] = ""
    ca_bundle: Annotated[
        str, Meta(description="File of the authorities that tls_client_auth accepts; empty for none.")
    ] = ""
    verified_by_proxy: Annotated[
        bool, Meta(description="The proxy itself lets certificates of known authorities through only.")
    ] = False
    origin: Annotated[
        str,
        Meta(
            description="Address under which the proxy asks for certificates, told as mtls_endpoint_aliases;"
            " empty when it is the issuer."
        ),
    ] = ""


class DPoP(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Proofs of possession (RFC 9449)."""

    require_nonce: Annotated[bool, Meta(description="Demand a nonce of ours in each proof.")] = False
    nonce_seconds: Annotated[int, Meta(ge=10, le=3600, description="How long a nonce may be used.")] = 300
    proof_seconds: Annotated[int, Meta(ge=5, le=300, description="How old a proof may be.")] = 60


class Registration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Services that register themselves (RFC 7591)."""

    mode: Annotated[
        Literal["off", "token", "open"],
        Meta(
            description="Who may: nobody, holders of a token made by `idp clients token`, anybody."
            " Such services are shown to people as not verified."
        ),
    ] = "off"
    require_pkce: Annotated[bool, Meta(description="They must use PKCE even when they have a secret.")] = True
    legacy_response_types: Annotated[
        bool, Meta(description="They may register implicit and hybrid response types.")
    ] = False


class Throttle(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Brakes against guessing; docs/security.md says why."""

    free_tries: Annotated[Count, Meta(description="Wrong passwords before the first delay.")] = 5
    first_delay_seconds: Annotated[Seconds, Meta(description="First delay; each next one doubles.")] = 60
    longest_delay_seconds: Annotated[Seconds, Meta(description="Longest delay.")] = 1800
    tries_per_day: Annotated[Count, Meta(description="Wrong passwords in 24 hours for one account.")] = 25
    network_tries_per_minute: Annotated[
        Count, Meta(description="Wrong passwords a minute from one network.")
    ] = 20
    mails_per_hour: Annotated[
        Count,
        Meta(description="Mails an hour to one address, for sign-up and for a new password each."),
    ] = 5
    signups_per_network: Annotated[Count, Meta(description="Sign-ups in 10 minutes from one network.")] = 20


class Outbound(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Requests that the provider sends."""

    allow_private_networks: Annotated[
        bool, Meta(description="Let requests go to private addresses: tests and closed networks.")
    ] = False
    ca_bundle: Annotated[
        str, Meta(description="File of certificate authorities; empty for the system's.")
    ] = ""


class Logs(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Structured logs, on standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="Least serious event that is written."),
    ] = "info"
    format: Annotated[
        Literal["json", "console"], Meta(description="json for machines, console for people.")
    ] = "json"


class Retention(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long what is of no more use is kept."""

    link_days: Annotated[Count, Meta(description="Expired links in mails, and ended client secrets.")] = 7
    message_days: Annotated[Count, Meta(description="Messages that were delivered or given up.")] = 30
    device_days: Annotated[Count, Meta(description="Known browsers that did not come back.")] = 396
    audit_days: Annotated[Count, Meta(description="Lines of the audit trail.")] = 365
    disclosure_days: Annotated[
        Count, Meta(description="What the disclosure log says of which service received what.")
    ] = 396


class LifeCycle(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Accounts that nobody uses any more."""

    enabled: Annotated[
        bool, Meta(description="The server's worker runs the job; false leaves it to `idp lifecycle run`.")
    ] = True
    inactivity_months: Annotated[
        Count,
        Meta(description="Months without a login or a reactivation, after which an account is deleted."),
    ] = 37
    warning_days: Annotated[
        tuple[Count, ...],
        Meta(description="How many days before the deletion each mail goes out, the earliest first."),
    ] = (60, 30, 7)
    batch: Annotated[Count, Meta(description="Accounts looked at in one transaction.")] = 200
    every_minutes: Annotated[Count, Meta(description="How often the worker runs the job.")] = 60


class Minors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Permissions that parents are asked for."""

    permission_days: Annotated[Count, Meta(description="How long a parent may answer.")] = 14


class Metrics(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Prometheus."""

    enabled: Annotated[bool, Meta(description="Serve /metrics.")] = True
    allowed_networks: Annotated[tuple[str, ...], Meta(description="Who may read /metrics.")] = (
        "127.0.0.0/8",
        "::1/128",
    )


class City(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the pages say of the city."""

    name: Annotated[str, Meta(description="Name of the city, on every page and in mails.")] = "Ville de Paris"
    address: Annotated[str, Meta(description="Postal address of the city, on receipts and certificates.")] = (
        "Hôtel de Ville, 75196 Paris Cedex 04"
    )
    phone: Annotated[str, Meta(description="Number to call in case of loss, theft or misuse.")] = "3975"
    contact_uri: Annotated[str, Meta(description="The city's contact form.")] = "https://www.paris.fr/contact"
    support_email: Annotated[
        str,
        Meta(description="Where residents write to the data protection officer; empty for none."),
    ] = ""
    publication_director: Annotated[
        str,
        Meta(
            description="Who answers for what is published, on the legal notice; empty for the city's legal"
            " representative, as the law has it."
        ),
    ] = ""
    hosting: Annotated[
        str,
        Meta(
            description="Who hosts the provider, on the legal notice: name, address and telephone number; empty"
            " says that it was not told."
        ),
    ] = ""
    accessibility_state: Annotated[
        Literal["totalement conforme", "partiellement conforme", "non conforme"],
        Meta(
            description="What the accessibility audit found; shown for three years after it, non conforme otherwise."
        ),
    ] = "non conforme"
    accessibility_audited_on: Annotated[
        str, Meta(description="Day of the audit, such as 2026-11-22; empty when there was none.")
    ] = ""
    accessibility_auditor: Annotated[str, Meta(description="Who made the audit.")] = ""
    accessibility_rate: Annotated[
        int,
        Meta(ge=0, le=100, description="Percentage of the criteria of the RGAA that the audit found met."),
    ] = 0
    accessibility_failures: Annotated[
        tuple[str, ...],
        Meta(
            description="What the audit found not accessible, in French, one entry a line of the statement."
        ),
    ] = ()
    accessibility_exemptions: Annotated[
        tuple[str, ...],
        Meta(description="What would be a disproportionate burden to mend, and why, in French."),
    ] = ()
    accessibility_plan_uri: Annotated[
        str,
        Meta(
            description="Where the city publishes its accessibility plan for several years; empty for none."
        ),
    ] = ""
    templates: Annotated[
        str,
        Meta(
            description="Folder whose templates replace those of the same path, "
            "and whose folder static adds files or replaces ours; empty for none.",
        ),
    ] = ""
    styleguide: Annotated[
        bool,
        Meta(description="Serve /styleguide: every colour and component, for who themes the pages."),
    ] = False

    @property
    def controller(self) -> Controller:
        """Name the city as documents do that people keep."""
        return Controller(self.name, self.address, self.support_email or self.contact_uri, self.phone)

    @property
    def accessibility(self) -> AccessibilityStatement:
        """Give what is stated of the accessibility.

        Raises:
            ValueError: The day of the audit is none.
        """
        return AccessibilityStatement(
            conformity=Conformity(self.accessibility_state),
            audited_on=date.fromisoformat(self.accessibility_audited_on)
            if self.accessibility_audited_on
            else None,
            auditor=self.accessibility_auditor,
            rate=self.accessibility_rate,
            failures=self.accessibility_failures,
            exemptions=self.accessibility_exemptions,
            plan_url=self.accessibility_plan_uri,
        )


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    server: Server = Server()
    database: DatabaseSettings = DatabaseSettings()
    keys: Keys = Keys()
    mail: Mail = Mail()
    franceconnect: FranceConnect = FranceConnect()
    franceconnect_plus: FranceConnectPlus = FranceConnectPlus()
    password: Password = Password()
    hashing: Hashing = Hashing()
    sessions: Sessions = Sessions()
    tokens: Tokens = Tokens()
    mutual_tls: MutualTLS = MutualTLS()
    dpop: DPoP = DPoP()
    registration: Registration = Registration()
    throttle: Throttle = Throttle()
    outbound: Outbound = Outbound()
    logs: Logs = Logs()
    metrics: Metrics = Metrics()
    retention: Retention = Retention()
    life_cycle: LifeCycle = LifeCycle()
    minors: Minors = Minors()
    city: City = City()


def load(path: Path) -> Settings:
    """Read and check a configuration file.

    Raises:
        ConfigurationError: Missing, not TOML, an unknown key, a wrong type, or values that contradict each other.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    return parse(raw, str(path))


def parse(raw: dict[str, Any], source: str) -> Settings:
    """Turn the content of a configuration file into settings.

    Raises:
        ConfigurationError: As in `load`.
    """
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{source}: {error}") from error
    problems = contradictions(settings)
    if problems:
        raise ConfigurationError("\n".join(f"{source}: {problem}" for problem in problems))
    return settings


def contradictions(settings: Settings) -> list[str]:
    """Name values that are right alone and wrong together."""
    found = []
    issuer = settings.server.issuer
    if issuer.endswith("/") or "?" in issuer or "#" in issuer:
        found.append("server.issuer has neither trailing slash, query nor fragment (OIDC Discovery 3)")
    if not issuer.startswith("https://") and not is_local(issuer):
        found.append("server.issuer must be https (http is taken for localhost only)")
    server = settings.server
    if server.engine == "granian" and server.trusted_proxies and server.forwarded_header != "forwarded":
        found.append(
            'server.forwarded_header must be "forwarded" with granian, which takes X_Forwarded_For for X-Forwarded-For'
        )
    found += _doubtful_portal("franceconnect", settings.franceconnect, settings)
    found += _doubtful_portal("franceconnect_plus", settings.franceconnect_plus, settings)
    if settings.mutual_tls.certificate_header and not server.trusted_proxies:
        found.append(
            "mutual_tls.certificate_header needs server.trusted_proxies: anybody could send the header"
        )
    found += _doubtful_certificate_header(settings)
    if settings.sessions.idle_seconds > settings.sessions.absolute_seconds:
        found.append("sessions.idle_seconds is longer than sessions.absolute_seconds")
    if settings.password.recommended_length < settings.password.minimum_length:
        found.append("password.recommended_length is less than password.minimum_length")
    found += _doubtful_life_cycle(settings.life_cycle)
    found += _doubtful_statement(settings.city)
    return found


def _doubtful_life_cycle(life_cycle: LifeCycle) -> list[str]:
    if not life_cycle.warning_days:
        return ["life_cycle.warning_days is empty: nobody is deleted without a warning (LIF-3)"]
    if max(life_cycle.warning_days) > life_cycle.inactivity_months * 28:
        return ["life_cycle.warning_days has a warning before the account was left"]
    return []


def _doubtful_statement(city: City) -> list[str]:
    try:
        statement = city.accessibility
    except ValueError:
        return ["city.accessibility_audited_on is a day such as 2026-11-22, or empty"]
    if statement.audited_on is None and statement.conformity is not Conformity.NONE:
        return [
            "city.accessibility_state takes an audit: say its day in city.accessibility_audited_on (S-422)"
        ]
    if statement.is_contradictory():
        made = conformity_of(statement.rate).value
        return [f"city.accessibility_rate makes {made!r}, city.accessibility_state says otherwise (S-424)"]
    return []


def _doubtful_portal(section: str, portal: FranceConnect, settings: Settings) -> list[str]:
    if not portal.enabled:
        return []
    found = []
    if not portal.client_id:
        found.append(f"{section}.client_id is needed when {section}.enabled is true")
    if not (portal.client_secret or portal.client_secret_file):
        found.append(f"{section}.client_secret_file is needed when {section}.enabled is true")
    levels = portal.acr_values.split()
    if not levels or not LEVELS.issuperset(levels):
        found.append(f"{section}.acr_values has one or more of {' '.join(sorted(LEVELS))}")
    algorithm = portal.encryption_algorithm
    if algorithm and algorithm not in settings.keys.encryption_algorithms:
        found.append(
            f"{section}.encryption_algorithm is {algorithm}, for which keys.encryption_algorithms has no key"
        )
    return found


def _doubtful_certificate_header(settings: Settings) -> list[str]:
    name = settings.mutual_tls.certificate_header
    if name and _HEADER_NAME.fullmatch(name) is None:
        return ["mutual_tls.certificate_header has letters, digits and hyphens only"]
    if settings.server.engine == "granian" and "-" in name:
        return [
            "mutual_tls.certificate_header must have no hyphen with granian, which takes Client_Cert for Client-Cert"
        ]
    return []


def is_local(issuer: str) -> bool:
    """Tell whether an issuer is this machine, where http and plain cookies are right."""
    host = issuer.removeprefix("http://").split("/", 1)[0].rsplit(":", 1)[0]
    return issuer.startswith("http://") and host in {"localhost", "127.0.0.1", "[::1]"}


def secret_from(value: str, file: str) -> str:
    """Read a secret from its file, or take the value of the key beside it.

    Raises:
        ConfigurationError: The file can't be read.
    """
    if not file:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
