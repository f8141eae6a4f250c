"""Flask: routes, forms, cookies, pages. No rule lives here (UX-2, UX-3)."""
