"""What ``import polymodel`` offers; where a call takes ``progress``, it is told (what is going on, done, all)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polydata.errors import UsageError
from polydata.splits.manifest import Split
from polydata.task import TaskKind
from polydata.types import Progress, quiet
from polydata.workspace import Workspace, task_for
from polymodel.config import DeviceName, Hardware, Members, Precision, Scoring, TrackerName, chosen, train_config
from polymodel.data.split import check_images, load_split
from polymodel.evaluation.scores import Scores, table_of
from polymodel.kinds.asked import kind_name
from polymodel.recipes import Finetune, Probe
from polymodel.runs import run as folders

if TYPE_CHECKING:
    import pandas as pd

    from polymodel.evaluation.compare import Board
    from polymodel.evaluation.people import HumanTable
    from polymodel.prediction.explain import Explanations
    from polymodel.prediction.onnx import Exported, OnnxModel
    from polymodel.prediction.predict import Images, Predictions
    from polymodel.prediction.series import Series
    from polymodel.training.train import Trained

RATERS = ("R*",)
AnyRun = folders.Run | str | Path
"""A run, its name in the workspace, or its folder."""
AnySplit = Split | str | Path
"""A split, its name in the workspace, or its folder."""


@dataclass(frozen=True, repr=False)
class Run(folders.Run):
    """A run read from its folder.

    Attributes:
        folder: where it lies.
        record: all of run.json.
        trained: what ``fit`` did; None for a run that was opened.
    """

    trained: Trained | None = None

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics on the test side, as of ``score``; what was evaluated earlier is not computed again."""
        return table_of(self.evaluate(controls=False).rows["model"])

    def evaluate(
        self,
        *,
        controls: bool = True,
        against: AnyRun | None = None,
        scoring: Scoring | str | None = None,
        across: AnySplit | None = None,
        human: Path | None = None,
        images: str | None = None,
        raters: Sequence[str] = RATERS,
        workspace: Path | None = None,
        progress: Progress = quiet,
    ) -> Scores:
        """Score the run on its test side, beside models that see no micrograph, and note it in its folder.

        Args:
            controls: also fit the control models, which needs the images; the majority needs none.
            against: another run, to compare on the images that both tested.
            scoring: of that comparison, ``per-part``, ``pooled`` or ``ensemble``; by default the usual for the split.
            across: another split, on whose test images the run is scored too, by models that had not seen them.
            human: with ``across``, a table of what people answered.
            images: its column of images (SHA-256 or name).
            raters: shell patterns of the table's columns of people.
            workspace: of the other run and split and of the task; by default the first found from here upwards.

        Returns:
            ``rows``: ``model``, ``ensemble``, ``majority``, each control; ``facts`` as evaluation.json and ``against``.

        Raises:
            RefusedError: if a run is not finished.
            UsageError: if nothing is in common, runs are scored in other ways, or options of people lack each other.
            InputError: if predictions, images or the table cannot be read.
        """
        from polymodel.evaluation import metrics, slices
        from polymodel.evaluation.compare import compare_pair
        from polymodel.evaluation.evaluate import evaluate

        if (human is None) != (images is None) or (human is not None and across is None):
            raise UsageError("--human, --images and --across go together.", "--images names the column of images.")
        if human is not None and kind_name(self.split) is TaskKind.REGRESSION:
            raise UsageError(f"{self.name} says numbers, and --human holds labels.", "Leave --human out.")
        beside = {}
        if against is not None:
            how = (scoring and chosen(Scoring, scoring, "--scoring")) or None
            beside["against"] = compare_pair(self, _run(against, workspace), how)
        if across is not None:
            votes = _people(human, raters, self, workspace).votes(images) if human and images else None
            beside["across"] = slices.across(self, _split(across, workspace), votes)
        facts = evaluate(self, controls, progress) | beside
        return Scores(facts, metrics.rows(facts))

    def predict(
        self,
        images: Images,
        *,
        device: DeviceName | str = DeviceName.AUTO,
        members: Members | str = Members.ALL,
        progress: Progress = quiet,
    ) -> Predictions:
        """Labels of images; see ``polymodel.predict``."""
        return predict(self, images, device=device, members=members, progress=progress)

    def explain(
        self,
        images: Images,
        *,
        device: DeviceName | str = DeviceName.AUTO,
        members: Members | str = Members.UNSEEN,
        progress: Progress = quiet,
    ) -> Explanations:
        """What the run says of images, what of each picture speaks for it, and the training images that are nearest.

        Args:
            images: as of ``polymodel.predict``.
            device: where to compute; some seventy times the time of a prediction.
            members: ``unseen`` has papers that the run knows answered by parts that saw no image of them.

        Returns:
            ``done``, one for each image with its prediction, map, print and nearest images; ``facts()`` for JSON.

        Raises:
            RefusedError: if the run is not finished, or its network is not the one that it was trained with.
            InputError: if a path does not exist, or the run cannot be read.
            UsageError: if the device is not there, or something is no image.
        """
        from polymodel.prediction.explain import explain

        where, who = chosen(DeviceName, device, "--device"), chosen(Members, members, "--members")
        return explain(self, images, device=where, members=who, progress=progress)

    def series(
        self,
        table: str | Path,
        by: str,
        series: str | None = None,
        label: str | None = None,
        *,
        device: DeviceName | str = DeviceName.AUTO,
        members: Members | str = Members.UNSEEN,
        progress: Progress = quiet,
    ) -> Series:
        """What the run says of images in the order of column ``by``; arguments as of ``prediction.series.series``."""
        from polymodel.prediction import series as ordered

        where, who = chosen(DeviceName, device, "--device"), chosen(Members, members, "--members")
        return ordered.series(self, Path(table), by, series, label, device=where, members=who, progress=progress)

    def report(self, output: str | Path, *, progress: Progress = quiet) -> Path:
        """Write one self-contained HTML page about the run; see ``polymodel.write_report``."""
        return write_report([self], output, progress=progress)

    def export(self, output: str | Path, *, progress: Progress = quiet) -> Exported:
        """Write the run as one ONNX file that answers as ``predict`` does, checked against it.

        Args:
            output: a .onnx file; a .json file beside it says the same of the run as the file itself.

        Raises:
            UsageError: if packages are missing or the file is no .onnx.
            RefusedError: if the run is not finished, or the file does not answer as the run does.
            InputError: if the run cannot be expressed in ONNX, or the file cannot be written.
        """
        from polymodel.prediction.onnx import export

        return export(self, Path(output), progress)


def open_run(name_or_path: str | Path, workspace: Path | None = None) -> Run:
    """A run by its name in the workspace, or by its folder.

    Args:
        name_or_path: a name below the workspace's runs/, or a folder that holds run.json.
        workspace: the workspace's folder; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Raises:
        InputError: if there is no such run.
        WorkspaceError: if a name was given and no workspace is found.
    """
    found = folders.open_run(name_or_path, workspace)
    return Run(found.folder, found.record)


def _run(given: AnyRun, workspace: Path | None) -> folders.Run:
    return given if isinstance(given, folders.Run) else open_run(given, workspace)


def _split(given: AnySplit, workspace: Path | None) -> Split:
    return given if isinstance(given, Split) else load_split(given, workspace)


def _people(path: Path, raters: Sequence[str], labelled: Run | Split, workspace: Path | None) -> HumanTable:
    from polymodel.evaluation.people import HumanTable

    return HumanTable(path, raters, labelled.classes, labelled.positive, task_for(workspace))


def fit(
    split: AnySplit,
    method: Probe | Finetune | None = None,
    *,
    seeds: int | Sequence[int] = 1,
    name: str | None = None,
    device: DeviceName | str = DeviceName.AUTO,
    devices: int = 1,
    precision: Precision | str = Precision.FP32,
    compiled: bool = False,
    tracker: TrackerName | str = TrackerName.TENSORBOARD,
    checkpoint_seconds: float = 30.0,
    workspace: Path | None = None,
    command: Sequence[str] = (),
    progress: Progress = quiet,
) -> Run:
    """Train a model for each fold and seed of a split into a run folder; called again, go on where it was broken off.

    Generators of random numbers and torch's deterministic mode are afterwards what they were before.

    Args:
        split: from ``load_split``, or what that takes.
        method: ``Probe()``, the default, or ``Finetune(...)``.
        seeds: all of them, or how many from 0; one model is trained for each, on each fold.
        name: of the run; by default made of the settings and their digest: the same call, the same run.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        devices: processes that share each batch, one a device.
        precision: of the arithmetic in training, ``fp32``, ``bf16`` or ``fp16``; results are always fp32.
        compiled: hand the network to ``torch.compile`` for training.
        tracker: told of every epoch beside metrics.csv: ``tensorboard``, ``mlflow`` or ``none``.
        checkpoint_seconds: at least so many between two checkpoints of a loop.
        workspace: whose runs/ the run goes to; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.
        command: the words with which the user can go on after a break, kept in run.json.
        progress: told of what is going on.

    Returns:
        The finished run, a leaky split marked in it. Under torchrun only the first process's says what was trained.

    Raises:
        RefusedError: if an image of the split was changed, another process trains the run, or its name means another.
        InputError: if weights do not fit, or an image cannot be read.
        UsageError: if a setting, the device, the architecture or the name cannot be used.
        WorkspaceError: if no workspace is found.
    """
    from polymodel.training.train import train

    where = chosen(DeviceName, device, "--device")
    trained = train(
        _split(split, workspace),
        train_config(method or Probe(), seeds),
        Workspace.find(workspace).runs,
        name=name,
        hardware=Hardware(where, devices, chosen(Precision, precision, "--precision"), compiled),
        tracker=chosen(TrackerName, tracker, "--track"),
        checkpoint_seconds=checkpoint_seconds,
        command=command,
        progress=progress,
    )
    return Run(trained.run.folder, trained.run.record, trained if trained.is_first else None)


def predict(
    model: AnyRun | OnnxModel,
    images: Images,
    *,
    device: DeviceName | str = DeviceName.AUTO,
    crops: bool | None = None,
    members: Members | str = Members.ALL,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> Predictions:
    """Labels of images, by all parts of a finished run together: their logits are averaged (``Scoring.ENSEMBLE``).

    Args:
        model: a run, its name or folder, or a .onnx file that ``Run.export`` wrote.
        images: one or several: paths of image files, of folders of them and of workspaces, PIL pictures, or
            arrays: uint8 of shape (height, width) or (height, width, 3 or 4), or uint16 of shape (height, width).
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is; a .onnx file is asked on the processor.
        crops: look whether images are crops of what a run was trained on, which reads all; None where there are few.
        members: ``unseen`` has papers that the run knows answered by those parts that saw no image of them; else all.
        workspace: of a run's name; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Returns:
        ``done``, one for each image, also as a data frame ``table``, and ``failed``, files that cannot be read.

    Raises:
        RefusedError: if the run is not finished, or its network is not the one that it was trained with.
        InputError: if a path does not exist, or the model cannot be read.
        UsageError: if the device is not there, or something is no image.
    """
    from polymodel.prediction import predict as prediction

    opened = prediction.open_model(str(model), workspace) if isinstance(model, str | Path) else model
    where, who = chosen(DeviceName, device, "--device"), chosen(Members, members, "--members")
    return prediction.predict(opened, images, where, progress, crops, members=who)


def write_report(
    runs: Sequence[AnyRun],
    output: str | Path,
    *,
    published: Path | None = None,
    training_log: Path | None = None,
    series: Sequence[Path] = (),
    trials: Path | None = None,
    explained: int = 0,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> Path:
    """Write one self-contained HTML page about runs; those that were never evaluated are.

    Args:
        runs: finished, their names or folders, in the order in which they are shown.
        output: the HTML file.
        published: a table of printed results to set beside: model, test_accuracy_pct and so on.
        training_log: a table of printed trainings to draw: model, epoch, test_accuracy_pct and so on.
        series: tables that ``polymodel series`` wrote, drawn.
        trials: a table of trials to draw: trial, metric, value, low, high; the others are held against the first.
        explained: so many mistakes of each run, the surest first, are explained (``Run.explain``), which takes time.
        workspace: of names of runs.

    Raises:
        RefusedError: if a run is not finished.
        InputError: if predictions, images or tables cannot be read, or the file cannot be written.
    """
    from polymodel.report import report

    opened = [_run(r, workspace) for r in runs]
    told = {"published": published, "training_log": training_log, "trials": trials}
    return report.write_report(opened, Path(output), progress, **told, series=series, explained=explained)


def compare(runs: Sequence[AnyRun] = (), *, workspace: Path | None = None, progress: Progress = quiet) -> Board:
    """Set runs side by side, split by split; of runs that are named, also the first against each other one.

    Args:
        runs: their names or folders; all of the workspace where there is none.
        workspace: otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Returns:
        ``rows``, also as a data frame ``table``; ``differences`` on the test images that two runs share, with a paired
        bootstrap over papers and McNemar's exact test; ``problems``, what was left out.

    Raises:
        InputError: if there is no such run.
    """
    from polymodel.evaluation.compare import leaderboard

    found, unreadable = ([_run(run, workspace) for run in runs], []) if runs else folders.list_runs(workspace)
    board = leaderboard(found, pairs=bool(runs), progress=progress)
    return dataclasses.replace(board, problems=(*unreadable, *board.problems))


def baselines(
    split: AnySplit,
    *,
    embeddings: Path | None = None,
    human: Path | None = None,
    truth: str | None = None,
    raters: Sequence[str] = RATERS,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> Scores:
    """Score what needs no trained network on a split's test sides: controls that see no picture, Sobel, textures.

    Args:
        split: from ``load_split``, or what that takes.
        embeddings: a Parquet file of ``polymodel embed`` for the nearest neighbour; textures where None.
        human: a table of what people answered, a row an image, a column a rater.
        truth: its column of true answers.
        raters: shell patterns of its columns of people.
        workspace: into whose runs/baselines/ the results are written.

    Raises:
        UsageError: if ``human`` and ``truth`` do not come together, or the split is one of numbers.
        RefusedError: if an image of the split was changed.
        InputError: if an image, the embeddings or the table cannot be read.
    """
    from polymodel.evaluation.baselines import run_baselines

    if (human is None) != (truth is None):
        raise UsageError("--human and --truth go together.", "Name the table and its column with the true answers.")
    opened = _split(split, workspace)
    check_images(opened)
    people = _people(human, raters, opened, workspace).scores(truth) if human and truth else None
    facts = run_baselines(opened, Workspace.find(workspace).runs, embeddings, people, progress)
    return Scores(facts, {name: row["metrics"] for name, row in facts["rows"].items()})
