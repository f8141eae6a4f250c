"""The composition root: builds every part from `Settings` and returns the Flask application."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask

from idp.config import ConfigurationError, is_local, secret_from
from idp.crypto.certificates import CertificateRefused, check_authorities
from idp.crypto.chain_seal import sealing
from idp.crypto.keyring import KeyFolder
from idp.crypto.opaque import Sealer
from idp.crypto.passwords import PasswordHasher
from idp.domain.client import RegistrationMode, RegistrationPolicy, TokenLifetimes
from idp.domain.life_cycle import LifeCyclePolicy
from idp.domain.mutual_tls import MutualTLSPolicy
from idp.domain.password_policy import PasswordPolicy, require_enough_bits
from idp.domain.session import SessionLifetimes
from idp.domain.throttle import CodePolicy, MailPolicy, SignInLimits, ThrottlePolicy, growing_delays
from idp.domain.tokens import DPoPPolicy
from idp.federation.franceconnect.breaker import CircuitBreaker
from idp.federation.franceconnect.client import FranceConnect
from idp.federation.franceconnect.places import Places
from idp.federation.franceconnect.settings import FranceConnectSettings
from idp.oauth.server import Server
from idp.outbound import metrics
from idp.outbound.breached_passwords import EMBEDDED_LIST, EmbeddedBreachedPasswords, NullBreachedPasswords
from idp.outbound.http import GuardedHTTPClient, Limits
from idp.services.context import Context, DerivedKeys
from idp.storage.client_directory import ClientDirectory
from idp.storage.engine import open_database
from idp.web import (
    assets,
    cors,
    errors,
    health,
    language,
    request_log,
    security_headers,
    sessions,
    templating,
)
from idp.web.http import TextRequest
from idp.web.oidc import documents
from idp.web.oidc.discovery import metadata_maker
from idp.web.proxies import Proxies
from idp.web.request_log import RequestLog
from idp.web.routes import BLUEPRINTS
from idp.web.site import City, KeptDays, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from idp.config import City as CitySettings
    from idp.config import FranceConnect as PortalSettings
    from idp.config import Settings
    from idp.domain.password_policy import PasswordPolicy as Policy
    from idp.outbound.breached_passwords import BreachedPasswords
    from idp.services.context import Clock
    from idp.web.site import Network

_PACKAGE = Path(__file__).resolve().parent
_STATIC = _PACKAGE / "web" / "static"
#: No page and no endpoint takes more than this in one request.
_MAX_BODY = 256 * 1024


class Application(Flask):
    """A Flask application whose views are all plain functions.

    Flask asks of each view and each hook whether it is a coroutine, anew at every request: nine times for one
    answer of /token.
    """

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function as it is."""
        return func

    def send_static_file(self, filename: str) -> Response:
        """Send the operator's file of that name, else ours (UX-3)."""
        return assets.send(filename)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    context: Context | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Flask:
    """Build the application that a server runs.

    Args:
        settings: As read and checked by `config.load`.
        clock: The time; tests give their own.
        context: The parts of the use cases, when the caller has built them already.
        is_stopping: Tells whether the server was asked to stop: then it is not ready any more (S-375).
    """
    parts = build_context(settings, clock=clock) if context is None else context
    app = Application("idp", static_folder=str(_STATIC), static_url_path="/static")
    app.request_class = TextRequest
    app.config.update(MAX_CONTENT_LENGTH=_MAX_BODY, MAX_FORM_MEMORY_SIZE=_MAX_BODY, MAX_FORM_PARTS=200)
    site = build_site(settings, parts)
    app.extensions["idp"] = site
    app.extensions["idp.oauth"] = Server(parts)
    catalogues = language.load(templates_directory())
    templating.initialise(app, site.templates, catalogues)
    sessions.initialise(app)
    security_headers.initialise(app)
    cors.initialise(app)
    errors.initialise(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    request_log.initialise(app)
    counts = metrics.PrometheusMetrics() if settings.metrics.enabled else metrics.NullMetrics()
    health.initialise(app, health.Health(counts, is_stopping))
    issuer = urlsplit(settings.server.issuer)
    # Discovery and JWKS are bytes answered before Flask dispatches.
    app.wsgi_app = Proxies(  # type: ignore[method-assign] # Flask's documented way to add middleware
        RequestLog(documents.Documents(app.wsgi_app, parts, metadata_maker(parts)), counts),
        site.trusted_proxies,
        issuer.scheme,
        issuer.netloc,
        settings.server.forwarded_header,
        certificate_header=settings.mutual_tls.certificate_header,
    )
    return app


def build_context(settings: Settings, *, clock: Clock = utc_now) -> Context:
    """Build what use cases are given.

    Raises:
        KeyringError: The keys are missing or can't be read.
        ConfigurationError: A file that the configuration names can't be read.
        ValueError: The password rules or the hash are weaker than is accepted.
    """
    keys = key_folder(settings)
    derived = DerivedKeys.derive(keys.derivation())
    policy = _password_policy(settings)
    return Context(
        issuer=settings.server.issuer,
        database=open_database(settings.database.url, pool_size=settings.server.threads, seal=sealing(keys)),
        clock=clock,
        keys=keys,
        derived=derived,
        sealer=Sealer.derived(keys.derivation()),
        clients=ClientDirectory(),
        passwords=_password_hasher(settings),
        password_policy=policy,
        breached_passwords=_breached_passwords(settings, policy),
        session_lifetimes=_session_lifetimes(settings),
        token_lifetimes=_token_lifetimes(settings),
        sign_in_limits=_sign_in_limits(settings),
        mail_policy=_mail_policy(settings),
        code_policy=CodePolicy(),
        franceconnect=_portal(settings, settings.franceconnect, "/franceconnect", keys, clock),
        franceconnect_plus=_portal(settings, settings.franceconnect_plus, "/franceconnect-plus", keys, clock),
        key_minimum_age=timedelta(seconds=settings.keys.next_minimum_age_seconds),
        http=GuardedHTTPClient(
            allow_private_networks=settings.outbound.allow_private_networks,
            ca_bundle=settings.outbound.ca_bundle or None,
        ),
        mutual_tls=_mutual_tls(settings),
        dpop=DPoPPolicy(
            require_nonce=settings.dpop.require_nonce,
            nonce_lifetime=timedelta(seconds=settings.dpop.nonce_seconds),
            proof_age=timedelta(seconds=settings.dpop.proof_seconds),
        ),
        registration=RegistrationPolicy(
            mode=RegistrationMode(settings.registration.mode),
            require_pkce=settings.registration.require_pkce,
            legacy_response_types=settings.registration.legacy_response_types,
        ),
        controller=settings.city.controller,
        life_cycle=LifeCyclePolicy(
            settings.life_cycle.inactivity_months,
            tuple(timedelta(days=days) for days in settings.life_cycle.warning_days),
        ),
        permission_lifetime=timedelta(days=settings.minors.permission_days),
    )


def build_site(settings: Settings, context: Context) -> Site:
    """Build what pages are given beside the use cases."""
    own = templates_directory()
    override = (Path(settings.city.templates),) if settings.city.templates else ()
    shown = settings.metrics
    return Site(
        context=context,
        city=_city(settings.city),
        is_local=is_local(settings.server.issuer),
        trusted_proxies=_networks(settings.server.trusted_proxies),
        metrics_networks=_networks(shown.allowed_networks) if shown.enabled else None,
        templates=(*override, own),
        assets=assets.found_in((*(folder / "static" for folder in override), _STATIC)),
        has_styleguide=settings.city.styleguide,
        kept_days=KeptDays(
            audit=settings.retention.audit_days,
            disclosures=settings.retention.disclosure_days,
            devices=settings.retention.device_days,
            messages=settings.retention.message_days,
        ),
    )


def _city(city: CitySettings) -> City:
    return City(
        name=city.name,
        address=city.address,
        phone=city.phone,
        contact_url=city.contact_uri,
        support_email=city.support_email,
        publication_director=city.publication_director,
        hosting=city.hosting,
        accessibility=city.accessibility,
    )


def key_folder(settings: Settings) -> KeyFolder:
    """Find the signing keys.

    Raises:
        ConfigurationError: The passphrase file can't be read.
    """
    passphrase = secret_from(os.environ.get("IDP_KEYS_PASSPHRASE", ""), settings.keys.passphrase_file)
    return KeyFolder(Path(settings.keys.directory), passphrase.encode() or None, time.monotonic)


def templates_directory() -> Path:
    """Find the templates: in the checkout, else inside the installed package."""
    checkout = _PACKAGE.parent / "templates"
    return checkout if (checkout / "layout.html").is_file() else _PACKAGE / "_templates"


def _portal(
    settings: Settings, portal: PortalSettings, path: str, keys: KeyFolder, clock: Clock
) -> FranceConnect | None:
    """Build a portal of the State; None when it is off.

    Args:
        settings: All of them.
        portal: Its own.
        path: Where its callbacks are here: each portal has addresses of its own (RFC 9700 section 4.4).
        keys: With those that it encrypts to.
        clock: The time.
    """
    if not portal.enabled:
        return None
    timeout = timedelta(seconds=portal.timeout_seconds)
    issuer = settings.server.issuer
    return FranceConnect(
        FranceConnectSettings(
            issuer=portal.issuer,
            client_id=portal.client_id,
            client_secret=secret_from(portal.client_secret, portal.client_secret_file),
            redirect_uri=f"{issuer}{path}/callback",
            post_logout_redirect_uri=f"{issuer}{path}/logout/callback",
            signing_algorithm=portal.signing_algorithm,
            encryption_algorithm=portal.encryption_algorithm or None,
            acr_values=portal.acr_values,
            scopes=portal.scopes,
            leeway=timedelta(seconds=portal.leeway_seconds),
            jwks_minimum_refetch=timedelta(seconds=portal.jwks_minimum_refetch_seconds),
        ),
        GuardedHTTPClient(
            Limits(connect=min(timeout, timedelta(seconds=2)), read=timeout, total=timeout),
            allow_private_networks=settings.outbound.allow_private_networks,
            ca_bundle=settings.outbound.ca_bundle or None,
        ),
        clock,
        timeout=timeout,
        breaker=CircuitBreaker(clock, places=Places(max(1, settings.server.threads - 1))),
        decryption_keys=lambda: keys.keyring().decryption_keys(),
    )


def _mutual_tls(settings: Settings) -> MutualTLSPolicy:
    given = settings.mutual_tls
    authorities = secret_from("", given.ca_bundle)
    try:
        check_authorities(authorities)
    except CertificateRefused as error:
        raise ConfigurationError(f"mutual_tls.ca_bundle: {given.ca_bundle}: {error}") from error
    return MutualTLSPolicy(
        certificate_header=given.certificate_header,
        authorities=authorities,
        verified_by_proxy=given.verified_by_proxy,
        origin=given.origin.rstrip("/"),
    )


def _password_policy(settings: Settings) -> Policy:
    policy = PasswordPolicy(
        min_length=settings.password.minimum_length,
        recommended_length=settings.password.recommended_length,
        context_words=settings.password.context_words,
        refuse_personal=settings.password.refuse_personal,
        refuse_common=settings.password.refuse_common,
    )
    require_enough_bits(policy, throttled=True)
    return policy


def _password_hasher(settings: Settings) -> PasswordHasher:
    hashing = settings.hashing
    return PasswordHasher(
        memory_kib=hashing.memory_kib,
        time_cost=hashing.time_cost,
        parallelism=hashing.parallelism,
        concurrency=hashing.concurrency or None,
        max_wait=timedelta(seconds=hashing.queue_seconds),
    )


def _breached_passwords(settings: Settings, policy: Policy) -> BreachedPasswords:
    if not policy.refuse_common:
        return NullBreachedPasswords()
    file = settings.password.common_list
    return EmbeddedBreachedPasswords(Path(file) if file else EMBEDDED_LIST)


def _session_lifetimes(settings: Settings) -> SessionLifetimes:
    return SessionLifetimes(
        idle=timedelta(seconds=settings.sessions.idle_seconds),
        absolute=timedelta(seconds=settings.sessions.absolute_seconds),
        recent=timedelta(seconds=settings.sessions.recent_seconds),
        most_per_account=settings.sessions.most_per_account,
    )


def _token_lifetimes(settings: Settings) -> TokenLifetimes:
    tokens = settings.tokens
    return TokenLifetimes(
        code=timedelta(seconds=tokens.code_seconds),
        access_token=timedelta(seconds=tokens.access_token_seconds),
        id_token=timedelta(seconds=tokens.id_token_seconds),
        refresh_idle=timedelta(seconds=tokens.refresh_idle_seconds),
        refresh_absolute=timedelta(seconds=tokens.refresh_absolute_seconds),
        refresh_retry=timedelta(seconds=tokens.refresh_retry_seconds),
        pushed_request=timedelta(seconds=tokens.pushed_request_seconds),
        device_code=timedelta(seconds=tokens.device_code_seconds),
    )


def _sign_in_limits(settings: Settings) -> SignInLimits:
    brake = settings.throttle
    delays = growing_delays(
        timedelta(seconds=brake.first_delay_seconds), timedelta(seconds=brake.longest_delay_seconds)
    )
    growing = ThrottlePolicy(
        free_failures=brake.free_tries,
        window=timedelta(hours=24),
        delays=delays,
        long_limit=brake.tries_per_day,
    )
    return SignInLimits(
        account=growing,
        account_network=ThrottlePolicy(
            free_failures=brake.free_tries,
            window=timedelta(minutes=1),
            long_limit=2 * brake.tries_per_day,
            long_window=timedelta(hours=12),
        ),
        network=ThrottlePolicy(
            free_failures=brake.network_tries_per_minute,
            window=timedelta(minutes=1),
            cleared_by_success=False,
        ),
        account_device=growing,
    )


def _mail_policy(settings: Settings) -> MailPolicy:
    def limit(most: int, window: timedelta) -> ThrottlePolicy:
        return ThrottlePolicy(free_failures=most, window=window, cleared_by_success=False)

    brake = settings.throttle
    return MailPolicy(
        reset_per_address=limit(brake.mails_per_hour, timedelta(hours=1)),
        signup_per_address=limit(brake.mails_per_hour, timedelta(hours=1)),
        signup_per_network=limit(brake.signups_per_network, timedelta(minutes=10)),
    )


def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)
