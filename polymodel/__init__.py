"""polymodel: transfer learning on a split that polydata built, and its honest evaluation.

For a training loop of one's own::

    import polymodel
    from polymodel.data import SplitDataset

    split = polymodel.load_split("v1")
    fold = split.folds[0]
    train, test = SplitDataset(split, fold.train), SplitDataset(split, fold.test)
    picture, target = train[0]      # a PIL image in RGB, and the index of its label in split.classes

``SplitDataset(..., transform=f)`` hands out ``f(picture)``; it is a map-style data set, so
``torch.utils.data.DataLoader`` takes it as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polydata.splits.manifest import Split

__all__ = ["load_split"]


def load_split(name_or_path: str | Path, workspace: Path | None = None) -> Split:
    """Read a split by its name in the workspace, or from its folder.

    Args:
        name_or_path: a name below the workspace's splits/, or a folder that holds split.json.
        workspace: the workspace's folder; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Raises:
        InputError: if there is no such split.
        RefusedError: if a list of it was changed since it was built.
        WorkspaceError: if a name was given and no workspace is found.
    """
    from polymodel.data.split import open_split

    return open_split(name_or_path, workspace)
