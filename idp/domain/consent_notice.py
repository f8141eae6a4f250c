"""The exact words of the consent screen, made from a service's contract (CON-2, CON-5, CON-8; S-435).

The page shows the parts, and the ledger keeps their text: both come from here, so that what is proven is what was
shown. Nothing of the person stands in it: their values, and who vouches for them, are the page's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from idp.domain.client import LegalBasis, SubjectType
from idp.domain.data_words import claim_label, legal_basis_label, worded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.domain.client import ClaimUse, Client
    from idp.domain.purposes import Purpose

_CERTIFIED: Final = 600
#: RGPD article 21: who may object. Consent is withdrawn instead, and a duty of law admits no objection.
_OBJECTION: Final = frozenset({LegalBasis.PUBLIC_INTEREST, LegalBasis.LEGITIMATE_INTEREST})


class Occasion(StrEnum):
    """Why the screen is shown."""

    FIRST = "first"
    GROWN = "grown"
    POLICY_CHANGED = "policy_changed"
    AGAIN = "again"
    PURPOSES = "purposes"


@dataclass(frozen=True, slots=True)
class Screen:
    """What a screen is made from.

    Attributes:
        client: Who asks, with its contract.
        occasion: Why.
        language: Of the page.
        host: Where the answer goes.
        uses: The data that are asked, in order.
        new: Names among them that no earlier answer saw.
        kept: Names of data that were allowed before, and are not asked again.
        purposes: What needs a yes or no.
        in_absence: The data may be read again while the person is away.
        in_absence_is_new: No earlier answer saw that.
        interfaces: Scopes of APIs of the city that are asked.
        for_device: The answer goes to a device that shows a code.
        city_contact: Whom to write to, of a verified service that has nobody of its own.
    """

    client: Client
    occasion: Occasion
    language: str
    host: str
    uses: tuple[ClaimUse, ...] = ()
    new: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    in_absence: bool = False
    in_absence_is_new: bool = False
    interfaces: tuple[str, ...] = ()
    for_device: bool = False
    city_contact: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a sentence; what identifies the service stands out."""

    text: str
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Caution:
    """What to look at before answering."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticedClaim:
    """One datum: what it is called and why it is wanted."""

    name: str
    label: str
    reason: str
    demand: str
    is_required: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class NoticedPurpose:
    """One question: its title, its two answers, and who gets the data after a yes."""

    name: str
    title: str
    yes: str
    no: str
    recipients: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of what people must be told: its name, its text, where it leads."""

    label: str
    text: str
    href: str | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """The screen, part by part; `words` is all of it in the order of the page.

    Attributes:
        title: What the page is about.
        news: What has changed since the last answer; empty for a first one.
        cautions: An unknown service; a device that somebody else may hold.
        who: Who receives what is asked, where.
        needed_title: Above the data that the service can't do without.
        needed: Those.
        optional_title: Above the data that can be refused one by one.
        optional_hint: That nobody has to.
        optional: Those.
        kept: What was allowed before, on one line; empty for nothing.
        purposes_title: Above the questions.
        purposes_hint: That both answers are free.
        purposes: The questions.
        facts: On which ground, how long, with whom, where, whom to ask.
        new_mark: Stands by what no earlier answer saw.
        refuse: The button of a no.
        allow: The button of a yes.
        after: What a no leads to.
    """

    title: str
    news: str
    cautions: tuple[Caution, ...]
    who: tuple[Run, ...]
    needed_title: str
    needed: tuple[NoticedClaim, ...]
    optional_title: str
    optional_hint: str
    optional: tuple[NoticedClaim, ...]
    kept: str
    purposes_title: str
    purposes_hint: str
    purposes: tuple[NoticedPurpose, ...]
    facts: tuple[Fact, ...]
    new_mark: str
    refuse: str
    allow: str
    after: str

    @property
    def words(self) -> str:
        """Give the text of the screen, a line for each sentence or group of them."""
        return "\n".join(line for line in self._lines() if line)

    def _lines(self) -> Iterator[str]:
        yield self.title
        yield self.news
        for caution in self.cautions:
            yield caution.title
            yield caution.text
        yield "".join(run.text for run in self.who)
        if self.needed:
            yield self.needed_title
            yield from self._claim_lines(self.needed)
        if self.optional:
            yield self.optional_title
            yield self.optional_hint
            yield from self._claim_lines(self.optional)
        yield self.kept
        if self.purposes:
            yield self.purposes_title
            yield self.purposes_hint
        for purpose in self.purposes:
            yield from (purpose.title, purpose.recipients, purpose.yes, purpose.no)
        for fact in self.facts:
            mark = f" {self.new_mark}" if fact.is_new else ""
            yield f"{fact.label}{mark} {fact.text}"
        yield from (self.refuse, self.allow, self.after)

    def _claim_lines(self, claims: tuple[NoticedClaim, ...]) -> Iterator[str]:
        for claim in claims:
            yield f"{claim.label} {self.new_mark}" if claim.is_new else claim.label
            yield claim.reason
            yield claim.demand


def notice_of(screen: Screen) -> Notice:
    """Put the words of a screen together."""
    say = _Voice(screen.language)
    claims = tuple(_claim(screen, use, say) for use in screen.uses)
    is_choice = screen.occasion is Occasion.PURPOSES
    return Notice(
        title=say(_title(screen)),
        news=_news(screen, say),
        cautions=tuple(_cautions(screen, say)),
        who=tuple(_who(screen, say)),
        needed_title=say("needed"),
        needed=tuple(claim for claim in claims if claim.is_required),
        optional_title=say("optional"),
        optional_hint=say("optional_hint"),
        optional=tuple(claim for claim in claims if not claim.is_required),
        kept=_kept(screen, say),
        purposes_title=say("purposes_one" if len(screen.purposes) == 1 else "purposes"),
        purposes_hint=say("purposes_hint"),
        purposes=tuple(_purpose(one, say) for one in screen.purposes),
        facts=tuple(_facts(screen, say)),
        new_mark=say("new"),
        refuse=say("refuse_choice" if is_choice else "refuse"),
        allow=say("allow_choice" if is_choice else "allow"),
        after=say(_after(screen)),
    )


class _Voice:
    """Says our own sentences in a language.

    Args:
        language: Of the page.
    """

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **values: str) -> str:
        text = worded(_SENTENCES[key], self.language)
        # By hand, not by format(): names of services may have braces, and none of them is ours to read.
        for name, value in values.items():
            text = text.replace(f"[{name}]", value)
        return text


def _title(screen: Screen) -> str:
    match screen.occasion:
        case Occasion.PURPOSES:
            return "title_purposes"
        case Occasion.POLICY_CHANGED:
            return "title_policy"
        case Occasion.GROWN:
            return "title_grown" if screen.uses else "title_grown_access"
        case _:
            return "title" if screen.uses or not screen.purposes else "title_purposes"


def _after(screen: Screen) -> str:
    if screen.occasion is Occasion.PURPOSES:
        return "after_choice"
    return "after_device" if screen.for_device else "after"


def _news(screen: Screen, say: _Voice) -> str:
    name, version = screen.client.name, screen.client.policy_version
    grown = f" {say('news_also')}" if screen.new else ""
    match screen.occasion:
        case Occasion.GROWN:
            return say("news_grown", name=name)
        case Occasion.POLICY_CHANGED:
            return say("news_policy", name=name, version=version) + grown
        case Occasion.AGAIN:
            return say("news_again", name=name) + grown
        case _:
            return ""


def _cautions(screen: Screen, say: _Voice) -> Iterator[Caution]:
    if not screen.client.is_verified:
        yield Caution(say("unverified_title"), say("unverified"))
    if screen.for_device:
        yield Caution(say("device_title"), say("device"))


def _who(screen: Screen, say: _Voice) -> Iterator[Run]:
    yield Run(screen.client.name, is_strong=True)
    if screen.occasion is Occasion.PURPOSES:
        yield Run(say("who_purposes"))
    elif not screen.uses and not screen.kept:
        pairwise = screen.client.subject_type is SubjectType.PAIRWISE
        yield Run(say("who_pairwise" if pairwise else "who_identifier"))
    elif screen.for_device:
        yield Run(say("who_device"))
        return
    else:
        yield Run(say("who"))
    yield Run(say("where"))
    yield Run(screen.host, is_strong=True)
    yield Run(".")


def _claim(screen: Screen, use: ClaimUse, say: _Voice) -> NoticedClaim:
    return NoticedClaim(
        name=use.name,
        label=claim_label(use.name, say.language),
        reason=worded(use.reason, say.language),
        demand=say("certified") if use.minimum_level >= _CERTIFIED else "",
        is_required=use.required,
        is_new=use.name in screen.new,
    )


def _kept(screen: Screen, say: _Voice) -> str:
    if not screen.kept:
        return ""
    labels = ", ".join(claim_label(name, say.language) for name in screen.kept)
    return say("kept", labels=labels)


def _purpose(purpose: Purpose, say: _Voice) -> NoticedPurpose:
    title, yes, no = purpose.words(say.language)
    to = say("purpose_recipients", names=", ".join(purpose.recipients)) if purpose.recipients else ""
    return NoticedPurpose(purpose.name, title, yes, no, to)


def _facts(screen: Screen, say: _Voice) -> Iterator[Fact]:
    client, has_data = screen.client, bool(screen.uses or screen.kept)
    if client.organisation:
        who = say("verified", name=client.organisation) if client.is_verified else client.organisation
        yield Fact(say("responsible"), who)
    if has_data:
        yield Fact(say("basis"), legal_basis_label(client.legal_basis, say.language))
    if screen.purposes:
        # D-19: each purpose has a ground of its own; what is asked by a yes or no stands on that.
        yield Fact(say("basis_purposes"), legal_basis_label(LegalBasis.CONSENT, say.language))
    if has_data or screen.purposes:
        yield from _handling(client, say)
    yield from _access(screen, say)
    yield from _reading(screen, say)
    rights = " ".join(_rights(screen, has_data=has_data, say=say))
    # After a colon, whichever comes first.
    yield Fact(say("right"), rights[0].lower() + rights[1:])


def _handling(client: Client, say: _Voice) -> Iterator[Fact]:
    yield Fact(say("retention"), worded(client.retention, say.language) or say("unsaid"))
    if client.recipients:
        yield Fact(say("recipients"), ", ".join(client.recipients))
    if client.storage_location:
        yield Fact(say("storage"), client.storage_location)


def _access(screen: Screen, say: _Voice) -> Iterator[Fact]:
    if screen.in_absence:
        yield Fact(say("absence"), say("absence_text"), is_new=screen.in_absence_is_new)
    if screen.interfaces:
        yield Fact(say("interfaces"), ", ".join(screen.interfaces))


def _reading(screen: Screen, say: _Voice) -> Iterator[Fact]:
    client = screen.client
    if client.policy_uri is not None:
        yield Fact(say("policy"), say("policy_text"), client.policy_uri)
    if client.tos_uri is not None:
        yield Fact(say("tos"), say("tos_text"), client.tos_uri)
    contact = client.data_protection_contact or (
        screen.city_contact if client.is_verified else next(iter(client.contacts), "")
    )
    if contact:
        yield Fact(say("contact"), contact, f"mailto:{contact}" if "@" in contact else contact)


def _rights(screen: Screen, *, has_data: bool, say: _Voice) -> Iterator[str]:
    basis = screen.client.legal_basis
    if has_data:
        # D-19: it is called consent, and can be withdrawn as such, only where consent is the ground.
        yield say("right_consent" if basis is LegalBasis.CONSENT else "right_stop")
        if basis in _OBJECTION:
            yield say("right_object")
    elif not screen.purposes:
        yield say("right_stop")
    if screen.purposes:
        yield say("right_purposes")


_SENTENCES: Final[dict[str, dict[str, str]]] = {
    "title": {"fr": "Ce que ce service va recevoir", "en": "What this service will receive"},
    "title_grown": {"fr": "De nouvelles données sont demandées", "en": "New data are requested"},
    "title_grown_access": {
        "fr": "Une nouvelle autorisation est demandée",
        "en": "A new permission is requested",
    },
    "title_policy": {
        "fr": "La politique de ce service a changé",
        "en": "The policy of this service has changed",
    },
    "title_purposes": {"fr": "Votre choix pour ce service", "en": "Your choice for this service"},
    "news_grown": {
        "fr": "Vous avez déjà répondu à [name]. Le service demande maintenant davantage\u00a0: "
        "seul ce qui s’ajoute vous est demandé.",
        "en": "You have already answered [name]. The service now asks for more: you are asked only about what is "
        "added.",
    },
    "news_policy": {
        "fr": "[name] a changé sa politique de confidentialité (version [version]). Lisez-la, puis répondez de "
        "nouveau\u00a0: votre réponse d’avant portait sur une autre version.",
        "en": "[name] has changed its privacy policy (version [version]). Read it, then answer again: your earlier "
        "answer was about another version.",
    },
    "news_also": {
        "fr": "Ce qui s’ajoute porte la mention «\u00a0Nouveau\u00a0».",
        "en": "What is added is marked “New”.",
    },
    "news_again": {
        "fr": "Vous avez déjà répondu à [name]. Une nouvelle réponse vous est demandée.",
        "en": "You have already answered [name]. A new answer is requested.",
    },
    "unverified_title": {
        "fr": "Un service que la Ville n’a pas vérifié",
        "en": "A service that the City has not verified",
    },
    "unverified": {
        "fr": "Ce service s’est inscrit de lui-même. La Ville n’a vérifié ni son nom, ni ce qu’il fera de vos "
        "données. N’acceptez que si vous connaissez ce service et reconnaissez l’adresse ci-dessous.",
        "en": "This service registered itself. The City has checked neither its name nor what it will do with your "
        "data. Accept only if you know this service and recognise the address below.",
    },
    "device_title": {
        "fr": "Êtes-vous devant l’appareil\u00a0?",
        "en": "Are you in front of the device?",
    },
    "device": {
        "fr": "Autorisez seulement si vous venez de lire vous-même le code sur l’écran de l’appareil. Si quelqu’un "
        "vous l’a donné, refusez\u00a0: vous ouvririez votre compte à cette personne.",
        "en": "Allow only if you have just read the code yourself on the screen of the device. If somebody gave it "
        "to you, refuse: you would open your account to that person.",
    },
    "who": {"fr": " recevra vos données", "en": " will receive your data"},
    "who_pairwise": {
        "fr": " vous reconnaîtra par un identifiant fait pour ce service seul, sans recevoir aucune autre donnée,",
        "en": " will know you by an identifier made for this service alone, and receive no other data,",
    },
    "who_identifier": {
        "fr": " vous reconnaîtra par un identifiant, sans recevoir aucune autre donnée,",
        "en": " will know you by an identifier, and receive no other data,",
    },
    "who_purposes": {
        "fr": " a besoin de votre réponse avant de vous recevoir",
        "en": " needs your answer before you go on",
    },
    "who_device": {
        "fr": " recevra vos données sur l’appareil qui affichait le code.",
        "en": " will receive your data on the device that showed the code.",
    },
    "where": {"fr": " à l’adresse ", "en": " at "},
    "needed": {"fr": "Nécessaires au service", "en": "Needed by the service"},
    "optional": {"fr": "À votre choix", "en": "Your choice"},
    "optional_hint": {
        "fr": "Cochez seulement ce que vous voulez transmettre. Le service fonctionne sans.",
        "en": "Tick only what you want to send. The service works without it.",
    },
    "new": {"fr": "Nouveau", "en": "New"},
    "certified": {
        "fr": "Le service demande une donnée certifiée par l’État.",
        "en": "The service asks for a value certified by the State.",
    },
    "kept": {
        "fr": "Déjà autorisé, rien ne change\u00a0: [labels].",
        "en": "Already allowed, nothing changes: [labels].",
    },
    "purposes_one": {"fr": "Une question de ce service", "en": "A question from this service"},
    "purposes": {"fr": "Des questions de ce service", "en": "Questions from this service"},
    "purposes_hint": {
        "fr": "Répondez oui ou non, librement. Vous pourrez changer d’avis à tout moment.",
        "en": "Answer yes or no, freely. You can change your mind at any time.",
    },
    "purpose_recipients": {
        "fr": "Destinataires si vous acceptez\u00a0: [names].",
        "en": "Recipients if you agree: [names].",
    },
    "responsible": {"fr": "Responsable\u00a0:", "en": "Responsible:"},
    "verified": {
        "fr": "[name]. Service vérifié par la Ville.",
        "en": "[name]. Service verified by the City.",
    },
    "basis": {"fr": "Base légale\u00a0:", "en": "Legal basis:"},
    "basis_purposes": {
        "fr": "Base légale des questions\u00a0:",
        "en": "Legal basis of the questions:",
    },
    "retention": {"fr": "Durée de conservation\u00a0:", "en": "Kept for:"},
    "unsaid": {"fr": "le service ne l’a pas indiquée", "en": "not stated by the service"},
    "recipients": {"fr": "Autres destinataires\u00a0:", "en": "Other recipients:"},
    "storage": {"fr": "Lieu de conservation\u00a0:", "en": "Stored in:"},
    "absence": {"fr": "En votre absence\u00a0:", "en": "While you are away:"},
    "absence_text": {
        "fr": "le service peut relire ces données même quand vous ne l’utilisez pas, jusqu’à ce que vous l’arrêtiez.",
        "en": "the service can read these data again even while you do not use it, until you stop it.",
    },
    "interfaces": {
        "fr": "Accès à d’autres services de la Ville\u00a0:",
        "en": "Access to other city services:",
    },
    "policy": {"fr": "En savoir plus\u00a0:", "en": "Find out more:"},
    "policy_text": {
        "fr": "politique de confidentialité du service",
        "en": "privacy policy of the service",
    },
    "tos": {"fr": "Règles du service\u00a0:", "en": "Rules of the service:"},
    "tos_text": {"fr": "conditions d’utilisation du service", "en": "terms of use of the service"},
    "contact": {"fr": "À qui écrire\u00a0:", "en": "Whom to write to:"},
    "right": {"fr": "Vos droits\u00a0:", "en": "Your rights:"},
    "right_consent": {
        "fr": "vous pouvez retirer ce consentement à tout moment dans «\u00a0Mes services\u00a0». L’effet est "
        "immédiat.",
        "en": "you can withdraw this consent at any time in “My services”. It takes effect at once.",
    },
    "right_stop": {
        "fr": "vous pouvez arrêter cette transmission à tout moment dans «\u00a0Mes services\u00a0». L’effet est "
        "immédiat.",
        "en": "you can stop this at any time in “My services”. It takes effect at once.",
    },
    "right_object": {
        "fr": "Vous pouvez aussi vous opposer à l’usage de vos données, en écrivant au service.",
        "en": "You can also object to the use of your data, by writing to the service.",
    },
    "right_purposes": {
        "fr": "Vous pouvez changer vos réponses à tout moment dans «\u00a0Mes services\u00a0».",
        "en": "You can change your answers at any time in “My services”.",
    },
    "refuse": {"fr": "Refuser", "en": "Refuse"},
    "allow": {"fr": "Autoriser", "en": "Allow"},
    "refuse_choice": {"fr": "Ne pas continuer", "en": "Do not go on"},
    "allow_choice": {"fr": "Valider mon choix", "en": "Confirm my choice"},
    "after": {
        "fr": "Si vous refusez, rien n’est transmis et vous revenez au service.",
        "en": "If you refuse, nothing is sent and you return to the service.",
    },
    "after_choice": {
        "fr": "Si vous ne continuez pas, aucune réponse n’est gardée et vous revenez au service.",
        "en": "If you do not go on, no answer is kept and you return to the service.",
    },
    "after_device": {
        "fr": "Si vous refusez, rien n’est transmis et l’appareil n’est pas connecté.",
        "en": "If you refuse, nothing is passed on and the device is not connected.",
    },
}
