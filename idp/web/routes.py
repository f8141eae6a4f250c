"""Every blueprint that is on."""

from __future__ import annotations

from idp.web import federation, health, sign_out
from idp.web.account import (
    contact_details,
    contact_email,
    deletion,
    devices,
    email_address,
    export,
    identity,
    index,
    password,
    preferred_language,
    reactivation,
    receipts,
    rights,
    secure,
    services,
    signup,
    unlink,
)
from idp.web.api import blueprint as api_blueprint
from idp.web.api import description, purposes
from idp.web.api import newsletters as read_newsletters
from idp.web.api import requests as written_requests
from idp.web.federation import answers, comparison, first_time, franceconnect, logout, sign_up
from idp.web.interaction import accept_terms, consent, device, login, parental_permission, permission, step_up
from idp.web.oidc import (
    authorization,
    blueprint,
    check_session,
    client_registration,
    device_authorization,
    end_session,
    introspection,
    pushed_authorization,
    revocation,
    token,
    userinfo,
)
from idp.web.space import (
    favourites,
    home,
    logos,
    newsletters,
    opening,
    pages,
    requests,
    site_map,
    styleguide,
    terms,
)
from idp.web.space import receipts as receipt_checks

#: The modules of the protocol endpoints add their routes to one blueprint when they are imported.
PROTOCOL_ENDPOINTS = (
    authorization,
    check_session,
    client_registration,
    device_authorization,
    end_session,
    introspection,
    pushed_authorization,
    revocation,
    token,
    userinfo,
)
#: The same, of the interfaces for services.
INTERFACES = (description, purposes, read_newsletters, written_requests)
#: The same, of the pages on the way through the portals of the State.
PAGES_OF_PORTALS = (answers, comparison, first_time, franceconnect, logout, sign_up)
BLUEPRINTS = (
    blueprint,
    api_blueprint,
    login.blueprint,
    sign_out.blueprint,
    signup.blueprint,
    password.blueprint,
    email_address.blueprint,
    consent.blueprint,
    device.blueprint,
    accept_terms.blueprint,
    step_up.blueprint,
    parental_permission.blueprint,
    permission.blueprint,
    federation.blueprint,
    index.blueprint,
    identity.blueprint,
    unlink.blueprint,
    deletion.blueprint,
    export.blueprint,
    rights.blueprint,
    contact_details.blueprint,
    preferred_language.blueprint,
    contact_email.blueprint,
    devices.blueprint,
    secure.blueprint,
    services.blueprint,
    reactivation.blueprint,
    home.blueprint,
    requests.blueprint,
    favourites.blueprint,
    newsletters.blueprint,
    logos.blueprint,
    pages.blueprint,
    site_map.blueprint,
    terms.blueprint,
    receipts.blueprint,
    receipt_checks.blueprint,
    opening.blueprint,
    styleguide.blueprint,
    health.blueprint,
)
