"""A server that listens on loopback alone and tells nobody anything: started, waited for, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from polydata.errors import ServerError
from polydata.labels.localserver.installation import Installation, run_program

HOST = "127.0.0.1"
START_SECONDS = 300.0
"""The first start makes the database, which takes a minute and more."""
END_OF_LOG = 800


@dataclass(frozen=True)
class Account:
    """An account that the server makes when it starts; its password and token stand in no message."""

    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)


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
            known |= {
                "LABEL_STUDIO_USERNAME": account.email,
                "LABEL_STUDIO_PASSWORD": account.password,
                "LABEL_STUDIO_USER_TOKEN": account.token,
            }
        return clean | known

    def add_account(self, account: Account) -> None:
        """Make the database where it is missing, and an account in it; a known one stays as it is."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        run_program([str(self.installation.program), "init", "-q"], self.environment(account))

    def set_default_password(self, password: str) -> None:
        """Change the password of Label Studio's default account; it stands on no command line."""
        env = self.environment(None) | {"LABEL_STUDIO_PASSWORD": password}
        run_program([str(self.installation.program), "init", "-q"], env)

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
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.installation.program),
                    "start",
                    "--no-browser",
                    "--internal-host",
                    HOST,
                    "-p",
                    str(self.port),
                ],
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
            if self._answers():
                return
            time.sleep(0.25)
        said = self.log.read_text(encoding="utf-8", errors="replace")[-END_OF_LOG:]
        raise ServerError(f"Label Studio did not answer at {self.url}: {said}", f"See {self.log}.")

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy
        try:
            with opener.open(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

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
