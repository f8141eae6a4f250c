"""What the demonstration needs at the provider: terms of use and two services, as an administrator registers them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from idp.app import templates_directory
from idp.cli.demonstration import plan as plans
from idp.cli.exits import Refusal
from idp.cli.terms import as_context, split
from idp.domain.client import (
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    GrantType,
    LegalBasis,
)
from idp.domain.newsletters import Newsletter
from idp.domain.purposes import Purpose
from idp.services.authorization import terms
from idp.services.authorization.terms import TermsText
from idp.services.clients import registry
from idp.services.clients.registry import Registered, Unknown

if TYPE_CHECKING:
    from idp.cli.demonstration.plan import Plan
    from idp.services.tools import Console

#: Terms of our own writing: `<version>.<language>.md`; the version is the day from which they hold.
_TERMS: Final = "terms"

#: What parking asks on its own (CON-3): who pays by telephone is known to these firms as a resident.
_MOBILE_PROVIDERS: Final = Purpose(
    name="mobile_providers",
    version="1",
    title={
        "fr": "Payer mon stationnement par une application mobile",
        "en": "Paying for my parking with a mobile app",
    },
    yes={
        "fr": "J’autorise la transmission de mes données à PayByPhone, Flowbird, EasyPark et Indigo Neo. "
        "Je pourrai payer mon stationnement résidentiel par l’une de ces applications.",
        "en": "I allow my data to be passed to PayByPhone, Flowbird, EasyPark and Indigo Neo. "
        "I will be able to pay for my resident parking with any of these apps.",
    },
    no={
        "fr": "Je n’autorise pas la transmission de mes données à PayByPhone, Flowbird, EasyPark et Indigo Neo. "
        "Je paierai mon stationnement résidentiel à l’horodateur seulement.",
        "en": "I do not allow my data to be passed to PayByPhone, Flowbird, EasyPark and Indigo Neo. "
        "I will pay for my resident parking at the meter only.",
    },
    recipients=("PayByPhone", "Flowbird", "EasyPark", "Indigo Neo"),
)
#: What parking sends to who wants it (PRO-7).
_PARKING_NEWS: Final = Newsletter(
    name="actualites",
    title={"fr": "Actualités du stationnement", "en": "Parking news"},
    description={
        "fr": "Tarifs, travaux, nouvelles places, près de chez vous.",
        "en": "Prices, road works and new spaces near you.",
    },
    frequency={"fr": "Une fois par mois, au plus.", "en": "Once a month at most."},
)


def register(tools: Console, plan: Plan, jwks: dict[str, Any]) -> dict[str, str]:
    """Publish the terms and register both services, or bring them up to date.

    Returns:
        The secrets of the services that have one.
    """
    publish_terms(tools)
    kept = plans.secrets_in(plan.data)
    secret = registered(tools, parking(plan), known=plans.PARKING in kept)
    if secret is not None:
        kept[plans.PARKING] = secret
        plans.keep_secrets(plan.data, kept)
    registered(tools, explorateurs(plan, jwks), known=True)
    return {plans.PARKING: kept[plans.PARKING]}


def publish_terms(tools: Console) -> None:
    """Publish the sample terms in every language; once published they never change."""
    for file in sorted((templates_directory() / _TERMS).glob("*.*.md")):
        version, language = file.name.removesuffix(".md").rsplit(".", 1)
        title, body = split(file.read_text(encoding="utf-8"))
        at = datetime.strptime(version, "%Y-%m-%d").replace(tzinfo=UTC)
        terms.publish(as_context(tools), TermsText(version, language, title, body, at), actor="system")


def registered(tools: Console, wanted: Client, *, known: bool) -> str | None:
    """Create a client, or change it where it differs.

    Args:
        tools: The parts.
        wanted: As it shall be.
        known: Its secret is at hand, or it has none.

    Returns:
        A new secret, when one was made.

    Raises:
        Refusal: It was refused; a mistake of ours.
    """
    present = registry.find(tools, wanted.client_id)
    if isinstance(present, Unknown):
        return accepted(registry.create(tools, wanted)).secret
    as_wanted = replace(
        wanted,
        version=present.version,
        secrets=present.secrets,
        created_at=present.created_at,
        disabled_at=present.disabled_at,
    )
    if as_wanted != present:
        accepted(registry.update(tools, as_wanted))
    if known:
        return None
    return accepted(registry.rotate_secret(tools, wanted.client_id, timedelta(0))).secret


def accepted(outcome: object) -> Registered:
    """Go on with a registration.

    Raises:
        Refusal: It was refused; a mistake of ours.
    """
    if not isinstance(outcome, Registered):
        raise Refusal(f"the services can't be registered: {outcome}")
    return outcome


def parking(plan: Plan) -> Client:
    """Describe the parking service: a secret, refresh tokens, what a parking right needs."""
    origin = plan.origin(2)
    return Client(
        client_id=plans.PARKING,
        name="Stationnement résidentiel",
        description={
            "fr": "Demandez et suivez vos droits de stationnement.",
            "en": "Apply for your resident parking permit and follow it.",
        },
        organisation="Ville de Paris",
        service_uri=origin,
        policy_uri=f"{origin}/donnees-personnelles",
        rubrique="deplacements",
        redirect_uris=(f"{origin}/callback",),
        post_logout_redirect_uris=(f"{origin}/deconnecte",),
        initiate_login_uri=f"{origin}/connexion/initier",
        backchannel_logout_uri=f"{origin}/deconnexion/canal-arriere",
        backchannel_logout_session_required=True,
        # By both channels: the frame acts before the page goes on, the other one in any case.
        frontchannel_logout_uri=f"{origin}/deconnexion/cadre",
        frontchannel_logout_session_required=True,
        events_uri=f"{origin}/evenements",
        purposes=(_MOBILE_PROVIDERS,),
        newsletters=(_PARKING_NEWS,),
        scopes=frozenset({"openid", "profile", "email", "offline_access", "requests", "newsletters"}),
        claims=(
            ClaimUse(
                "family_name",
                {"fr": "Pour établir votre droit à votre nom.", "en": "To make out the permit in your name."},
                required=True,
            ),
            ClaimUse(
                "given_name",
                {"fr": "Pour établir votre droit à votre nom.", "en": "To make out the permit in your name."},
                required=True,
            ),
            ClaimUse(
                "preferred_username",
                {
                    "fr": "Pour vous nommer comme vous le souhaitez.",
                    "en": "To call you by the name you use.",
                },
            ),
            ClaimUse(
                "email",
                {
                    "fr": "Pour vous écrire au sujet de vos demandes.",
                    "en": "To write to you about your applications.",
                },
                required=True,
            ),
        ),
        legal_basis=LegalBasis.PUBLIC_INTEREST,
        storage_location="France",
        retention={
            "fr": "Un an après la fin du dernier droit.",
            "en": "One year after the last permit has ended.",
        },
        authentication_method=ClientAuthenticationMethod.SECRET_BASIC,
        # The last one to say on "Mes demandes" what becomes of a right (PRO-6).
        grant_types=frozenset(
            {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS}
        ),
    )


def explorateurs(plan: Plan, jwks: dict[str, Any]) -> Client:
    """Describe the panel: a key of its own, and what a sample of residents is drawn by (CON-6)."""
    origin = plan.origin(3)
    sample = {
        "fr": "Pour que le panel ressemble aux habitants.",
        "en": "So that the panel is like the residents.",
    }
    person = {
        "fr": "Pour vérifier qu’une personne ne s’inscrit qu’une fois.",
        "en": "So that nobody joins twice.",
    }
    return Client(
        client_id=plans.EXPLORATEURS,
        name="Les Explorateurs de la Ville de Paris",
        description={
            "fr": "Un panel d’habitants donne son avis sur les services de la ville.",
            "en": "A panel of residents says what it thinks of the city's services.",
        },
        organisation="Ville de Paris",
        service_uri=origin,
        policy_uri=f"{origin}/donnees-personnelles",
        rubrique="participation",
        redirect_uris=(f"{origin}/callback",),
        post_logout_redirect_uris=(f"{origin}/deconnecte",),
        initiate_login_uri=f"{origin}/connexion/initier",
        backchannel_logout_uri=f"{origin}/deconnexion/canal-arriere",
        backchannel_logout_session_required=True,
        events_uri=f"{origin}/evenements",
        scopes=frozenset({"openid", "profile", "email", "requests"}),
        claims=(
            ClaimUse("family_name", person, required=True),
            ClaimUse("given_name", person, required=True),
            ClaimUse(
                "email",
                {"fr": "Pour vous inviter aux enquêtes.", "en": "To invite you to surveys."},
                required=True,
            ),
            ClaimUse("gender", sample),
            ClaimUse("birthdate", sample, required=True),
        ),
        legal_basis=LegalBasis.CONSENT,
        storage_location="France",
        retention={
            "fr": "Jusqu’à votre départ du panel, trois ans au plus.",
            "en": "Until you leave the panel, three years at most.",
        },
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        authentication_signing_alg="ES256",
        jwks=jwks,
        # The last one to say on "Mes demandes" which surveys wait for an answer (PRO-6).
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.CLIENT_CREDENTIALS}),
        # The panel's privacy policy, section 9: nobody below fifteen without a parent's permission.
        minimum_age=15,
    )
