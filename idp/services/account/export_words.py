"""What sections and members of an export are called, in both languages (PRI-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SectionWords:
    """The title of a section, and what it is."""

    title: str
    explanation: str


SECTION_WORDS: Final[dict[str, dict[str, SectionWords]]] = {
    "fr": {
        "account": SectionWords("Votre compte", "Votre adresse, l’état de votre compte et ses dates."),
        "attributes": SectionWords(
            "Vos données d’identité et de contact", "Chaque donnée, qui l’a donnée et quand."
        ),
        "attribute_changes": SectionWords(
            "Leurs changements", "Chaque valeur avant et après, et qui l’a changée."
        ),
        "franceconnect_links": SectionWords(
            "Vos liaisons FranceConnect", "Les liaisons en cours et celles qui ont pris fin."
        ),
        "unlink_requests": SectionWords(
            "Vos demandes de fin de liaison", "Ce que vous avez écrit, et la décision."
        ),
        "contact_email": SectionWords(
            "Adresse de contact à vérifier", "Celle qui attend que vous suiviez le lien de notre message."
        ),
        "email_changes": SectionWords(
            "Changements d’adresse e-mail", "L’ancienne adresse et la nouvelle, et ce qui en est advenu."
        ),
        "consents": SectionWords(
            "Vos accords", "Ce que vous avez accepté ou refusé pour chaque service, et jusqu’à quand."
        ),
        "purposes": SectionWords("Vos choix", "Votre réponse d’aujourd’hui à chaque question d’un service."),
        "parental_permissions": SectionWords(
            "Autorisations d’un parent", "Les autorisations demandées, et leur réponse."
        ),
        "disclosures": SectionWords(
            "Données transmises",
            "Quelles données chaque service a reçues, quel jour et comment : leurs noms, jamais leurs valeurs.",
        ),
        "accesses": SectionWords(
            "Accès ouverts aux services", "Chaque connexion à un service, et jusqu’à quand elle vaut."
        ),
        "service_subjects": SectionWords(
            "Comment les services vous nomment", "L’identifiant par lequel un service vous écrit."
        ),
        "service_requests": SectionWords("Vos demandes", "Ce que les services ont écrit de vos demandes."),
        "favourites": SectionWords("Vos favoris", "Les services que vous gardez à portée de main."),
        "rubriques": SectionWords("Vos rubriques", "Les rubriques que vous avez mises dans le menu."),
        "newsletters": SectionWords("Vos abonnements", "Les lettres d’information et les alertes."),
        "sessions": SectionWords("Navigateurs connectés", "Où votre compte est ouvert."),
        "devices": SectionWords("Appareils connus", "Les appareils où vous vous êtes déjà connecté."),
        "mailed_links": SectionWords(
            "Liens envoyés par e-mail", "Les liens que nous vous avons envoyés, et leur usage."
        ),
        "franceconnect_journeys": SectionWords(
            "Passages par FranceConnect", "Les passages en cours ou tout récents."
        ),
        "messages": SectionWords(
            "Messages envoyés", "Les messages à votre sujet, et leur envoi ; leur texte n’est pas gardé."
        ),
        "deletion_warnings": SectionWords(
            "Avertissements", "Les avertissements avant la suppression d’un compte inutilisé."
        ),
        "data_requests": SectionWords("Vos demandes sur vos données", "Vos demandes au titre du RGPD."),
        "ledger": SectionWords(
            "Le registre des preuves", "Chaque accord donné, refusé ou retiré, avec les mots affichés."
        ),
        "audit": SectionWords(
            "Le journal de votre compte",
            "Ce qui s’est passé dans votre compte, y compris chaque consultation par un agent de la Ville.",
        ),
    },
    "en": {
        "account": SectionWords("Your account", "Your address, the state of your account and its dates."),
        "attributes": SectionWords("Your identity and contact data", "Each datum, who gave it and when."),
        "attribute_changes": SectionWords(
            "How they changed", "Each value before and after, and who changed it."
        ),
        "franceconnect_links": SectionWords(
            "Your links to FranceConnect", "Those of today and those that ended."
        ),
        "unlink_requests": SectionWords(
            "Your requests to end a link", "What you wrote, and what was decided."
        ),
        "contact_email": SectionWords(
            "Contact address to prove", "The one that waits for you to follow the link of our mail."
        ),
        "email_changes": SectionWords(
            "Changes of your e-mail address", "The old address and the new one, and what came of it."
        ),
        "consents": SectionWords(
            "What you agreed to", "What you allowed or refused to each service, and until when."
        ),
        "purposes": SectionWords("Your choices", "Your answer of today to each question of a service."),
        "parental_permissions": SectionWords(
            "Permissions of a parent", "The permissions that were asked for, and their answers."
        ),
        "disclosures": SectionWords(
            "Data passed on",
            "Which data each service received, on which day and how: their names, never their values.",
        ),
        "accesses": SectionWords(
            "Access given to services", "Each login at a service, and until when it holds."
        ),
        "service_subjects": SectionWords(
            "What services call you", "The identifier by which a service writes to you."
        ),
        "service_requests": SectionWords("Your requests", "What services wrote about your requests."),
        "favourites": SectionWords("Your favourites", "The services that you keep at hand."),
        "rubriques": SectionWords("Your sections", "The sections that you put in the menu."),
        "newsletters": SectionWords("Your subscriptions", "Newsletters and alerts."),
        "sessions": SectionWords("Signed-in browsers", "Where your account is open."),
        "devices": SectionWords("Known devices", "The devices you signed in from before."),
        "mailed_links": SectionWords("Links sent by e-mail", "The links we sent you, and their use."),
        "franceconnect_journeys": SectionWords("Visits to FranceConnect", "Those under way or just over."),
        "messages": SectionWords(
            "Messages sent", "The messages about you, and their delivery; their text is not kept."
        ),
        "deletion_warnings": SectionWords("Warnings", "The warnings before an unused account is deleted."),
        "data_requests": SectionWords("Your requests about your data", "Your requests under the GDPR."),
        "ledger": SectionWords(
            "The ledger of proofs", "Each agreement given, refused or withdrawn, with the words shown."
        ),
        "audit": SectionWords(
            "The record of your account",
            "What happened in your account, each look at it by an agent of the City included.",
        ),
    },
}
#: French, English.
_COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "account_id": ("Identifiant du compte", "Account identifier"),
    "acr": ("Niveau d’authentification", "Level of authentication"),
    "act": ("Acte", "Act"),
    "actor": ("Par", "By"),
    "amr": ("Moyens d’authentification", "Means of authentication"),
    "answered_at": ("Réponse le", "Answered on"),
    "asked_at": ("Demandée le", "Asked on"),
    "at": ("Date", "Date"),
    "authenticated_at": ("Identité prouvée le", "Identity proven on"),
    "bounced_at": ("Revenu le", "Returned on"),
    "browser": ("Navigateur", "Browser"),
    "changed_at": ("Changé le", "Changed on"),
    "changed_by": ("Changé par", "Changed by"),
    "channel": ("Moyen", "Way"),
    "claims": ("Données", "Data"),
    "client_id": ("Service", "Service"),
    "closed_at": ("Terminé le", "Closed on"),
    "code_expires_at": ("Code valable jusqu’au", "Code valid until"),
    "confirmed_at": ("Confirmé le", "Confirmed on"),
    "consent_id": ("Numéro de l’accord", "Number of the agreement"),
    "consumed_at": ("Utilisé le", "Used on"),
    "created_at": ("Créé le", "Created on"),
    "day": ("Jour", "Day"),
    "dead_at": ("Abandonné le", "Given up on"),
    "decided_at": ("Décidé le", "Decided on"),
    "decision_reason": ("Motif de la décision", "Reason of the decision"),
    "deletes_at": ("Suppression prévue le", "Deletion due on"),
    "delivered_at": ("Remis le", "Delivered on"),
    "details": ("Détails", "Details"),
    "document": ("Document", "Document"),
    "due_at": ("Échéance", "Due on"),
    "email": ("Adresse e-mail", "E-mail address"),
    "ended_at": ("Fin le", "Ended on"),
    "ended_reason": ("Motif de la fin", "Why it ended"),
    "entry_id": ("Numéro de la preuve", "Number of the proof"),
    "expires_at": ("Valable jusqu’au", "Valid until"),
    "extended_at": ("Prolongée le", "Extended on"),
    "first_at": ("La première fois", "The first time"),
    "granted_at": ("Donné le", "Given on"),
    "idle_since": ("Sans usage depuis le", "Unused since"),
    "is_allowed": ("Réponse", "Answer"),
    "is_of_guardian": ("Demandée par un parent ou un tuteur", "Asked by a parent or guardian"),
    "kind": ("Nature", "Kind"),
    "language": ("Langue", "Language"),
    "last_active_at": ("Dernier usage", "Last use"),
    "last_at": ("La dernière fois", "The last time"),
    "last_seen_at": ("Vu le", "Last seen on"),
    "last_sign_in_at": ("Dernière connexion", "Last sign-in"),
    "level": ("Niveau de preuve", "Level of proof"),
    "limited_at": ("Traitement limité depuis le", "Processing limited since"),
    "limited_reason": ("Motif de la limitation", "Why it is limited"),
    "linked_at": ("Liée le", "Linked on"),
    "matter": ("Objet", "About"),
    "message": ("Message", "Message"),
    "name": ("Nom", "Name"),
    "new_email": ("Nouvelle adresse", "New address"),
    "new_value": ("Valeur après", "Value after"),
    "old_email": ("Ancienne adresse", "Old address"),
    "old_value": ("Valeur avant", "Value before"),
    "outcome": ("Suite donnée", "Outcome"),
    "parent_email": ("Adresse du parent", "Address of the parent"),
    "password_changed_at": ("Mot de passe changé le", "Password changed on"),
    "password_is_generated": ("Sans mot de passe choisi", "No password chosen"),
    "permission_id": ("Numéro de l’autorisation", "Number of the permission"),
    "policy_version": ("Version de la politique du service", "Version of the service’s policy"),
    "position": ("Place", "Position"),
    "previous_sign_in_at": ("Connexion précédente", "Sign-in before the latest"),
    "proven_at": ("Prouvée le", "Proven on"),
    "provider": ("Fournisseur d’identité", "Identity provider"),
    "purpose": ("But", "Purpose"),
    "queued_at": ("Préparé le", "Prepared on"),
    "read_at": ("Lue le", "Read on"),
    "received_at": ("Reçue le", "Received on"),
    "recorded_at": ("Enregistré le", "Recorded on"),
    "reference": ("Référence", "Reference"),
    "refused_claims": ("Données refusées", "Data refused"),
    "request_id": ("Numéro de la demande", "Number of the request"),
    "revoked_at": ("Fermé le", "Closed on"),
    "revoked_reason": ("Motif de la fermeture", "Why it was closed"),
    "rubrique": ("Rubrique", "Section"),
    "scopes": ("Portées", "Scopes"),
    "source": ("Source", "Source"),
    "stage": ("Jours avant la suppression", "Days before the deletion"),
    "state": ("État", "State"),
    "state_reason": ("Motif de cet état", "Why it is so"),
    "status": ("État de la demande", "State of the request"),
    "status_text": ("En clair", "In words"),
    "step": ("Étape", "Step"),
    "steps": ("Nombre d’étapes", "Number of steps"),
    "subject": ("Votre identifiant pour ce service", "Your identifier at this service"),
    "terms_notice_seen": ("Avis sur les conditions, vu", "Notice of the terms, seen"),
    "terms_version": ("Conditions acceptées", "Terms accepted"),
    "times": ("Nombre de fois", "How often"),
    "title": ("Titre", "Title"),
    "type": ("Type", "Type"),
    "undone_at": ("Annulé le", "Undone on"),
    "updated_at": ("Mis à jour le", "Updated on"),
    "upstream": ("Connexion par", "Signed in through"),
    "upstream_subject": ("Votre identifiant pour FranceConnect", "Your identifier at FranceConnect"),
    "url": ("Adresse", "Address"),
    "value": ("Valeur", "Value"),
    "version": ("Version", "Version"),
    "withdrawn_at": ("Retiré le", "Withdrawn on"),
    "words": ("Mots affichés", "Words shown"),
}
#: Codes that a person would not guess: French, English.
_VALUES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "act": {
        "given": ("donné", "given"),
        "refused": ("refusé", "refused"),
        "withdrawn": ("retiré", "withdrawn"),
        "erased": ("effacé", "erased"),
    },
    "actor": {
        "person": ("vous", "you"),
        "administrator": ("un agent de la Ville", "an agent of the City"),
        "client": ("un service", "a service"),
        "system": ("le système", "the system"),
        "parent": ("un parent", "a parent"),
    },
    "channel": {
        "id_token": ("à votre connexion (ID token)", "when you signed in (ID token)"),
        "userinfo": ("à la demande du service (UserInfo)", "at the service’s request (UserInfo)"),
        "introspection": ("au contrôle d’un accès", "when an access was checked"),
        "api": ("par l’interface des services", "through the interface for services"),
        "sign_up": ("à la création du compte", "when the account was opened"),
        "sign_in": ("à la connexion", "when signing in"),
        "consent": ("sur l’écran d’accord", "on the screen of agreement"),
        "account": ("dans votre compte", "in your account"),
        "mail": ("par e-mail", "by e-mail"),
        "administrator": ("par un agent de la Ville", "by an agent of the City"),
        "system": ("par le système", "by the system"),
    },
    "level": {
        "100": ("déclaré par vous", "declared by you"),
        "250": ("vérifié", "verified"),
        "600": ("certifié par FranceConnect", "certified by FranceConnect"),
    },
    "matter": {
        "terms": ("conditions d’utilisation", "terms of use"),
        "consent": ("accord à un service", "agreement with a service"),
        "purpose": ("choix", "choice"),
        "permission": ("autorisation d’un parent", "permission of a parent"),
        "erasure": ("effacement", "erasure"),
    },
    "source": {
        "declared": ("vous", "you"),
        "mail": ("un e-mail que nous avons envoyé", "a mail we sent"),
        "franceconnect": ("FranceConnect", "FranceConnect"),
    },
}
_LANGUAGES: Final = ("fr", "en")


def column_words(name: str, language: str) -> str:
    """Name a member of a row.

    Raises:
        KeyError: It has no words; a test looks for each.
    """
    return _COLUMNS[name][_LANGUAGES.index(language)]


def value_words(column: str, value: str, language: str) -> str:
    """Word a code of a column; one that has no words is shown as it is."""
    words = _VALUES.get(column, {}).get(value)
    return value if words is None else words[_LANGUAGES.index(language)]
