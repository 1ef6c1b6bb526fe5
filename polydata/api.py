"""What a program calls first: make a workspace, or open one."""

from __future__ import annotations

from pathlib import Path

from polydata.catalogue.session import Session, open_session
from polydata.workspace import Workspace


def init(folder: Path | str) -> Workspace:
    """Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports.

    Args:
        folder: made if need be; it may hold other files.

    Raises:
        WorkspaceError: if it is a workspace already, or cannot be written.
    """
    workspace = Workspace.init(Path(folder))
    open_session(workspace).close()
    return workspace


def open(folder: Path | str | None = None, read_only: bool = False) -> Session:
    """Open a workspace; leave it with ``close``, or use it as a context manager.

    Args:
        folder: of the workspace; None takes POLYDATA_WORKSPACE, or the first found from here upwards.
        read_only: for those that only look: several of them may be open at once.

    Raises:
        WorkspaceError: if there is no workspace, or its settings cannot be read.
        CatalogueError: if another process holds the catalogue, or it is newer than this program.
    """
    return open_session(None if folder is None else Path(folder), read_only=read_only)
