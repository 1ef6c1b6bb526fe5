"""A real Label Studio server for the tests: installed once, kept outside the checkout, started on loopback.

It is the server of ``polydata label serve``, with a database that was migrated once and two accounts, in
``${POLYDATA_TEST_CACHE:-~/.cache/polydata-tests}/label-studio-VERSION``. Each session copies the database and
starts the server on a free port.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from polydata.errors import ServerError
from polydata.labels.localserver import VERSION, Account, Installation, LocalServer

# Accounts of a server that only ever listens on loopback and is thrown away with the tests.
PASSWORD = "only-for-the-tests"
ACCOUNTS = (
    Account("first@example.org", PASSWORD, "1f" * 20),
    Account("second@example.org", PASSWORD, "2e" * 20),
)


@dataclass
class LabelStudioServer(LocalServer):
    """A running server.

    Attributes:
        token: of the first user.
        second_token: of the second user.
        document_root: folder whose files the server can serve; workspaces of the tests lie below it.
    """

    token: str = ACCOUNTS[0].token
    second_token: str = ACCOUNTS[1].token


def installation() -> Installation:
    """Where this version of the server lies once it is installed."""
    named = os.environ.get("POLYDATA_TEST_CACHE")
    return Installation.in_folder(Path(named) if named else Path.home() / ".cache" / "polydata-tests")


def _migrated() -> Path:
    """A folder with a database that has all tables and the two accounts; made where it is missing."""
    found = installation()
    found.ensure()
    template = found.folder / "accounts"
    with (found.folder / "accounts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # runs side by side wait here for the one that makes it
        if not (template / "complete").exists():
            shutil.rmtree(template, ignore_errors=True)
            maker = LocalServer(found, template, template, 0, template / "log")
            for account in ACCOUNTS:
                maker.add_account(account)
            (template / "complete").touch()
    return template


def free_port() -> int:
    """A port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(folder: Path, port: int | None = None) -> LabelStudioServer:
    """Start a server of its own on a copy of the migrated database.

    Args:
        folder: an empty folder for its data and log, and for the document root.
        port: None takes a free one.
    """
    shutil.copytree(_migrated(), folder / "data")
    (folder / "root").mkdir()
    port = port or free_port()
    server = LabelStudioServer(installation(), folder / "data", folder / "root", port, folder / "server.log")
    server.start()
    return server


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """A server for the whole session; the tests that use it are marked ``labelstudio``."""
    try:
        _migrated()
    except (ServerError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Label Studio {VERSION} cannot be installed here: {error}")
    server = start_server(tmp_path_factory.mktemp("label-studio"))
    yield server
    server.stop()
