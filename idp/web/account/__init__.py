"""Pages where a person manages an account: "Profil et préférences"."""
