"""A real Label Studio server for the tests: installed once, kept outside the checkout, started on loopback.

The server pins other versions of many packages, so it lives in an environment of its own, together with
a database that was migrated once: ``${POLYDATA_TEST_CACHE:-~/.cache/polydata-tests}/label-studio-VERSION``.
Each session copies the database, starts the server on a free port and ends it with all its children.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

VERSION = "1.23.2"
# Accounts of a server that only ever listens on loopback and is thrown away with the tests.
USERS = (
    ("first@example.org", "1f" * 20),
    ("second@example.org", "2e" * 20),
)
PASSWORD = "only-for-the-tests"


@dataclass
class LabelStudioServer:
    """A running server.

    Attributes:
        url: without a slash at its end.
        token: of the first user.
        second_token: of the second user.
        document_root: folder whose files the server can serve; workspaces of the tests lie below it.
    """

    url: str
    token: str
    second_token: str
    document_root: Path
    data: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [_program(), "start", "--no-browser", "--internal-host", "127.0.0.1", "-p", str(self.port)],
                env=_environment(self.data, self.document_root, USERS[0]),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.data,
            )
        _wait_for(self)

    def stop(self) -> None:
        """End it with all its children; it can be started again on the same data."""
        if self.process is None:
            return
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
                break
        with contextlib.suppress(ProcessLookupError):  # a child that outlived its parent
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None


def _cache() -> Path:
    named = os.environ.get("POLYDATA_TEST_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "polydata-tests"


def installed() -> Path:
    """Where this version of the server lies once it is installed."""
    return _cache() / f"label-studio-{VERSION}"


def _program() -> str:
    return str(installed() / "venv/bin/label-studio")


def _environment(data: Path, document_root: Path, user: tuple[str, str]) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO_", "DJANGO_"))}
    return clean | {
        "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        "LABEL_STUDIO_USERNAME": user[0],
        "LABEL_STUDIO_PASSWORD": PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": user[1],
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(document_root),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }


def _run(command: list[str], env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")


def _install(place: Path) -> None:
    """Environment and migrated database; the file ``complete`` is written last."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _run([sys.executable, "-m", "venv", str(place / "venv")])
    pip = [str(place / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, f"label-studio=={VERSION}"])
    template = place / "template"
    template.mkdir()
    for name, token in USERS:
        _run(
            [_program(), "init", "-q", "--username", name, "--password", PASSWORD, "--user-token", token],
            _environment(template, template, (name, token)),
        )
    (place / "complete").touch()


def _ensure_installed() -> Path:
    place = installed()
    if (place / "complete").exists():
        return place
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / f"label-studio-{VERSION}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # runs side by side wait here for the one that installs
        if not (place / "complete").exists():
            _install(place)
    return place


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _healthy(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
    try:
        with opener.open(f"{url}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _wait_for(server: LabelStudioServer, seconds: float = 180) -> None:
    """Wait for /health. Where another process took the port, the server would move on: that is an error here."""
    assert server.process is not None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        if _healthy(server.url):
            return
        time.sleep(0.25)
    server.stop()
    raise RuntimeError(f"Label Studio did not answer at {server.url}: {server.log.read_text(errors='replace')[-1500:]}")


def start_server(folder: Path) -> LabelStudioServer:
    """Start a server of its own on a copy of the migrated database.

    Args:
        folder: an empty folder for its data and log, and for the document root.
    """
    template = _ensure_installed() / "template"
    shutil.copytree(template, folder / "data")
    (folder / "root").mkdir()
    server = LabelStudioServer(
        url=f"http://127.0.0.1:{_free_port()}",
        token=USERS[0][1],
        second_token=USERS[1][1],
        document_root=folder / "root",
        data=folder / "data",
        log=folder / "server.log",
    )
    server.start()
    return server


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """A server for the whole session; the tests that use it are marked ``labelstudio``."""
    try:
        _ensure_installed()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"Label Studio {VERSION} cannot be installed here: {error}")
    server = start_server(tmp_path_factory.mktemp("label-studio"))
    yield server
    server.stop()
