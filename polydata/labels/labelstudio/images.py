"""How images reach the server: read by it from this machine's disk, or sent to it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from polydata.errors import ServerError, WorkspaceError
from polydata.labels.labelstudio.connection import Server, answering

UPLOAD_FILES = 50
"""Files in one request: more than a hundred make the server fail."""
UPLOAD_BYTES = 50_000_000
_UPLOADED = re.compile(r"[0-9a-f]{64}(?=\.[a-z]+$)")


def local_urls(server: Server, project: int, folder: Path, root: Path, images: Mapping[str, Path]) -> dict[str, str]:
    """Addresses by which the server's page shows files that it reads from disk itself.

    Args:
        folder: holds all the images.
        root: the server's document root, as the server was told it.
        images: file by SHA-256 of the image.

    Raises:
        WorkspaceError: if the folder does not lie below the root.
        ServerError: if the server does not serve this folder, or another one by the same name.
    """
    if not folder.is_relative_to(root.resolve()) or folder == root.resolve():
        raise WorkspaceError(
            f"The images in {folder} do not lie below the document root {root}, so Label Studio cannot show them.",
            'Set document_root under [label_studio] in polydata.toml to a folder above, or images = "upload".',
        )
    below = folder.relative_to(root.resolve())
    hint = (
        "Start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
        f'LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root}, or set images = "upload" under [label_studio].'
    )
    _ensure_storage(server, project, str(root / below), hint)
    urls = {
        sha256: f"/data/local-files/?d={quote((below / path.relative_to(folder)).as_posix())}"
        for sha256, path in images.items()
    }
    if images:
        first = next(iter(images))
        _check_shown(server, urls[first], images[first], hint)
    return urls


def _ensure_storage(server: Server, project: int, path: str, hint: str) -> None:
    """The record that lets members of the project see the files of a folder."""
    with answering(server.url):
        known = {s["path"] for s in server.call("GET", "/api/storages/localfiles", params={"project": project})}
    if path in known:
        return
    try:
        with answering(server.url):
            storage = {"project": project, "title": "polydata images", "path": path, "use_blob_urls": True}
            server.call("POST", "/api/storages/localfiles", json=storage)
    except ServerError as error:
        raise ServerError(error.message, hint if "refused" in error.message else error.hint) from None


def _check_shown(server: Server, url: str, path: Path, hint: str) -> None:
    """One image is fetched as a reviewer's browser would, and compared: a wrong root shows nothing, or other files."""
    with answering(server.url):
        answer = server.http.get(server.url + url)
    expected = hashlib.sha256(path.read_bytes()).digest()
    if answer.status_code != 200 or hashlib.sha256(answer.content).digest() != expected:
        raise ServerError(f"Label Studio at {server.url} cannot show {path} ({answer.status_code}).", hint)


def uploaded_urls(server: Server, project: int, images: Mapping[str, Path]) -> dict[str, str]:
    """Addresses of images that are sent to the server; what an earlier push sent is not sent again."""
    urls = _known_uploads(server, project, "")
    for batch in _batches({sha256: path for sha256, path in images.items() if sha256 not in urls}):
        ids = _upload(server, project, batch)
        urls |= _known_uploads(server, project, str(ids))
    missing = [sha256 for sha256 in images if sha256 not in urls]
    if missing:
        raise ServerError(f"Label Studio at {server.url} did not keep {len(missing)} of the images sent to it.")
    return {sha256: urls[sha256] for sha256 in images}


def _known_uploads(server: Server, project: int, ids: str) -> dict[str, str]:
    """Address by SHA-256 of the uploads with these numbers, of all for an empty text. The server puts
    a few characters before the name it was given."""
    only = {"ids": ids} if ids else {"all": "true"}
    with answering(server.url):
        found = server.call("GET", f"/api/projects/{project}/file-uploads", params=only)
        names = [str(f["file"]) for f in found]
    return {m[0]: f"/data/{name}" for name in names if (m := _UPLOADED.search(name))}


def _batches(images: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    batch: dict[str, Path] = {}
    size = 0
    for sha256, path in images.items():
        length = path.stat().st_size
        if batch and (len(batch) == UPLOAD_FILES or size + length > UPLOAD_BYTES):
            yield batch
            batch, size = {}, 0
        batch[sha256] = path
        size += length
    if batch:
        yield batch


def _upload(server: Server, project: int, batch: Mapping[str, Path]) -> list[int]:
    """Send files without making tasks of them, and give their numbers."""
    with ExitStack() as stack, answering(server.url):
        files = [
            (sha256, (f"{sha256}{path.suffix}", stack.enter_context(path.open("rb")))) for sha256, path in batch.items()
        ]
        path = f"/api/projects/{project}/import"
        answer = server.call("POST", path, params={"commit_to_project": "false"}, files=files)
        return [int(n) for n in answer["file_upload_ids"]]
