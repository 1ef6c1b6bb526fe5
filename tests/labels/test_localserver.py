"""``polydata label serve``: the real server, started as a person would, in a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from commands import BIN, run
from label_studio_server import LabelStudioServer, free_port, installation
from review_scene import add_images, make_workspace, picture

from polydata.errors import RefusedError, ServerError
from polydata.labels import localserver
from polydata.labels.localserver import Installation, cache_folder, data_folder, default_port, is_free, serving
from polydata.types import quiet
from polydata.workspace import Workspace


@contextmanager
def listener() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_taken_port_is_seen() -> None:
    with listener() as port:
        assert not is_free(port)
    assert is_free(free_port())


def test_the_port_is_that_of_the_settings(tmp_path: Path) -> None:
    assert default_port(make_workspace(tmp_path / "a", "http://127.0.0.1:8099", "p")) == 8099
    assert default_port(make_workspace(tmp_path / "b", "https://label.example.org:9000", "p")) == 8080


def test_the_cache_is_where_the_user_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "polydata"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the standard
    assert cache_folder() == Path.home() / ".cache/polydata"


def test_an_installation_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    place = Installation.in_folder(tmp_path)
    with pytest.raises(ServerError, match="could not be set up") as caught:
        place.ensure()
    assert "pip" in caught.value.hint
    assert not place.is_complete


def test_an_installation_tells_of_each_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "print('Collecting a'); print('  Downloading a'); print('Collecting b'); "
    told: list[tuple[str, int, int | None]] = []
    localserver._install([sys.executable, "-c", script], lambda *words: told.append(words))
    assert [done for _, done, _ in told] == [1, 2]
    with pytest.raises(ServerError, match=r"gave 3(?s:.*)no such package"):
        localserver._install([sys.executable, "-c", f"{script} print('no such package'); exit(3)"], quiet)
    with pytest.raises(ServerError, match="could not be run"):
        localserver._install([str(tmp_path / "nothing")], quiet)


def test_an_installation_that_is_interrupted_leaves_nobody_waiting() -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    waiting = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        localserver._install([sys.executable, "-c", "print('Collecting x')"], interrupted)
    for thread in set(threading.enumerate()) - waiting:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_nothing_is_installed_or_shown_where_nobody_sees_it(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", "http://127.0.0.1:8099", "p")
    said = run("polydata", "label", "serve", workspace=workspace.root, expect=2, XDG_CACHE_HOME=str(tmp_path / "c"))
    assert "no terminal" in said.stderr
    assert not (tmp_path / "c").exists()


def test_data_of_another_server_is_not_cleared_away(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", "http://127.0.0.1:8099", "p")
    own = data_folder(workspace) / "label_studio.sqlite3"
    own.parent.mkdir()
    own.write_bytes(b"answers of months")
    with pytest.raises(RefusedError, match="holds other files"), serving(workspace, Installation(tmp_path), 8099):
        pass
    assert own.read_bytes() == b"answers of months"


def _heed_interrupts() -> None:
    """As a terminal does; a suite that runs in the background hands on that Ctrl+C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminal:
    """``polydata label serve`` in a terminal of its own."""

    def __init__(self, workspace: Workspace, cache: Path, *options: str) -> None:
        own, theirs = pty.openpty()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("POLYDATA_", "LABEL_STUDIO_"))}
        environment |= {"XDG_CACHE_HOME": str(cache), "POLYDATA_WORKSPACE": str(workspace.root)}
        command = [str(BIN / "polydata"), "label", "serve", *options]
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            preexec_fn=_heed_interrupts,  # noqa: PLW1509 - it sets a signal and takes no lock
        )
        os.close(theirs)
        self.said = ""
        self.reader = threading.Thread(target=self._read, args=(own,), daemon=True)
        self.reader.start()

    def _read(self, terminal: int) -> None:
        with os.fdopen(terminal, "rb", buffering=0) as stream:
            try:
                while data := stream.read(4096):
                    self.said += data.decode(errors="replace")
            except OSError:  # Linux ends a terminal so
                return

    def wait_for(self, words: str, seconds: float = 300) -> str:
        end = time.monotonic() + seconds
        while words not in self.said and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert words in self.said, self.said
        return self.said

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(sign)
        assert self.process.wait(120) == 0, self.said
        self.reader.join(10)


def log_in(url: str, password: str) -> bool:
    """Log in as a browser does."""
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{url}/user/login", timeout=30)
        form = {"email": "default_user@localhost", "password": password}
        form["csrfmiddlewaretoken"] = session.cookies["csrftoken"]
        session.post(f"{url}/user/login", data=form, timeout=30, headers={"Referer": url})
        return session.get(f"{url}/api/current-user/whoami", timeout=30).status_code == 200


def shows_images_alone(workspace: Workspace, url: str, token: str) -> None:
    """Whoever may add folders to show gets no other than that of the images, by whatever way to it."""
    root, served = workspace.served_images()
    assert [path.name for path in root.iterdir()] == ["store"]
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Token {token}"
        (project,) = [one["id"] for one in session.get(f"{url}/api/projects", timeout=30).json()["results"]]
        for folder in (workspace.root, workspace.root.parent, workspace.root / "label-studio", workspace.store, root):
            asked = {"project": project, "title": "more", "path": str(folder), "use_blob_urls": True}
            assert session.post(f"{url}/api/storages/localfiles", json=asked, timeout=30).status_code == 400, folder
        image = next(workspace.store.rglob("*.png")).relative_to(workspace.store)
        shown = session.get(f"{url}/data/local-files/", params={"d": f"store/{image}"}, timeout=30)
        assert shown.content == (served / image).read_bytes()
        for way in ("../polydata.toml", "store/../../polydata.toml", "store/../polydata.toml", "polydata.toml"):
            answer = session.get(f"{url}/data/local-files/", params={"d": way}, timeout=30)
            assert answer.status_code >= 400 or b"label_studio" not in answer.content, way


@pytest.mark.labelstudio
@pytest.mark.slow
def test_a_server_for_those_who_have_none(label_studio: LabelStudioServer, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/polydata").symlink_to(installation().folder.parent)  # installed already
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    workspace = make_workspace(tmp_path / "w", url, "served")
    add_images(workspace, [picture(n) for n in range(3)])
    with listener() as taken:
        refused = Terminal(workspace, tmp_path / "cache", "--port", str(taken))
        refused.wait_for(f"Port {taken} of this machine is taken")
        assert refused.process.wait(30) == 6

    terminal = Terminal(workspace, tmp_path / "cache")
    try:
        said = terminal.wait_for("Next: polydata label setup")
        (password,) = re.findall(r"password (\S+)", said)[:1]
        (token,) = re.findall(r"Token for the other commands: (\w+)", said)
        assert f"answers at {url}" in said
        assert log_in(url, password)
        assert not log_in(url, "another")
        pushed = run("polydata", "label", "push", workspace=workspace.root, POLYDATA_LABEL_STUDIO_TOKEN=token)
        assert "Next: answer the tasks" in pushed.stdout
        shows_images_alone(workspace, url, token)
        second = Terminal(workspace, tmp_path / "cache", "--port", str(free_port()))
        second.wait_for("serves")
        assert second.process.wait(30) == 6
        with pytest.raises(requests.ConnectionError):  # a server on all addresses would answer at this one too
            requests.get(f"http://127.0.0.2:{port}/health", timeout=3, proxies={"http": ""})
    finally:
        terminal.stop()
    assert is_free(port)
    assert "Its data is kept" in terminal.said
    assert (workspace.root / "label-studio").stat().st_mode & 0o077 == 0
    written = [p for p in workspace.root.rglob("*") if p.is_file()]
    assert not any(password.encode() in p.read_bytes() for p in written)
    tellers = [p.name for p in written if token.encode() in p.read_bytes()]
    assert tellers in ([], ["label_studio.sqlite3"])  # the server's own database has to know it

    again = Terminal(workspace, tmp_path / "cache", "--new-password")
    try:
        said = again.wait_for("Next: polydata label setup")
        (other,) = re.findall(r"password (\S+)", said)[:1]
        assert "TOKEN" not in said
        assert log_in(url, other)
        assert not log_in(url, password)
        run("polydata", "label", "status", workspace=workspace.root, POLYDATA_LABEL_STUDIO_TOKEN=token)
    finally:
        again.stop(signal.SIGTERM)
    assert is_free(port)
