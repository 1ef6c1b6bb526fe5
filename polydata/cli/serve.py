"""polydata label serve."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from polydata.cli.label import label_app
from polydata.console.options import WorkspaceOption
from polydata.console.output import next_step
from polydata.errors import ServerError, UsageError

if TYPE_CHECKING:
    from polydata.labels.localserver.installation import Installation
    from polydata.labels.localserver.process import LocalServer
    from polydata.labels.localserver.serving import Login
    from polydata.workspace import Workspace


@label_app.command()
def serve(
    workspace: WorkspaceOption = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Listen here; otherwise as url in polydata.toml says.")
    ] = None,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Give the account another password and show it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Install Label Studio without asking.")] = False,
) -> None:
    """Run a Label Studio server for this workspace until Ctrl+C, on this machine alone; it is installed if missing."""
    from polydata.labels.localserver import serving as local
    from polydata.labels.localserver.installation import Installation, cache_folder
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    if (new_password or local.needs_login(found)) and not sys.stdout.isatty():
        raise UsageError(
            "A password has to be shown, and this output is no terminal.", "Start it in a terminal: nothing keeps it."
        )
    installation = Installation.in_folder(cache_folder())
    _install(installation, yes)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    typer.echo("Starting Label Studio; the first start makes its database, which takes a minute.")
    chosen = port or local.default_port(found)
    try:
        with local.serving(found, installation, chosen, new_password=new_password) as (server, login):
            _introduce(found, server, login)
            ended = server.wait()
    except KeyboardInterrupt:
        typer.echo("Stopped. Its data is kept in the workspace.")
        return
    raise ServerError(f"Label Studio ended by itself with {ended}.", f"See {local.data_folder(found)}/server.log.")


def _install(installation: Installation, yes: bool) -> None:
    """Install what is missing, after saying so."""
    from polydata.labels.localserver.installation import SIZE, VERSION

    if installation.is_complete:
        return
    typer.echo(f"Label Studio {VERSION} is not installed. It gets an environment of its own, {SIZE}, made by pip in")
    typer.echo(f"  {installation.folder}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Nothing was installed, since nobody can be asked here.", "Say --yes to install it.")
        typer.confirm("Install it?", abort=True, default=True)
    typer.echo("Installing; this takes minutes.")
    installation.ensure()


def _introduce(workspace: Workspace, server: LocalServer, login: Login | None) -> None:
    """Say where it is and how to log in."""
    typer.echo(f"Label Studio answers at {server.url} on this machine alone. Stop it with Ctrl+C.")
    if login:
        typer.echo(f"Log in as {login.email} with the password {login.password}")
        if login.token:
            typer.echo(f"For the other commands: export POLYDATA_LABEL_STUDIO_TOKEN={login.token}")
        typer.echo("This is shown once and kept nowhere. --new-password makes another password; the token stands in")
        typer.echo("Account & Settings.")
    if workspace.settings.label_studio.url.rstrip("/") != server.url:
        typer.echo(f'Put this into polydata.toml under [label_studio]: url = "{server.url}"')
    next_step("polydata label setup, in another terminal")
