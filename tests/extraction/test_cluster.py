"""A real scheduler and real workers: what a cluster gives is what this machine alone gives."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run, run_json
from dask_cluster import Cluster, dask_cluster
from make_pdf import below, encrypted
from pdf_bombs import slow_pdf
from typer.testing import CliRunner

from polydata.cli import app
from polydata.errors import ServerError
from polydata.extraction.cluster import can_write, extract_on_cluster
from polydata.images.picture import ImageStore
from polydata.types import Failure, Paper
from polydata.workspace import ExtractSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    run("polydata", "demo-corpus", folder / "c", "--papers", 4, "--seed", 3)
    encrypted(folder / "c/papers/locked.pdf", user_password="secret")
    (folder / "c/papers/empty.pdf").write_bytes(b"")
    slow_pdf(folder / "c/papers/slow.pdf")
    return folder / "c/papers"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def workspace_of(place: Path, settings: str) -> Path:
    run("polydata", "init", place)
    (place / "polydata.toml").write_text(settings)
    return place


def stored(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*") if p.is_file()}


def test_the_catalogue_is_that_of_a_local_run(papers: Path, tmp_path: Path, cluster: Cluster) -> None:
    settings = "[extract]\nseconds_per_file = 4\nmemory_mb = 8192\n"
    here = workspace_of(tmp_path / "here", settings)
    there = workspace_of(tmp_path / "there", settings)
    bucket = workspace_of(tmp_path / "bucket", f'{settings}[store]\nurl = "file://{tmp_path}/images"\n')
    results = [
        run_json("polydata", "extract", papers, *words, workspace=place, expect=3)
        for place, words in ((here, ()), (there, ("--cluster", cluster.file)), (bucket, ("--cluster", cluster.file)))
    ]
    reasons = [{(Path(f["path"]).name, f["reason"]) for f in one["failed"]} for one in results]
    assert reasons[0] == {("locked.pdf", "encrypted"), ("empty.pdf", "broken"), ("slow.pdf", "too-slow")}
    assert reasons[0] == reasons[1] == reasons[2]
    assert results[0]["papers"] == 4
    prints = {run_json("polydata", "status", workspace=place)["fingerprint"] for place in (here, there, bucket)}
    assert len(prints) == 1
    assert stored(here / "store") == stored(there / "store") == stored(tmp_path / "images")
    assert not stored(bucket / "store")


def outcomes(
    paths: list[Path], store: ImageStore, cluster: Cluster, seconds_per_file: float = 60.0
) -> dict[str, Paper | Failure]:
    settings = ExtractSettings(seconds_per_file=seconds_per_file, memory_mb=4096)
    done = extract_on_cluster(paths, store, settings, cluster=str(cluster.file))
    return {path.name: result for path, result in done}


def test_bytes_are_sent_where_the_workers_do_not_see_the_file(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "only here\n.pdf"
    below(hidden)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4")
    monkeypatch.chdir(tmp_path)  # relative paths mean nothing to the workers, which run elsewhere
    paths = [Path(hidden.name), Path(broken.name)]
    results = outcomes(paths, ImageStore(tmp_path / "store"), cluster)
    paper, failure = results[hidden.name], results[broken.name]
    assert isinstance(paper, Paper) and paper.file_name == "only here_.pdf" and len(paper.figures) == 2
    assert isinstance(failure, Failure) and failure.reason == "broken"
    assert failure.path == "broken.pdf" and "/tmp" not in failure.detail


def test_a_store_that_a_worker_does_not_share_is_told(tmp_path: Path) -> None:
    (tmp_path / "probe").touch()
    assert can_write(str(tmp_path), "probe")
    assert not can_write(str(tmp_path), "other")
    assert not can_write("/nowhere", "probe")


def test_a_lost_worker_gives_its_file_to_another(tmp_path: Path) -> None:
    slow, good = tmp_path / "slow.pdf", tmp_path / "good.pdf"
    slow_pdf(slow)
    below(good)
    with dask_cluster(tmp_path / "cluster", workers=1) as cluster:
        first = cluster.processes[-1]

        def lose_the_first() -> None:
            cluster.wait_until_busy()
            cluster.worker()
            time.sleep(3)
            cluster.kill(first)

        thread = threading.Thread(target=lose_the_first)
        thread.start()
        results = outcomes([slow, good], ImageStore(tmp_path / "store"), cluster, seconds_per_file=8.0)
        thread.join()
    assert isinstance(results["good.pdf"], Paper)
    assert isinstance(results["slow.pdf"], Failure) and results["slow.pdf"].reason == "too-slow"


def test_a_file_whose_workers_are_lost_has_failed(tmp_path: Path) -> None:
    slow = tmp_path / "slow.pdf"
    slow_pdf(slow)
    with dask_cluster(tmp_path / "cluster", workers=0) as cluster:
        cluster.worker("--no-nanny")
        done = threading.Event()

        def lose_each() -> None:
            while not done.wait(1):
                lost = cluster.processes[-1]
                cluster.wait_until_busy()
                cluster.worker("--no-nanny")
                time.sleep(3)
                cluster.kill(lost)

        thread = threading.Thread(target=lose_each)
        thread.start()
        try:
            results = outcomes([slow], ImageStore(tmp_path / "store"), cluster, seconds_per_file=120.0)
        finally:
            done.set()
            thread.join()
    failure = results["slow.pdf"]
    assert isinstance(failure, Failure) and failure.reason == "broken" and "were lost" in failure.detail


def test_a_lost_scheduler_ends_the_run_with_a_message(tmp_path: Path) -> None:
    slow = tmp_path / "slow.pdf"
    slow_pdf(slow)
    with dask_cluster(tmp_path / "cluster", workers=1) as cluster:

        def lose_the_scheduler() -> None:
            cluster.wait_until_busy()
            cluster.kill(cluster.scheduler)

        thread = threading.Thread(target=lose_the_scheduler)
        thread.start()
        with pytest.raises(ServerError, match="scheduler has gone"):
            outcomes([slow], ImageStore(tmp_path / "store"), cluster, seconds_per_file=120.0)
        thread.join()


def test_no_scheduler_is_an_error_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polydata.extraction.cluster.ANSWER_S", 1.0)
    path = tmp_path / "one.pdf"
    below(path)
    place = workspace_of(tmp_path / "w", "")
    words = ["extract", str(path), "--cluster", "tcp://127.0.0.1:9", "--workspace", str(place)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 6 and "dask scheduler" in said.stderr


def test_workers_leave_no_process_behind(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.pdf" for index in range(2)]
    for path in paths:
        below(path)
    with dask_cluster(tmp_path / "cluster", workers=1) as cluster:
        outcomes(paths, ImageStore(tmp_path / "store"), cluster)
        group = cluster.processes[-1].pid
        limit = time.monotonic() + 20
        while len(members := _group(group)) > 3 and time.monotonic() < limit:
            time.sleep(0.5)
    assert len(members) <= 3, members  # the nanny, the worker, multiprocessing's resource tracker


def _group(pid: int) -> list[str]:
    ps = shutil.which("ps")
    assert ps
    said = subprocess.run([ps, "-o", "pid=,args=", "-g", str(pid)], capture_output=True, text=True, check=False)
    return said.stdout.splitlines()
