"""A server for one workspace: its data lies in the workspace, its account is made at the first start."""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from polydata.errors import ServerError
from polydata.labels.labelstudio.connection import checked_url, is_loopback
from polydata.labels.localserver.installation import Installation
from polydata.labels.localserver.process import Account, LocalServer
from polydata.workspace import Workspace

EMAIL = "default_user@localhost"
"""The one account whose password the server's command changes without being given it on its command line."""
FOLDER = "label-studio"
DEFAULT_PORT = 8080
READY = "ready"
"""File in the data folder, written when the account is there."""


@dataclass(frozen=True)
class Login:
    """What a person logs in with, known to nobody but who started the server.

    Attributes:
        token: None where only the password is new.
    """

    email: str
    password: str
    token: str | None


def data_folder(workspace: Workspace) -> Path:
    """Where the server keeps its database."""
    return workspace.root / FOLDER


def needs_login(workspace: Workspace) -> bool:
    """Whether the next start makes an account."""
    return not (data_folder(workspace) / READY).exists()


def default_port(workspace: Workspace) -> int:
    """The port of the settings' address if that means this machine, else Label Studio's own."""
    url = checked_url(workspace.settings.label_studio.url)
    return (urlsplit(url).port if is_loopback(url) else None) or DEFAULT_PORT


@contextmanager
def serving(
    workspace: Workspace, installation: Installation, port: int, *, new_password: bool = False
) -> Iterator[tuple[LocalServer, Login | None]]:
    """A running server, stopped when the block ends, and the login where one was made.

    Args:
        new_password: give the account another password.

    Raises:
        ServerError: if the port is taken, another one serves this workspace, or it does not start.
    """
    data = data_folder(workspace)
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    with (workspace.root / f".{FOLDER}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(
                f"Another process serves {workspace.root} already.", "Use that one, or stop it first."
            ) from None
        server = LocalServer(installation, data, workspace.document_root.resolve(), port, data / "server.log")
        server.require_free_port()
        login = _login(workspace, server, new_password=new_password)
        server.start()
        try:
            yield server, login
        finally:
            server.stop()


def _login(workspace: Workspace, server: LocalServer, *, new_password: bool) -> Login | None:
    first = needs_login(workspace)
    if not first and not new_password:
        return None
    account = Account(EMAIL, secrets.token_urlsafe(18), secrets.token_hex(20))
    if first:
        for path in server.data.iterdir():  # of a first start that was ended: nobody has worked with it
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        server.add_account(account)
        (server.data / READY).touch()
        return Login(EMAIL, account.password, account.token)
    server.set_default_password(account.password)
    return Login(EMAIL, account.password, None)
