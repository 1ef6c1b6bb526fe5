"""What the commands of polymodel share: options, progress, output."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.console.output import fail_in_part, report_problems, stages
from polymodel.config import DeviceName, Members

RunArgument = Annotated[str, Argument(metavar="RUN", help="A run's name in the workspace, or its folder.")]
SplitArgument = Annotated[str, Argument(metavar="SPLIT", help="A split's name in the workspace, or its folder.")]
"""Its parameter is called ``split``, so ``--split SPLIT`` is taken as well (``polydata.console.group``)."""
HumanOption = Annotated[Path | None, Option(metavar="TABLE", help="What people answered: a row an image.")]
RatersOption = Annotated[list[str], Option(metavar="PATTERN", help="The table's columns of people; may be repeated.")]
ArchOption = Annotated[str, Option(help="efficientnet_lite0 to 2, resnet18, vgg16, densenet121, or timm:NAME.")]
WeightsOption = Annotated[str, Option(metavar="imagenet|none|PATH", help="What the network begins with.")]
MeanOption = Annotated[
    str | None, Option(metavar="M[,M,M]", help="Of the input that the weights expect, for grey from 0 to 1.")
]
StdOption = Annotated[str | None, Option(metavar="S[,S,S]", help="Like --mean, the sd per channel.")]
MembersOption = Annotated[
    Members, Option(help="Which models answer on papers that the run knows: all, or those that had not seen them.")
]
DeviceOption = Annotated[DeviceName, Option(help="Where to compute; auto takes the best there is.")]


def usual_output(workspace: Path | None, name: str) -> Path:
    """Where a file goes whose place was not said: among the exports of the workspace.

    Raises:
        WorkspaceError: if there is no workspace, so that the place must be said.
    """
    from polydata.errors import WorkspaceError
    from polydata.workspace import Workspace

    try:
        return Workspace.find(workspace).exports / name
    except WorkspaceError as error:
        raise WorkspaceError(error.message, "Name one with --workspace, or the file to write with --output.") from error


def command_words() -> list[str]:
    """The words to type to go on with this call."""
    return ["polymodel", *(shlex.quote(word) for word in sys.argv[1:])]


def report_failed(failed: Sequence[tuple[str, str]], done: int) -> None:
    """List files that could not be read, each with its reason, and end as a work done in part.

    Raises:
        PartialFailure: if there are any.
    """
    report_problems((f"{path}: {reason}" for path, reason in failed), "Failed")
    fail_in_part(len(failed), f"of {len(failed) + done} images could not be read.", hint="")


progress = partial(stages, in_one=True)
"""A progress bar on standard error; its words change too often for a line each."""
