"""No secret reaches an output, a file, an address or a server that repeats what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from commands import run
from review_scene import add_images, make_workspace, picture

from polymodel.runs.card import describe_environment

SECRETS = {
    "POLYDATA_LABEL_STUDIO_TOKEN": "5ec4e7" * 6 + "aaaa",
    "AWS_SECRET_ACCESS_KEY": "5ec4e7-of-a-bucket",
    "HTTPS_PROXY_PASSWORD": "5ec4e7-of-a-proxy",
}
MARK = "5ec4e7"


class Parrot(ThreadingHTTPServer):
    """A server that notes what it is asked and says all of it back as the reason of a failure."""

    def __init__(self, status: int) -> None:
        self.status, self.asked, self.sent = status, list[str](), list[str]()
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: Parrot

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.asked.append(self.path + body)
        self.server.sent.append(self.headers.get("Authorization", ""))
        said = json.dumps({"detail": f"{self.path} {self.headers.as_string()} {body}", "release": "1.23"})
        if self.server.status == 403:  # the same text in another spelling
            said = said.replace(MARK, "".join(f"\\u{ord(sign):04x}" for sign in MARK))
        said = said.encode()
        self.send_response(200 if self.path == "/api/version" else self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815 - so the library calls it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def parrot(request: pytest.FixtureRequest) -> Iterator[Parrot]:
    with Parrot(request.param) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("parrot", [400, 403, 500], indirect=True)
def test_a_token_is_sent_in_a_header_and_stands_nowhere_else(parrot: Parrot, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{parrot.server_port}"
    workspace = make_workspace(tmp_path / "workspace", url, "blends")
    add_images(workspace, [picture(1)])
    away = {name: str(tmp_path / name) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    command = ("push", "pull", "status")[[400, 403, 500].index(parrot.status)]
    said = run("polydata", "label", command, workspace=workspace.root, expect=6, **SECRETS, **away)
    assert parrot.sent[0] == f"Token {SECRETS['POLYDATA_LABEL_STUDIO_TOKEN']}"
    assert "Label Studio at" in said.stderr
    assert "localhost" in said.stderr or "127.0.0.1" in said.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert workspace.catalogue in files
    assert MARK not in said.stdout + said.stderr + "".join(parrot.asked)
    assert not [path for path in files if MARK.encode() in path.read_bytes() or MARK in path.name]


def test_what_a_run_says_of_its_machine_holds_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    said = json.dumps(describe_environment("cpu"))
    assert "torch" in said
    assert MARK not in said
    assert not [name for name in SECRETS if name in said]
