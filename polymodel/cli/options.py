"""What the commands of polymodel share: options, progress, output."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from polydata.console.output import stages
from polymodel.config import DeviceName

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's name in the workspace, or its folder.")]
SplitOption = Annotated[
    str, typer.Option("--split", metavar="NAME", help="A split's name in the workspace, or its folder.")
]
HumanOption = Annotated[
    Path | None, typer.Option("--human", metavar="TABLE", help="What people answered: a row an image.")
]
RatersOption = Annotated[
    list[str], typer.Option("--raters", metavar="PATTERN", help="The table's columns of people; may be repeated.")
]
ArchOption = Annotated[
    str, typer.Option("--arch", help="efficientnet_lite0 to 2, resnet18, vgg16, densenet121, or timm:NAME.")
]
WeightsOption = Annotated[
    str, typer.Option("--weights", metavar="imagenet|none|PATH", help="What the network begins with.")
]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", metavar="M[,M,M]", help="Of the input that the weights expect, for grey from 0 to 1."),
]
StdOption = Annotated[str | None, typer.Option("--std", metavar="S[,S,S]", help="Like --mean, the sd per channel.")]
DeviceOption = Annotated[DeviceName, typer.Option("--device", help="Where to compute; auto takes the best there is.")]


def command_words() -> list[str]:
    """The words to type to go on with this call."""
    return ["polymodel", *(shlex.quote(word) for word in sys.argv[1:])]


progress = partial(stages, in_one=True)
"""A progress bar on standard error; its words change too often for a line each."""
