"""The PyPI package requests-oauthlib, set up as its users would for SmartRecruiters, against the
sandbox: once with the client's secret in the body, once with Basic.

Says `ok <what>` for what works and `saw <what>` for a trap that a user of the package meets.

Environment: the lines that `sr-auth sandbox` prints for a shell, and where a partner is that
SmartRecruiters calls, with a client of its token endpoint.
"""

import os
import platform
import re
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

ORIGIN = os.environ["SR_AUTH_ORIGIN"]
SERVICE = (os.environ["SR_AUTH_CLIENT_ID"], os.environ["SR_AUTH_CLIENT_SECRET"])
APPLICATION = (os.environ["SR_AUTH_APP_CLIENT_ID"], os.environ["SR_AUTH_APP_CLIENT_SECRET"])
PARTNER = (os.environ["PARTNER_CLIENT_ID"], os.environ["PARTNER_CLIENT_SECRET"])
PARTNER_ORIGIN = os.environ["PARTNER_ORIGIN"]
# One of those that the sandbox has registered; nobody needs to answer there.
REDIRECT_URI = "https://yourapp.example/callback"
# In production: www.smartrecruiters.com for the first, api.smartrecruiters.com for the second.
AUTHORIZE = f"{ORIGIN}/identity/oauth/allow"
TOKEN = f"{ORIGIN}/identity/oauth/token"
ME = f"{ORIGIN}/user-api/v201804/users/me"
# No wait is without an end: requests has no limit of its own.
WAIT = 15


def say(word, variant, what):
    print(f"{word} {variant}: {what}", flush=True)


def check(condition, what):
    if not condition:
        raise SystemExit(f"not as expected: {what}")


def authentication(variant, client):
    """What every call takes for one way of client authentication."""
    client_id, secret = client
    if variant == "basic":
        return {"auth": HTTPBasicAuth(client_id, secret)}
    # Without include_client_id the package would put a client_secret into Basic by itself.
    return {"client_id": client_id, "client_secret": secret, "include_client_id": True}


def refresh_authentication(variant, client):
    """As above; refresh_token() knows no include_client_id, and would send it as a parameter."""
    settings = authentication(variant, client)
    settings.pop("include_client_id", None)
    return settings


def refusal(call, *arguments, **settings):
    """The error code that a call is refused with."""
    try:
        call(*arguments, timeout=WAIT, **settings)
    except OAuth2Error as error:
        return error.error
    return None


def switch_to(**switches):
    answer = requests.put(f"{ORIGIN}/__sandbox/switches", json=switches, timeout=WAIT)
    check(answer.status_code == 200, f"the switches {switches}")


def visit(url, decision):
    """The browser and the person in front of it: where does it end up?"""
    page = requests.get(url, timeout=WAIT)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text).group(1)
    user = re.search(r'name="user" value="([^"]+)"', page.text).group(1)
    form = {"decision": decision, "ticket": ticket, "user": user}
    sent = requests.post(AUTHORIZE, data=form, allow_redirects=False, timeout=WAIT)
    return sent.headers["location"]


def client_credentials(variant):
    session = OAuth2Session(client=BackendApplicationClient(client_id=SERVICE[0]))
    token = session.fetch_token(TOKEN, timeout=WAIT, **authentication(variant, SERVICE))
    check(token["access_token"], "an access token")
    check(session.get(f"{ORIGIN}/jobs", timeout=WAIT).status_code == 200, "the resource")
    say("ok", variant, "client credentials, and a resource")
    wrong = authentication(variant, (SERVICE[0], "wrong"))
    check(refusal(session.fetch_token, TOKEN, **wrong) == "invalid_client", "a wrong secret")
    say("ok", variant, "wrong secret is invalid_client")


def partner(variant):
    """What SmartRecruiters does at a partner."""
    session = OAuth2Session(client=BackendApplicationClient(client_id=PARTNER[0]))
    url = f"{PARTNER_ORIGIN}/oauth/token"
    session.fetch_token(url, timeout=WAIT, **authentication(variant, PARTNER))
    answer = session.get(f"{PARTNER_ORIGIN}/interviews", timeout=WAIT)
    check(answer.text == "company-0", "the company that the token speaks for")
    say("ok", variant, "token of a partner's endpoint opens the partner's API")
    wrong = authentication(variant, (PARTNER[0], "wrong"))
    check(refusal(session.fetch_token, url, **wrong) == "invalid_client", "a wrong secret")
    say("ok", variant, "wrong secret at a partner's endpoint is invalid_client")


def user_consent(variant):
    settings = authentication(variant, APPLICATION)
    session = OAuth2Session(APPLICATION[0], redirect_uri=REDIRECT_URI, scope=["jobs_read", "user_me_read"])
    url, _state = session.authorization_url(AUTHORIZE)
    callback = visit(url, "authorize")
    stranger = OAuth2Session(APPLICATION[0], redirect_uri=REDIRECT_URI, state="another")
    code = refusal(stranger.fetch_token, TOKEN, authorization_response=callback, **settings)
    check(code == "mismatching_state", "a foreign state")
    say("ok", variant, "foreign state is refused")
    first = session.fetch_token(TOKEN, authorization_response=callback, timeout=WAIT, **settings)
    check(session.get(ME, timeout=WAIT).status_code == 200, "the resource")
    say("ok", variant, "authorization code, and a resource")
    refreshes(variant, session, first)
    declines(variant)


def refreshes(variant, session, first):
    settings = refresh_authentication(variant, APPLICATION)
    check(refusal(session.refresh_token, TOKEN) == "invalid_client", "a refresh as nobody")
    say("saw", variant, "a refresh sends no client authentication unless it is given again")
    second = session.refresh_token(TOKEN, timeout=WAIT, **settings)
    check(second["refresh_token"] != first["refresh_token"], "a new refresh token")
    check(session.get(ME, timeout=WAIT).status_code == 200, "the resource after a refresh")
    say("ok", variant, "refresh brings a new pair, and the access token works")
    check("token_type" not in second, "no token_type")
    say("saw", variant, "token_type is missing after a refresh")
    spent = {"refresh_token": first["refresh_token"], **settings}
    check(refusal(session.refresh_token, TOKEN, **spent) == "invalid_grant", "a spent token")
    say("ok", variant, "spent refresh token is invalid_grant")
    strict(variant, session, settings)
    switch_to(successor="kept")
    before = session.token["refresh_token"]
    last = session.refresh_token(TOKEN, timeout=WAIT, **settings)
    switch_to(successor="always")
    check(last.get("refresh_token") == before, "the refresh token is kept")
    session.refresh_token(TOKEN, timeout=WAIT, **settings)
    check(session.token["refresh_token"] != before, "the kept refresh token works")
    say("saw", variant, "a refresh token that is not replaced is kept")


def strict(variant, session, settings):
    """With this variable oauthlib throws away an answer that SmartRecruiters documents, and with it
    the only copy of the next refresh token."""
    os.environ["OAUTHLIB_STRICT_TOKEN_TYPE"] = "1"
    before = session.token["refresh_token"]
    code = refusal(session.refresh_token, TOKEN, **settings)
    del os.environ["OAUTHLIB_STRICT_TOKEN_TYPE"]
    check(code == "missing_token_type", "a strict reading of token_type")
    again = refusal(session.refresh_token, TOKEN, **{"refresh_token": before, **settings})
    check(again == "invalid_grant", "the token was spent by the answer that was thrown away")
    say("saw", variant, "OAUTHLIB_STRICT_TOKEN_TYPE loses the grant at the first refresh")
    url, _state = session.authorization_url(AUTHORIZE)
    session.fetch_token(
        TOKEN,
        authorization_response=visit(url, "authorize"),
        timeout=WAIT,
        **authentication(variant, APPLICATION),
    )


def declines(variant):
    session = OAuth2Session(APPLICATION[0], redirect_uri=REDIRECT_URI)
    url, _state = session.authorization_url(AUTHORIZE)
    callback = visit(url, "decline")
    check(parse_qs(urlsplit(callback).query)["code"] == ["500"], "500 as a code")
    settings = authentication(variant, APPLICATION)
    code = refusal(session.fetch_token, TOKEN, authorization_response=callback, **settings)
    check(code == "access_denied", "a declined consent")
    say("ok", variant, "declined consent is told, although 500 stands in its code")


# oauthlib refuses plain http, which the sandbox on this machine speaks.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
for name in ("requests-oauthlib", "oauthlib"):
    print(f"version {name} {version(name)}")
print(f"version python {platform.python_version()}")
for way in ("body", "basic"):
    client_credentials(way)
    partner(way)
    user_consent(way)
