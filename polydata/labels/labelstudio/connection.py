"""The connection: address, token, and what each way of failing means to a user.

The token comes from the environment alone. It is sent in a header and stands in no message, file or URL.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from label_studio_sdk.core.client_wrapper import SyncClientWrapper
from label_studio_sdk.core.parse_error import ParsingError

from polydata.errors import ServerError, WorkspaceError

TOKEN_VARIABLES = ("POLYDATA_LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")
"""Environment variables that may hold the token; the first that is set counts."""
SECONDS = 60.0
"""How long the server may take for one answer."""
ONCE: Any = {"max_retries": 0}
"""For requests that make something: one that is tried again could make it twice."""
MAX_DETAIL = 300

_START = "Start the server, or correct url under [label_studio] in polydata.toml."
_AGAIN = "Start the server, then run this command again: it goes on where it stopped and does nothing twice."


@dataclass(frozen=True)
class Server:
    """An open connection.

    Attributes:
        url: address of the server without a slash at its end.
        client: the SDK's client.
        http: the HTTP client below it, for the few requests that the SDK lacks.
    """

    url: str
    client: LabelStudio
    http: httpx.Client
    _wrapper: SyncClientWrapper

    def headers(self) -> dict[str, str]:
        """Headers of an authorised request; never to be printed."""
        headers: dict[str, str] = self._wrapper.get_headers()
        return headers


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


def token_from_environment() -> str:
    """The access token.

    Raises:
        ServerError: if none is set, or what is set cannot be one.
    """
    for name in TOKEN_VARIABLES:
        token = os.environ.get(name, "").strip()
        if not token:
            continue
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError(f"{name} holds characters that no token has.", "Copy the token again.")
        return token
    raise ServerError(
        "There is no token for Label Studio.",
        f"Copy it from Account & Settings > Access Token in Label Studio and set {TOKEN_VARIABLES[0]}.",
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _detail(body: Any) -> str:
    """What the server gave as its reason, short and without control characters."""
    if isinstance(body, Mapping):
        body = body.get("validation_errors") or body.get("detail") or ""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(body)).split())
    return text if len(text) <= MAX_DETAIL else f"{text[:MAX_DETAIL]} ..."


def _refusal(url: str, status: int | None, body: Any) -> ServerError:
    match status:
        case 401:
            return ServerError(
                f"Label Studio at {url} does not accept the token.",
                "Copy it again from Account & Settings; a legacy token must be allowed by the organisation.",
            )
        case 403:
            return ServerError(
                f"Label Studio at {url} does not let this account do that: {_detail(body)}",
                "Use the token of an account that may edit the project.",
            )
        case 404:
            return ServerError(
                f"Label Studio at {url} has not got what was asked for: {_detail(body)}",
                "The project may have been deleted: polydata label status shows what is there.",
            )
        case int() if 400 <= status < 500:
            return ServerError(f"Label Studio at {url} refused the request ({status}): {_detail(body)}")
        case int() if status >= 500:
            return ServerError(f"Label Studio at {url} failed ({status}): {_detail(body)}", f"See its log. {_AGAIN}")
    return ServerError(
        f"What answers at {url} is not Label Studio.", "Correct url under [label_studio] in polydata.toml."
    )


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Requests made inside fail as ServerError alone, whatever goes wrong."""
    try:
        yield
    except ApiError as error:
        raise _refusal(url, error.status_code, error.body) from None
    except httpx.ConnectError:
        raise ServerError(f"No Label Studio answers at {url}.", f"{_START} {_AGAIN}") from None
    except httpx.TimeoutException:
        raise ServerError(f"Label Studio at {url} gave no answer within {SECONDS:.0f} seconds.", _AGAIN) from None
    except httpx.HTTPError as error:
        raise ServerError(f"Label Studio at {url} stopped answering ({type(error).__name__}).", _AGAIN) from None
    except (ParsingError, httpx.InvalidURL, AttributeError, KeyError, TypeError, ValueError):
        # The SDK takes any JSON for an answer: one of another shape shows only where it is used.
        raise _refusal(url, None, None) from None


def connect(url: str) -> Server:
    """Open the connection and make sure that Label Studio answers and accepts the token.

    Raises:
        WorkspaceError: if the address cannot be one.
        ServerError: if there is no token, no server, another program, or the token is refused.
    """
    url = checked_url(url)
    token = token_from_environment()
    with answering(url):
        # What listens on this machine is never asked for through a proxy.
        http = httpx.Client(timeout=SECONDS, trust_env=not _is_loopback(url))
        client = LabelStudio(base_url=url, api_key=token, httpx_client=http, timeout=SECONDS)
        server = Server(url, client, http, SyncClientWrapper(base_url=url, api_key=token, httpx_client=http))
        if not isinstance(client.versions.get().release, str):
            raise _refusal(url, None, None)
        client.users.whoami()
    return server
