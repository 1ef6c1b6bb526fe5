"""The one root error of both packages, and what each kind means for the exit status.

Exit codes
    0  everything was done
    1  an error without a code of its own
    2  wrong usage (also what the command line parser itself answers)
    3  done in part: some items failed, and each is listed
    4  no usable workspace
    5  the catalogue cannot be used: held by another process, or newer than this program
    6  a server did not answer as it must
    7  refused: a split or run would not be trustworthy (leak, changed file, other content)
  130  stopped by Ctrl+C
"""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """What an error says, or its kind where it says nothing."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


class PolydataError(Exception):
    """Something a user can act on: what is wrong and where, then the next step to take.

    Args:
        message: what is wrong and where, one sentence.
        hint: the next step to take, one sentence; empty where there is none.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(PolydataError):
    """The command was called in a way that cannot mean anything."""

    exit_code = 2


class PartialFailure(PolydataError):
    """The work was done, but not for every item; the items that failed are listed."""

    exit_code = 3


class InputError(PolydataError):
    """A file that a user brought cannot be read as what it should be."""


class WorkspaceError(PolydataError):
    """There is no workspace here, or its settings cannot be read."""

    exit_code = 4


class CatalogueError(PolydataError):
    """The catalogue is held by another process, newer than this program, or damaged."""

    exit_code = 5


class ServerError(PolydataError):
    """A server (Label Studio) refused, failed or could not be reached."""

    exit_code = 6


class RefusedError(PolydataError):
    """A split or a run that could not be trusted was asked for."""

    exit_code = 7
