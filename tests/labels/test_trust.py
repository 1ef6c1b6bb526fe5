"""The token of the environment goes where the user said, and nowhere else, whatever a found polydata.toml names."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from commands import BIN, run, run_json
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from review_scene import make_workspace

from polydata.errors import ServerError, WorkspaceError
from polydata.labels.labelstudio.connection import checked_url, connect, find_token
from polydata.labels.labelstudio.trust import URL_VARIABLE, config_folder, is_loopback, is_trusted, same_server, trust

SECRET = "5ec4e7" * 6 + "aaaa"
OWN, OTHER = "https://label.example.org", "https://evil.example.org"
HOSTS = st.sampled_from(
    ["label.example.org", "127.0.0.1.evil.org", "localhost.evil.org", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]",
     "10.0.0.1", "0.0.0.0", "127.1", "2130706433", "label.example.org.", "xn--1ca.org"]
)  # fmt: skip
ADDRESSES = st.one_of(
    st.text(max_size=40),
    st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https", "HTTPS"]), HOSTS,
              st.sampled_from(["", ":8080", ":443", ":80"]), st.sampled_from(["", "/", "/ls", "/127.0.0.1"])),
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", SECRET)
    monkeypatch.delenv(URL_VARIABLE, raising=False)


@given(ADDRESSES)
@example("http://127.0.0.1@evil.org")
@example("https://label.example.org:444")
@example("https://label.example.org/..")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_this_machine_and_what_was_confirmed_get_it(address: str) -> None:
    trust(OWN)
    try:
        url = checked_url(address)
    except WorkspaceError:
        return
    if is_trusted(url):
        assert find_token(url) == SECRET
        assert is_loopback(url) or same_server(url) == same_server(OWN)
    else:
        with pytest.raises(ServerError) as caught:
            find_token(url)
        assert SECRET not in str(caught.value)
        assert "polydata label trust" in caught.value.hint


def test_the_address_beside_the_token_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"{OWN}:443/")
    assert find_token(OWN) == SECRET
    for other in (OTHER, f"{OWN}:444", "http://label.example.org"):
        with pytest.raises(ServerError, match="was not sent"):
            find_token(other)
    monkeypatch.setenv(URL_VARIABLE, "http://[")  # of no use
    assert not is_trusted(OWN)


def test_plain_http_to_another_machine_is_refused_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://192.0.2.1")
    with pytest.raises(WorkspaceError, match="plain http") as caught:
        connect("http://192.0.2.1")
    assert "plain_http" in caught.value.hint
    monkeypatch.delenv(URL_VARIABLE)
    with pytest.raises(ServerError, match="was not sent"):  # told, but still not confirmed
        connect("http://192.0.2.1", plain_http=True)


def test_a_found_workspace_cannot_send_it_away(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", OTHER, "p").root
    told = {"POLYDATA_LABEL_STUDIO_TOKEN": SECRET, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    for command in ("setup", "push", "pull", "status"):
        said = run("polydata", "label", command, workspace=folder, expect=6 if command != "push" else 2, **told)
        assert command == "push" or f"polydata label trust {OTHER}" in said.stderr
    assert not config_folder().exists()
    run("polydata", "label", "trust", OTHER, **told)
    assert (config_folder() / "label-studio-servers.txt").read_text() == f"{OTHER}:443\n"
    assert is_trusted(OTHER)
    assert not is_trusted(OWN)
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(b"evil" in p.read_bytes() for p in written if p.name != "polydata.toml")


def test_the_command_says_where_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_json("polydata", "label", "trust", OWN)["url"] == OWN
    run("polydata", "label", "trust", "http://me:secret@a.org", expect=4)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_person_is_asked_once(answer: str, tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "w", "https://192.0.2.1:9", "p").root
    own, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LABEL_STUDIO_")}
    command = [BIN / "polydata", "label", "status", "--workspace", folder]
    os.write(own, f"{answer}\n".encode())
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9"}  # nothing leaves this machine
    done = subprocess.run(
        command, env=environment, stdin=theirs, capture_output=True, text=True, check=False, timeout=90
    )
    os.close(own)
    os.close(theirs)
    assert "names the server https://192.0.2.1:9" in done.stderr
    assert (is_trusted("https://192.0.2.1:9"), done.returncode) == ((True, 6) if answer == "y" else (False, 1))
