"""Response types beside `code`, signed answers, resources, bound codes, and what FAPI 2.0 demands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idp.domain.client import ClientAuthenticationMethod, Profile
from idp.domain.pending_authorization import DIRECT, RequestOrigin
from idp.protocol.authorization.request import AuthorizationRequest, parse
from idp.protocol.authorization.response_mode import (
    RESPONSE_MODES,
    RedirectedError,
    ResponseMode,
    requested_mode,
)
from idp.protocol.authorization.response_type import RESPONSE_TYPES
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import NOW, a_client, parameters, read

LEGACY = a_client(
    response_types=frozenset(RESPONSE_TYPES),
    grant_types=frozenset({"authorization_code", "implicit"}),
)
FAPI = a_client(
    profile=Profile.FAPI2,
    authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
    dpop_bound_access_tokens=True,
    require_pkce=False,
    response_types=frozenset(RESPONSE_TYPES),
)
PUSHED = RequestOrigin(pushed=bytes(32))
API = "https://api.example.org/"


def read_from(origin: RequestOrigin, client: object, **changes: str | None) -> AuthorizationRequest:
    """Read a request that came in another way than by query."""
    return parse(parameters(**changes).items(), {"parking": client}.get, NOW, origin)  # type: ignore[dict-item] # a Client


@pytest.mark.rule("OID-3")
@pytest.mark.parametrize("response_type", [name for name in RESPONSE_TYPES if name != "code"])
def test_response_type_that_nobody_allowed_is_refused(response_type: str) -> None:
    """Tokens in the answer are off until an administrator turns them on (RFC 9700 section 2.1.2)."""
    with pytest.raises(RedirectedError) as caught:
        read(response_type=response_type)

    assert caught.value.code is ErrorCode.UNAUTHORIZED_CLIENT
    assert caught.value.address.mode is ResponseMode.FRAGMENT


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OAuth 2.0 Multiple Response Type Encoding Practices", "3", "MUST")
@pytest.mark.parametrize(
    "response_type, read_as",
    [("token id_token", "id_token token"), ("token id_token code", "code id_token token")],
)
def test_order_of_words_does_not_matter(response_type: str, read_as: str) -> None:
    """RFC 6749 section 3.1.1: the order of the words means nothing."""
    request = read(LEGACY, response_type=response_type)

    assert request.response_type == read_as
    assert request.response_mode is ResponseMode.FRAGMENT


@pytest.mark.spec("OIDC Core", "3.2.2.1", "REQUIRED")
@pytest.mark.parametrize(
    "response_type", ["id_token", "id_token token", "code id_token", "code id_token token"]
)
def test_id_token_in_the_answer_needs_a_nonce(response_type: str) -> None:
    """Nothing else binds it to the browser that asked."""
    with pytest.raises(RedirectedError) as caught:
        read(LEGACY, response_type=response_type, nonce=None)

    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert read(LEGACY, response_type="code token", nonce=None).nonce is None


@pytest.mark.spec("OAuth 2.0 Multiple Response Type Encoding Practices", "3", "MUST NOT")
@pytest.mark.parametrize("mode", ["query", "query.jwt"])
@pytest.mark.parametrize("response_type", [name for name in RESPONSE_TYPES if name != "code"])
def test_tokens_never_travel_in_a_query(response_type: str, mode: str) -> None:
    """A query is logged on its way."""
    with pytest.raises(RedirectedError) as caught:
        read(LEGACY, response_type=response_type, response_mode=mode)

    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.address.mode is ResponseMode.FRAGMENT


@pytest.mark.spec("OIDC Core", "5.4", "MUST")
def test_claims_of_scopes_go_into_the_id_token_when_there_is_no_access_token() -> None:
    """Without an access token UserInfo can't be asked."""
    alone = read(LEGACY, response_type="id_token", scope="openid email").asked
    with_token = read(LEGACY, response_type="id_token token", scope="openid email").asked

    assert (alone.id_token, alone.userinfo) == (("email", "email_verified"), ())
    assert (with_token.id_token, with_token.userinfo) == ((), ("email", "email_verified"))


@pytest.mark.parametrize("attribute", ["dpop_bound_access_tokens", "tls_bound_access_tokens"])
def test_bound_tokens_are_not_given_in_the_answer(attribute: str) -> None:
    """What travels through the browser is bound to nothing."""
    client = replace(LEGACY, **{attribute: True})

    with pytest.raises(RedirectedError) as caught:
        read(client, response_type="code token")

    assert caught.value.code is ErrorCode.UNAUTHORIZED_CLIENT
    assert read(client, response_type="code id_token").gives_id_token


@pytest.mark.spec("JARM", "2.3", "REQUIRED")
@pytest.mark.parametrize(
    "raw, response_type, mode",
    [
        ("jwt", "code", ResponseMode.QUERY),
        ("jwt", "code id_token", ResponseMode.FRAGMENT),
        ("query.jwt", "code", ResponseMode.QUERY),
        ("fragment.jwt", "code", ResponseMode.FRAGMENT),
        ("form_post.jwt", "code id_token token", ResponseMode.FORM_POST),
    ],
)
def test_signed_answer_travels_as_asked(raw: str, response_type: str, mode: ResponseMode) -> None:
    """`jwt` alone takes the mode that the response type has by default."""
    address = read(LEGACY, response_type=response_type, response_mode=raw).address

    assert (address.mode, address.signed_for) == (mode, LEGACY)


@pytest.mark.parametrize(
    "raw", ["", ".jwt", "jwt.jwt", "query.", "query.jws", "query.jwt.jwt", "JWT", "web_message"]
)
def test_unknown_mode_is_no_mode(raw: str) -> None:
    """Nothing is guessed from what is nearly right."""
    assert requested_mode(raw, ResponseMode.QUERY, is_in_front=False) is None


@pytest.mark.parametrize("raw", RESPONSE_MODES)
def test_mode_not_registered_is_refused(raw: str) -> None:
    """ASVS v5.0.0-10.4.12: only the modes that the client needs."""
    with pytest.raises(RedirectedError):
        read(a_client(response_modes=frozenset()), response_mode=raw)


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2", "MUST")
def test_resource_that_the_client_may_not_ask_is_an_invalid_target() -> None:
    """One wrong resource among right ones is enough."""
    client = a_client(resources=(API,))

    with pytest.raises(RedirectedError) as caught:
        read(client, extra=(("resource", API), ("resource", "https://other.example.org/")))

    assert caught.value.code is ErrorCode.INVALID_TARGET


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2", "MAY")
def test_several_resources_are_kept_in_order_and_once() -> None:
    """The one parameter that may come several times, in a kept request too."""
    client = a_client(resources=(API, "urn:example:b"))

    request = read(
        client, extra=(("resource", "urn:example:b"), ("resource", API), ("resource", "urn:example:b"))
    )
    again = parse(request.parameters.items(), {"parking": client}.get, NOW)

    assert request.resources == again.resources == ("urn:example:b", API)


@pytest.mark.spec("RFC 9449", "10", "MUST")
def test_code_is_bound_to_a_thumbprint_and_nothing_else() -> None:
    """`dpop_jkt` is the base64url of a SHA-256."""
    thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

    assert read(dpop_jkt=thumbprint).dpop_jkt == thumbprint
    for wrong in ("short", thumbprint + "=", thumbprint[:-1] + "+"):
        with pytest.raises(RedirectedError) as caught:
            read(dpop_jkt=wrong)
        assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "client", [a_client(require_pushed_requests=True), FAPI], ids=["attribute", "profile"]
)
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
def test_request_that_was_not_pushed_is_refused_of_a_client_that_must_push(client: object) -> None:
    """What travels through the browser could be changed on its way."""
    for origin in (DIRECT, RequestOrigin(is_signed=True)):
        with pytest.raises(RedirectedError) as caught:
            read_from(origin, client)
        assert caught.value.code is ErrorCode.INVALID_REQUEST

    assert read_from(PUSHED, client).origin is PUSHED


@pytest.mark.spec("RFC 9101", "10.5", "MUST")
def test_request_that_was_not_signed_is_refused_of_a_client_that_must_sign() -> None:
    """`require_signed_request_object` holds for pushed requests too."""
    client = a_client(require_signed_requests=True)

    for origin in (DIRECT, PUSHED):
        with pytest.raises(RedirectedError):
            read_from(origin, client)

    assert read_from(RequestOrigin(is_signed=True), client).origin.is_signed


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.2", "SHALL")
@pytest.mark.parametrize(
    "changes, code",
    [
        ({"code_challenge": None, "code_challenge_method": None}, ErrorCode.INVALID_REQUEST),
        ({"code_challenge_method": "plain"}, ErrorCode.INVALID_REQUEST),
        ({"response_type": "code id_token"}, ErrorCode.UNAUTHORIZED_CLIENT),
        ({"response_type": "id_token"}, ErrorCode.UNAUTHORIZED_CLIENT),
    ],
)
def test_profile_is_stronger_than_what_was_registered(
    changes: dict[str, str | None], code: ErrorCode
) -> None:
    """PKCE and the code flow are enforced, whatever the other attributes allow."""
    with pytest.raises(RedirectedError) as caught:
        read_from(PUSHED, FAPI, **changes)

    assert caught.value.code is code


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.4", "SHALL")
def test_message_signing_client_gets_signed_answers_only() -> None:
    """Asked for in clear, the answer is refused, and the refusal is signed; not asked for, it is signed."""
    client = replace(FAPI, profile=Profile.FAPI2_MESSAGE_SIGNING)
    origin = RequestOrigin(pushed=bytes(32), is_signed=True)

    with pytest.raises(RedirectedError) as caught:
        read_from(origin, client, response_mode="query")

    assert caught.value.address.signed_for is client
    assert read_from(origin, client).address.signed_for is client
    assert read_from(origin, client, response_mode="jwt").address.signed_for is client


def test_request_of_oauth_alone_keeps_no_scope_that_speaks_of_a_person() -> None:
    """Without `openid` there is no ID Token and no UserInfo; something must be left to grant."""
    client = a_client(scopes=frozenset({"openid", "email", "api", "offline_access"}))

    assert read(client, scope="api email offline_access").scopes == {"api", "offline_access"}
    for scope in ("email", "offline_access", "email offline_access"):
        with pytest.raises(RedirectedError) as caught:
            read(client, scope=scope)
        assert caught.value.code is ErrorCode.INVALID_SCOPE
    with pytest.raises(RedirectedError):
        read(replace(LEGACY, scopes=client.scopes), scope="api", response_type="id_token")


def test_defaults_that_were_registered_fill_what_is_absent() -> None:
    """OIDC Registration 2: `default_max_age` and `default_acr_values` yield to the request."""
    client = a_client(default_max_age=60, default_acr_values=("eidas1",))

    assert (read(client).max_age, read(client).acr_values) == (60, ("eidas1",))
    assert read(client, max_age="0").max_age == 0
    assert read(client, acr_values="other").acr_values == ("other",)


def test_device_request_ends_on_our_own_page() -> None:
    """A device has no redirect URI: only we make such an origin, with the address of our page."""
    client = a_client(
        redirect_uris=(), grant_types=frozenset({"urn:ietf:params:oauth:grant-type:device_code"})
    )
    origin = RequestOrigin(device=bytes(32))

    request = read_from(
        origin,
        client,
        redirect_uri="https://id.example.org/device/answer",
        code_challenge=None,
        code_challenge_method=None,
    )

    assert request.redirect_target.uri == "https://id.example.org/device/answer"
    assert request.origin is origin
