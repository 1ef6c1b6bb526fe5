"""Which servers the token of the environment may go to: a workspace that was found names one, and may be anybody's.

What the user confirmed is kept in the user's own configuration, one address a line, never in a workspace.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from polydata.errors import ServerError, WorkspaceError
from polydata.files.atomic import replacing, writing_to

URL_VARIABLE = "POLYDATA_LABEL_STUDIO_URL"
"""Environment variable beside the token: the server that the token is for."""
CONFIRMED = "label-studio-servers.txt"


def config_folder() -> Path:
    """Where programs keep what a user decided."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".config") / "polydata"


def is_loopback(url: str) -> bool:
    """Whether an address means this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def same_server(url: str) -> str:
    """An address in the one spelling in which two are compared."""
    parts = urlsplit(url.strip())
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"


def is_trusted(url: str) -> bool:
    """Whether the environment's token may go to an address: this machine's, that of ``URL_VARIABLE``, a confirmed one.

    Args:
        url: one that ``connection.checked_url`` has let pass.
    """
    wanted = same_server(url)
    try:
        named = os.environ.get(URL_VARIABLE, "")
        if is_loopback(url) or (named and same_server(named) == wanted):
            return True
        lines = (config_folder() / CONFIRMED).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return wanted in lines


def trust(url: str) -> Path:
    """Let the environment's token go to an address, whatever workspace names it; returns the file that says so.

    Args:
        url: one that ``connection.checked_url`` has let pass.

    Raises:
        InputError: if it cannot be kept.
    """
    path = config_folder() / CONFIRMED
    with writing_to(path, f"Set {URL_VARIABLE} instead."):
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        with replacing(path) as out:
            out.write("".join(f"{line}\n" for line in dict.fromkeys([*known, same_server(url)])).encode())
    return path


def not_trusted(url: str, name: str) -> ServerError:
    """Why a token is not sent.

    Args:
        name: of the variable that holds the token.
    """
    return ServerError(
        f"polydata.toml names the server {url}, which {name} was not said to be for: the token was not sent.",
        f"If it is yours: polydata label trust {shlex.quote(url)}, or set {URL_VARIABLE} to its address.",
    )


def refuse_plain_http(url: str) -> None:
    """Refuse an address to which a token would travel for everybody on the way to read.

    Raises:
        WorkspaceError: if it is http and another machine's.
    """
    if urlsplit(url).scheme == "http" and not is_loopback(url):
        raise WorkspaceError(
            f"{url} is plain http on another machine: everybody on the way could read the token.",
            "Use https, or allow it with plain_http = true under [label_studio] in polydata.toml.",
        )
