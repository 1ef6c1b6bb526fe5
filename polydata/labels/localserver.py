"""A Label Studio server on this machine, for those who have none: installed, started, stopped.

It gets an environment of its own, since it pins other versions of many packages than this program needs; it listens on
loopback alone and tells nobody anything; its data lies in the workspace.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import httpx

from polydata.errors import ServerError
from polydata.files.atomic import other_files
from polydata.labels.labelstudio.connection import checked_url
from polydata.labels.labelstudio.trust import is_loopback
from polydata.types import Progress, quiet
from polydata.workspace import Workspace

VERSION = "1.23.2"
SIZE = "about 1 GB"
SECONDS = 1200
HOST = "127.0.0.1"
START_SECONDS = 300.0
"""The first start makes the database, which takes a minute and more."""
END_OF_LOG = 800
SAID = 20
"""Lines of pip that are kept for the message where it fails."""
EMAIL = "default_user@localhost"
"""The one account whose password the server's command changes without being given it on its command line."""
FOLDER = "label-studio"
DEFAULT_PORT = 8080
BEGUN, READY = "begun", "ready"
"""Files in the data folder, written before anything else and when the account is there."""


def cache_folder() -> Path:
    """Where programs of a user keep what can be made again."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "polydata"


@dataclass(frozen=True)
class Installation:
    """One version of the server in one folder, there or not.

    Attributes:
        folder: holds the environment; the file ``complete`` in it is written last.
    """

    folder: Path

    @classmethod
    def in_folder(cls, above: Path) -> Installation:
        """The installation of the version that this program knows."""
        return cls(above / f"label-studio-{VERSION}")

    @property
    def program(self) -> Path:
        """The server's command."""
        return self.folder / "venv/bin/label-studio"

    @property
    def is_complete(self) -> bool:
        """Whether everything is there."""
        return (self.folder / "complete").exists()

    def ensure(self, progress: Progress = quiet) -> None:
        """Install with pip what is missing; of several processes one does it and the others wait.

        Args:
            progress: told how many packages pip has looked at; nobody knows beforehand how many there are.

        Raises:
            ServerError: if it cannot be installed.
        """
        if self.is_complete:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_complete:
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                venv = str(self.folder / "venv")
                run_program([sys.executable, "-m", "venv", venv])
                pip = [f"{venv}/bin/python", "-m", "pip", "install", "--progress-bar", "off"]
                _install([*pip, "--disable-pip-version-check", f"label-studio=={VERSION}"], progress)
                (self.folder / "complete").touch()


def _install(command: list[str], progress: Progress) -> None:
    """Run pip and tell of each package that it takes; raises as ``run_program``."""
    said: deque[str] = deque(maxlen=SAID)
    taken = 0
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            stop = Timer(SECONDS, running.kill)
            stop.start()
            try:
                for line in running.stdout or ():
                    said.append(line)
                    if line.startswith("Collecting "):
                        taken += 1
                        progress("Installing packages", taken, None)
                running.wait()
            finally:
                stop.cancel()  # the program would wait for it after Ctrl+C
    except OSError as error:
        raise ServerError(f"{Path(command[0]).name} could not be run: {type(error).__name__}.") from error
    _refuse_failure(command, running.returncode, "".join(said))


def run_program(command: list[str], env: Mapping[str, str] | None = None) -> None:
    """Run a command to its end.

    Raises:
        ServerError: if it fails or takes too long; with the end of what it said.
    """
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(f"{Path(command[0]).name} could not be run: {type(error).__name__}.") from error
    _refuse_failure(command, done.returncode, done.stderr or done.stdout)


def _refuse_failure(command: list[str], status: int, said: str) -> None:
    if status:
        end = said.strip()[-END_OF_LOG:]
        raise ServerError(
            f"Label Studio {VERSION} could not be set up ({Path(command[0]).name} gave {status}): {end}",
            "See to it that pip can reach its index and that the disk has room, then run the command again.",
        )


@dataclass(frozen=True)
class Account:
    """What a person logs in with, known to nobody but who started the server; it stands in no message.

    Attributes:
        token: None where only the password is new.
    """

    email: str
    password: str = field(repr=False)
    token: str | None = field(repr=False)


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of the machine, nor keeps it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    with socket.socket() as probe:  # a server on all addresses lets ours be bound
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0


@dataclass
class LocalServer:
    """A server and its data.

    Attributes:
        data: folder of its database, secret key and uploads.
        document_root: the only folder whose files it may show.
    """

    installation: Installation
    data: Path
    document_root: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def environment(self, account: Account | None) -> dict[str, str]:
        """Its settings: files of the document root alone, no sign-up without an invitation, no reports to anybody."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO_", "DJANGO_", "POLYDATA_"))}
        known = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "LABEL_STUDIO_ALLOWED_HOSTS": f"{HOST},localhost",
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self.document_root),
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }
        if account:
            known["LABEL_STUDIO_PASSWORD"] = account.password
        if account and account.token:
            known |= {"LABEL_STUDIO_USERNAME": account.email, "LABEL_STUDIO_USER_TOKEN": account.token}
        return clean | known

    def add_account(self, account: Account) -> None:
        """Make the database where it is missing, and an account in it; a known one stays as it is.

        Without a token it is Label Studio's default account that gets the password; it stands on no command line.
        """
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        run_program([str(self.installation.program), "init", "-q"], self.environment(account))

    def require_free_port(self) -> None:
        """Refuse a port that is taken: the server would move on to the next one in silence."""
        if not is_free(self.port):
            raise ServerError(
                f"Port {self.port} of this machine is taken.",
                "Stop what listens there (another polydata label serve?), or choose another with --port.",
            )

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerError: if the port is taken, or it ends or does not answer in time.
        """
        self.require_free_port()
        program = str(self.installation.program)
        command = [program, "start", "--no-browser", "--internal-host", HOST, "-p", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=self.environment(None),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.data,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):  # loopback never goes through a proxy
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False, follow_redirects=True).is_success:
                    return
            time.sleep(0.25)
        said = self.log.read_text(encoding="utf-8", errors="replace")[-END_OF_LOG:]
        raise ServerError(f"Label Studio did not answer at {self.url}: {said}", f"See {self.log}.")

    def wait(self) -> int:
        """Wait until it ends by itself, and give its exit status."""
        assert self.process is not None
        return self.process.wait()

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


@contextlib.contextmanager
def serving(
    workspace: Workspace, installation: Installation, port: int, *, new_password: bool = False
) -> Iterator[tuple[LocalServer, Account | None]]:
    """A running server, stopped when the block ends, and the login where one was made.

    Args:
        new_password: give the account another password.

    Raises:
        ServerError: if the port is taken, another one serves this workspace, or it does not start.
        RefusedError: if the folder of its data holds other files.
    """
    data = data_folder(workspace)
    _take_folder(data)
    with (workspace.root / f".{FOLDER}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(
                f"Another process serves {workspace.root} already.", "Use that one, or stop it first."
            ) from None
        server = LocalServer(installation, data, workspace.served_images()[0].resolve(), port, data / "server.log")
        server.require_free_port()
        login = _login(server, first=needs_login(workspace), new_password=new_password)
        server.start()
        try:
            yield server, login
        finally:
            server.stop()


def _take_folder(data: Path) -> None:
    """Make the folder of the data, or see that it is one of ours: a first start that was ended is cleared away."""
    data.mkdir(mode=0o700, exist_ok=True)
    names = sorted(path.name for path in data.iterdir())
    if names and not {BEGUN, READY} & set(names):
        raise other_files(data, names)
    data.chmod(0o700)
    (data / BEGUN).touch()


def _login(server: LocalServer, *, first: bool, new_password: bool) -> Account | None:
    if not first and not new_password:
        return None
    account = Account(EMAIL, secrets.token_urlsafe(18), secrets.token_hex(20))
    if first:
        for path in server.data.iterdir():  # of a first start that was ended: nobody has worked with it
            if path.name != BEGUN:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        account = replace(account, token=None)
    server.add_account(account)
    (server.data / READY).touch()
    return account
