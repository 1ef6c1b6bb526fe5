from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import run
from label_studio_server import LabelStudioServer, start_server
from review_scene import Api, add_images, in_the_catalogue, make_workspace, picture

from polydata.catalogue.session import open_session
from polydata.errors import PolydataError, ServerError, WorkspaceError
from polydata.labels.labelstudio import tasks as server_tasks
from polydata.labels.labelstudio.connection import checked_url, connect, find_token
from polydata.labels.projects import status
from polydata.labels.pull import pull
from polydata.labels.push import push
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
SECRET = "5ec4e7" * 6 + "aaaa"
VARIABLES = ("POLYDATA_LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def fails(url: str, monkeypatch: pytest.MonkeyPatch, token: str = SECRET) -> PolydataError:
    monkeypatch.setenv(VARIABLES[0], token)
    with pytest.raises(ServerError) as caught:
        connect(url)
    assert caught.value.hint
    assert token.strip() not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("url", ["", "label.example.org", "ftp://example.org", "http://", "http://[", "http://x:99999"])
def test_an_address_that_cannot_be_one(url: str) -> None:
    with pytest.raises(WorkspaceError, match="not an http or https address"):
        checked_url(url)


@pytest.mark.parametrize("url", ["http://me:pass@example.org", "https://example.org/?token=abc", "http://a#b"])
def test_an_address_that_holds_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(WorkspaceError, match="more than an address") as caught:
        checked_url(url)
    assert url not in str(caught.value)


def test_no_token() -> None:
    with pytest.raises(ServerError, match="no token") as caught:
        find_token("https://labels.example.org")
    assert VARIABLES[0] in caught.value.hint


def test_the_server_comes_before_the_token() -> None:
    with pytest.raises(ServerError, match="No Label Studio answers") as caught:
        find_token("http://127.0.0.1:9")
    assert "polydata label serve" in caught.value.hint


@pytest.mark.parametrize("token", ["abc\ndef", "tök", "a b"])
def test_a_token_that_cannot_be_one(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "characters" in fails("http://127.0.0.1:9", monkeypatch, token).message


def test_our_own_variable_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[1], "b")
    assert find_token("http://127.0.0.1:8080") == "b"
    monkeypatch.setenv(VARIABLES[0], " a\n")
    assert find_token("http://127.0.0.1:8080") == "a"


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No Label Studio answers" in fails("http://127.0.0.1:9", monkeypatch).message


@contextmanager
def something_else(body: bytes, status: int, kind: str) -> Iterator[str]:
    """A web server that is not Label Studio."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>hello</html>", 200, "text/html"),
        (b"[]", 200, "application/json"),
        (b'{"release": 7}', 200, "application/json"),
        (b"null", 200, "application/json"),
        (b"<html>moved</html>", 302, "text/html"),
    ],
)
def test_another_program_answers(body: bytes, status: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with something_else(body, status, kind) as url:
        assert "is not Label Studio" in fails(url, monkeypatch).message


def test_what_a_server_says_is_cut_and_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    with something_else(b'{"detail": "' + rb"\u001b[31mbad " * 1000 + b'"}', 500, "application/json") as url:
        message = fails(url, monkeypatch).message
        assert "\x1b" not in message
        assert len(message) < 500


@pytest.fixture
def place(label_studio: LabelStudioServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the server can serve; the token is set."""
    monkeypatch.setenv(VARIABLES[0], label_studio.token)
    return label_studio.document_root / tmp_path.name


def workspace_in(folder: Path, server: LabelStudioServer, project: str, **settings: str) -> Workspace:
    workspace = make_workspace(folder, server.url, project, **{"document_root": str(server.document_root)} | settings)
    add_images(workspace, [picture(n) for n in range(10)])
    return workspace


@pytest.mark.labelstudio
@pytest.mark.slow
class TestOnAServer:
    def test_a_wrong_token(self, label_studio: LabelStudioServer, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "does not accept the token" in fails(label_studio.url, monkeypatch).message

    def test_a_personal_access_token(self, label_studio: LabelStudioServer, monkeypatch: pytest.MonkeyPatch) -> None:
        api = Api(label_studio)
        api.call("POST", "/api/jwt/settings", json={"api_tokens_enabled": True, "legacy_api_tokens_enabled": True})
        token = api.call("POST", "/api/token/", 201)["token"]
        monkeypatch.setenv(VARIABLES[0], token)
        server = connect(label_studio.url)
        assert server.call("GET", "/api/projects")["results"] is not None
        assert server.http.auth is not None
        server.http.auth._header = "Bearer expired"  # after some minutes
        assert server.call("GET", "/api/current-user/whoami")["email"] == "first@example.org"
        assert "does not accept the token" in fails(label_studio.url, monkeypatch, token[:-3] + "abc").message

    def test_the_command_says_so_without_the_token(self, label_studio: LabelStudioServer, place: Path) -> None:
        workspace = workspace_in(place, label_studio, "wrong token")
        for command in ("push", "pull", "status"):
            said = run("polydata", "label", command, workspace=place, expect=6, POLYDATA_LABEL_STUDIO_TOKEN=SECRET)
            assert "does not accept the token" in said.stderr
            assert SECRET not in said.stderr + said.stdout
        assert not any(SECRET.encode() in f.read_bytes() for f in workspace.root.rglob("*") if f.is_file())

    def test_pull_before_push(self, label_studio: LabelStudioServer, place: Path) -> None:
        workspace = workspace_in(place, label_studio, "never pushed")
        with open_session(workspace) as session:
            with pytest.raises(ServerError, match="has no project 'never pushed'"):
                pull(session)
            assert status(session).projects[0]["tasks"] is None

    def test_a_project_that_asks_something_else(self, label_studio: LabelStudioServer, place: Path) -> None:
        workspace = workspace_in(place, label_studio, "of others")
        page = '<View><Image name="image" value="$image"/>{}</View>'
        other = '<Choices name="answer" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices>'
        api = Api(label_studio)
        made = api.call("POST", "/api/projects", 201, json={"title": "of others", "label_config": page.format(other)})
        with open_session(workspace) as session:
            with pytest.raises(ServerError, match=f"has no choice {TASK.labels[0]}"):
                push(session)
            lines = '<Labels name="answer" toName="image"><Label value="cat"/></Labels>'.replace(
                "Labels", "RectangleLabels"
            )
            api.call("PATCH", f"/api/projects/{made['id']}", json={"label_config": page.format(lines)})
            with pytest.raises(ServerError, match="does not ask for choices"):
                push(session)
            api.call("POST", "/api/projects", 201, json={"title": "of others", "label_config": page.format(other)})
            with pytest.raises(ServerError, match="has 2 projects named 'of others'"):
                push(session)

    @pytest.mark.parametrize("name", ["ab", "n" * 51])
    def test_a_name_that_the_server_would_not_take(
        self, label_studio: LabelStudioServer, place: Path, name: str
    ) -> None:
        workspace = workspace_in(place, label_studio, name)
        with open_session(workspace) as session, pytest.raises(WorkspaceError, match="3 to 50 characters"):
            push(session)

    def test_images_that_the_server_cannot_reach(
        self, label_studio: LabelStudioServer, place: Path, tmp_path: Path
    ) -> None:
        beside = workspace_in(tmp_path / "w", label_studio, "beside the root", document_root=str(place))
        with open_session(beside) as session, pytest.raises(WorkspaceError, match="do not lie below"):
            push(session)
        elsewhere = workspace_in(tmp_path / "v", label_studio, "another root", document_root="")
        with open_session(elsewhere) as session, pytest.raises(ServerError, match="refused") as caught:
            push(session)
        assert "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT" in caught.value.hint
        shifted = workspace_in(place / "deep" / "w", label_studio, "root one too low", document_root="")
        with open_session(shifted) as session, pytest.raises(ServerError, match="cannot show") as caught:
            push(session)
        assert Api(label_studio).tasks("root one too low") == {}

    def test_a_stored_image_that_is_gone(self, label_studio: LabelStudioServer, place: Path) -> None:
        workspace = workspace_in(place, label_studio, "image gone")
        next(workspace.store.rglob("*.png")).unlink()
        with open_session(workspace) as session:
            done = push(session)
        assert done.created == 9
        assert len(done.problems) == 1

    def test_a_server_that_goes_away(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server = start_server(tmp_path)
        try:
            monkeypatch.setenv(VARIABLES[0], server.token)
            monkeypatch.setattr(server_tasks, "BATCH", 4)
            workspace = workspace_in(server.document_root / "w", server, "goes away")

            def stop_after_one_batch(_step: str, done: int, _total: int | None) -> None:
                if done:
                    server.stop()

            with open_session(workspace) as session:
                with pytest.raises(ServerError) as caught:
                    push(session, progress=stop_after_one_batch)
                assert "run this command again" in caught.value.hint
                server.start()
                assert push(session).created == 6
                api = Api(server)
                for task in api.tasks("goes away").values():
                    api.answer(task, TASK.positive)
                monkeypatch.setattr(server_tasks, "PAGE", 4)
                before = session.catalogue.fingerprint()
                with pytest.raises(ServerError):
                    pull(session, progress=stop_after_one_batch)
                assert session.catalogue.fingerprint() == before
                server.start()
                assert pull(session).new == 10
                assert len(in_the_catalogue(session.catalogue)) == 10
        finally:
            server.stop()
