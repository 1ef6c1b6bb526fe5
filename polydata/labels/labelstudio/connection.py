"""The connection: address, token, and what each way of failing means to a user.

The token comes from the environment or the keyring. It is sent in a header and stands in no message, file or URL, and
that of the environment goes only where the user said so (see ``trust``).
Requests are written out here instead of made by the SDK: importing that takes longer than a pull.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from polydata.errors import ServerError, WorkspaceError
from polydata.labels.labelstudio.trust import is_loopback, is_trusted, not_trusted, refuse_plain_http

TOKEN_VARIABLES = ("POLYDATA_LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")
"""Environment variables that may hold the token; the first that is set counts."""
KEYRING_SERVICE = "polydata"
SECONDS = 60.0
"""How long the server may take for one answer."""
LISTENING_SECONDS = 5.0
PORTS = {"http": 80, "https": 443}
MAX_DETAIL = 300

START = "Start the server (polydata label serve), or correct url under [label_studio] in polydata.toml."
AGAIN = "Start the server, then run this command again: it goes on where it stopped and does nothing twice."


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class _Token(httpx.Auth):
    """A legacy token as it is; a personal access token (a JWT) is changed for one that is good for minutes."""

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self._refresh = f"{url}/api/token/refresh/"
        self._token = token
        self._personal = token.count(".") == 2
        self._header = "" if self._personal else f"Token {token}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._header:
            request.headers["Authorization"] = self._header
            answer = yield request
            if answer.status_code != 401 or not self._personal:
                return
        answer = yield httpx.Request("POST", self._refresh, json={"refresh": self._token})
        if answer.status_code != 200:
            raise Refused(401, "")
        self._header = f"Bearer {answer.json()['access']}"
        request.headers["Authorization"] = self._header
        yield request


@dataclass(frozen=True)
class Server:
    """An open connection.

    Attributes:
        url: address of the server without a slash at its end.
        http: sends the token with every request, and none a second time by itself.
    """

    url: str
    http: httpx.Client

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The answer to a request, read as JSON; None where there is none. Use it within ``answering``."""
        answer = self.http.request(method, f"{self.url}{path}", **arguments)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, _json(answer))
        if answer.status_code >= 300:
            raise ValueError(f"moved ({answer.status_code})")
        return answer.json() if answer.content else None


def _json(answer: httpx.Response) -> Any:
    """What a server answered, without the token, which it may repeat in whatever spelling."""
    token = answer.request.headers.get("Authorization", "").rpartition(" ")[2]
    try:
        said = json.loads(answer.text)
    except ValueError:
        said = answer.text
    return _without(said, token) if token else said


def _without(said: Any, token: str) -> Any:
    """An answer in whose texts a dot stands for the token."""
    if isinstance(said, str):
        return said.replace(token, "…")
    if isinstance(said, list):
        return [_without(one, token) for one in said]
    if isinstance(said, dict):
        return {_without(key, token): _without(value, token) for key, value in said.items()}
    return said


def checked_url(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        WorkspaceError: if it is no http(s) address, or carries a user name, password or query.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise WorkspaceError(
            "url under [label_studio] in polydata.toml is not an http or https address.",
            'Write it like "http://127.0.0.1:8080".',
        )
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise WorkspaceError(
            "url under [label_studio] in polydata.toml holds more than an address.",
            f"Leave out user names, passwords and queries; the token belongs into {TOKEN_VARIABLES[0]}.",
        )
    return url.strip().rstrip("/")


def variable_with_token() -> str | None:
    """The environment variable whose token counts, None where none is set."""
    return next((name for name in TOKEN_VARIABLES if os.environ.get(name, "").strip()), None)


def find_token(url: str) -> str:
    """The access token: of the environment, else what the keyring (the extra ``keyring``) has for this address.

    Args:
        url: of the server that it is sent to, as ``checked_url`` gives it.

    Raises:
        ServerError: if there is none, what there is cannot be one, or that of the environment is for another server.
    """
    variable = variable_with_token()
    if variable and is_trusted(url):
        name, token = variable, os.environ[variable].strip()
    else:
        name, token = "The keyring's entry", _from_keyring(url)
    if token:
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError(f"{name} holds characters that no token has.", "Copy the token again.")
        return token
    if variable:
        raise not_trusted(url, variable)
    if is_loopback(url) and not _listens(url):  # the token comes from the server, so that is what is missing first
        raise _unreachable(url)
    raise ServerError(
        "There is no token for Label Studio.",
        f"Copy it from Account & Settings > Access Token in Label Studio and set {TOKEN_VARIABLES[0]}, "
        f"or keep it in the keyring: keyring set {KEYRING_SERVICE} {url}",
    )


def _from_keyring(url: str) -> str:
    try:
        import keyring
        from keyring.errors import NoKeyringError
    except ImportError:
        return ""
    try:
        return (keyring.get_password(KEYRING_SERVICE, url) or "").strip()
    except NoKeyringError:
        return ""
    except Exception as error:  # backends are other people's programs and raise what they like
        raise ServerError(
            f"The keyring cannot be asked for the token: {type(error).__name__}.", f"Set {TOKEN_VARIABLES[0]} instead."
        ) from None


def _detail(body: Any) -> str:
    """What the server gave as its reason, short and without control characters."""
    if isinstance(body, Mapping):
        body = body.get("validation_errors") or body.get("detail") or ""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(body)).split())
    return text if len(text) <= MAX_DETAIL else f"{text[:MAX_DETAIL]} ..."


_REASONS = {
    401: (
        "does not accept the token",
        "Copy it again from Account & Settings; a legacy token must be allowed by the organisation.",
    ),
    403: ("does not let this account do that", "Use the token of an account that may edit the project."),
    404: (
        "has not got what was asked for",
        "The project may have been deleted: polydata label status shows what is there.",
    ),
}


def _refusal(url: str, status: int | None, body: Any) -> ServerError:
    if status is None:
        return ServerError(
            f"What answers at {url} is not Label Studio.", "Correct url under [label_studio] in polydata.toml."
        )
    other = f"failed ({status})" if status >= 500 else f"refused the request ({status})"
    what, hint = _REASONS.get(status, (other, f"See its log. {AGAIN}" if status >= 500 else ""))
    return ServerError(f"Label Studio at {url} {what}{'.' if status == 401 else f': {_detail(body)}'}", hint)


def _unreachable(url: str) -> ServerError:
    return ServerError(f"No Label Studio answers at {url}.", f"{START} {AGAIN}")


def _listens(url: str) -> bool:
    """Whether anything listens at an address of this machine."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or PORTS[parts.scheme]), LISTENING_SECONDS).close()
    except OSError:
        return False
    return True


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Requests made inside fail as ServerError alone, whatever goes wrong."""
    try:
        yield
    except Refused as error:
        raise _refusal(url, error.status, error.body) from None
    except httpx.ConnectError:
        raise _unreachable(url) from None
    except httpx.TimeoutException:
        raise ServerError(f"Label Studio at {url} gave no answer within {SECONDS:.0f} seconds.", AGAIN) from None
    except httpx.HTTPError as error:
        raise ServerError(f"Label Studio at {url} stopped answering ({type(error).__name__}).", AGAIN) from None
    except (httpx.InvalidURL, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # Any JSON may come for an answer: one of another shape shows only where it is used.
        raise _refusal(url, None, None) from None


def connect(url: str, *, plain_http: bool = False) -> Server:
    """Open the connection and make sure that Label Studio answers and accepts the token.

    Args:
        plain_http: whether the token may go to another machine unencrypted.

    Raises:
        WorkspaceError: if the address cannot be one, or is plain http on another machine.
        ServerError: if there is no token for it, no server, another program, or the token is refused.
    """
    url = checked_url(url)
    if not plain_http:
        refuse_plain_http(url)
    token = find_token(url)
    with answering(url):
        # What listens on this machine is never asked for through a proxy. Certificates are loaded only to be checked.
        secure = url.lower().startswith("https:")
        http = httpx.Client(timeout=SECONDS, trust_env=not is_loopback(url), auth=_Token(url, token), verify=secure)
        server = Server(url, http)
        try:
            if not isinstance(server.call("GET", "/api/current-user/whoami")["email"], str):
                raise TypeError("an account without an address")
        except Refused as refused:
            if refused.status < 500:
                version = http.get(f"{url}/api/version", auth=None)  # which needs no token
                if version.status_code != 200 or not isinstance(version.json()["release"], str):
                    raise _refusal(url, None, None) from None
            raise
    return server
