"""OIDC Core 3.1.2.1: the parameters of an authentication request."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.request import Prompt
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import DirectError, ErrorCode
from tests.support.authorization_requests import read


@pytest.mark.spec("OIDC Core", "3.1.2.1", "REQUIRED")
def test_request_without_redirect_uri_is_refused() -> None:
    """Even of a client with one URI only."""
    with pytest.raises(DirectError):
        read(redirect_uri=None)


@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
@pytest.mark.parametrize("scope", [None, "", "profile", "openidx", "OPENID"])
def test_request_without_openid_is_refused(scope: str | None) -> None:
    """Without openid the request is not one of OpenID Connect."""
    with pytest.raises(RedirectedError) as caught:
        read(scope=scope)

    assert caught.value.code is ErrorCode.INVALID_SCOPE


@pytest.mark.spec("OIDC Core", "3.1.2.1", "SHOULD")
def test_unknown_scope_is_ignored() -> None:
    """A scope that is not understood does not stop the request."""
    assert read(scope="openid tomorrow").scopes == {"openid"}


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "MUST")
@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent", "none tomorrow"])
def test_prompt_none_with_another_value_is_refused(prompt: str) -> None:
    """None and something is a contradiction."""
    with pytest.raises(RedirectedError) as caught:
        read(prompt=prompt)

    assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "OPTIONAL")
@pytest.mark.parametrize(
    "prompt, expected",
    [
        ("none", {Prompt.NONE}),
        ("none ", {Prompt.NONE}),
        ("none none", {Prompt.NONE}),
        ("login", {Prompt.LOGIN}),
        ("login consent", {Prompt.LOGIN, Prompt.CONSENT}),
        ("select_account", {Prompt.SELECT_ACCOUNT}),
        ("tomorrow", set()),
        ("NONE", set()),
    ],
)
def test_prompt_is_a_list_of_known_values(prompt: str, expected: set[Prompt]) -> None:
    """Values are case-sensitive; what is not understood is ignored; spaces do not count."""
    assert read(prompt=prompt).prompt == expected


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "OPTIONAL")
@pytest.mark.parametrize("raw", ["abc", "-1", "1e9", "1.5", "+1", " 1", "0x1", "\u0661", "1" * 11])
def test_max_age_that_is_no_number_of_seconds_is_refused(raw: str) -> None:
    """A demand that can't be read is not dropped in silence."""
    with pytest.raises(RedirectedError) as caught:
        read(max_age=raw)

    assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.1", "OPTIONAL")
@pytest.mark.parametrize("raw, seconds", [("0", 0), ("060", 60), ("9999999999", 9_999_999_999)])
def test_max_age_is_a_number_of_seconds(raw: str, seconds: int) -> None:
    """Zero is a demand too."""
    assert read(max_age=raw).max_age == seconds


@pytest.mark.rule("LOG-4")
@pytest.mark.spec("OIDC Core", "15.1", "MUST")
def test_parameters_that_every_provider_accepts_give_no_error() -> None:
    """Display, locales, hints and levels are wishes."""
    request = read(
        display="wap",
        ui_locales="br xx-YY fr",
        claims_locales="fr",
        acr_values="unknown",
        login_hint="<script>",
        id_token_hint="not.a.token",
    )

    assert request.ui_locales == ("br", "xx-YY", "fr")
    assert request.login_hint == "<script>"
