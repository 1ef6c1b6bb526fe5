"""A run as one ONNX file that answers as ``polymodel predict`` does: written and checked, read and run."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from polydata.errors import InputError, RefusedError, UsageError
from polydata.files.atomic import check_output, replacing
from polydata.images.picture import open_picture
from polydata.images.transforms import MAX_ASPECT
from polydata.resources import VERSION, install_hint
from polydata.task import TaskKind
from polydata.types import Progress, quiet
from polymodel.data.preparation import CROPS, GREY_WEIGHTS, Preparation
from polymodel.data.views import Grey
from polymodel.evaluation.calibrated import Calibration, calibration_from, calibration_of_parts
from polymodel.kinds.asked import kind_name
from polymodel.networks.linear import Array
from polymodel.prediction.ensemble import Answers, open_answers
from polymodel.runs.parts import recipe_of
from polymodel.runs.run import Run

SUFFIX = ".onnx"
FORMAT = "polymodel-1"
INPUT = "views"
LOGITS, PROBABILITIES = "logits", "probabilities"
MAX_SIDE = 4096
MAX_RENDERINGS = 64


@dataclass(frozen=True)
class OnnxModel:
    """An exported run, ready to answer.

    Attributes:
        session: of onnxruntime; several threads may ask it at once.
        classes: the labels, in the order of the logits.
        positive: the label that counts as positive.
        preparation: how it sees a picture.
        leakage: why the split of the run leaks, in words; None for a clean one.
        calibration: how logits become probabilities that hold, and sets; None where the run does not know.
    """

    session: Any
    classes: tuple[str, ...]
    positive: str
    preparation: Preparation
    leakage: str | None
    calibration: Calibration | None = None

    def answer(self, views: Grey) -> Array:
        """Logits (classes,) of the views (views, size, size) of one picture."""
        [logits] = self.session.run([LOGITS], {INPUT: views[None]})
        return np.asarray(logits[0], dtype=np.float64)

    def see(self, picture: Image.Image) -> tuple[Array, list[Array], bool]:
        """As ``Answers.see``: logits (1, classes) of an RGB picture, no features, and no scale that is wanted."""
        return self.answer(self.preparation.views(picture))[None], [], False

    def twin(self) -> OnnxModel:
        """The same for another thread."""
        return self


def open_onnx(source: Path | bytes) -> OnnxModel:
    """Open a file that ``polymodel export`` wrote.

    Args:
        source: where it lies, or its bytes.

    Raises:
        InputError: if it is missing, damaged, or was written by another program.
    """
    import onnxruntime

    name = "The file" if isinstance(source, bytes) else str(source)
    if isinstance(source, Path) and not source.is_file():
        raise InputError(f"There is no {source}.", "Write it with: polymodel export RUN --output FILE.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # each thread asks for an image of its own
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            source if isinstance(source, bytes) else str(source), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no root of their own
        raise InputError(f"{name} is no ONNX file that can be read: {str(error).splitlines()[0]}") from error
    try:
        return _checked(session)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{name} was not written by polymodel export, or by another version of it: {error}",
            "Export the run again.",
        ) from error


def _checked(session: Any) -> OnnxModel:
    """The model of a session, with what its file says checked: anybody may have written it.

    Raises:
        KeyError, TypeError, ValueError: if it is not what ``metadata`` writes.
    """
    facts = session.get_modelmeta().custom_metadata_map
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']}")
    classes = tuple(str(label) for label in json.loads(facts["classes"]))
    classes.index(facts["positive"])
    told = json.loads(facts["preparation"])
    renderings = tuple((_side(r["short_side"], True), int(r["quarter_turns"]) % 4) for r in told["renderings"])
    prepared = Preparation(_side(told["size"]), renderings, told["crops"])
    if prepared.crops not in CROPS or not 0 < len(renderings) <= MAX_RENDERINGS:
        raise ValueError("unknown preparation")
    calibration = calibration_from(json.loads(facts.get("calibration") or "null"), len(classes))
    return OnnxModel(session, classes, facts["positive"], prepared, facts.get("leakage") or None, calibration)


def _side(value: Any, may_lack: bool = False) -> Any:
    """A number of pixels, or None where it may lack."""
    if value is None and may_lack:
        return None
    if not isinstance(value, int) or not 0 < value <= MAX_SIDE:
        raise ValueError(f"{value} pixels")
    return value


def metadata(facts: Mapping[str, Any]) -> dict[str, str]:
    """Facts as ONNX keeps them: texts as they are, None as an empty one, all else as JSON."""
    return {
        key: value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        for key, value in facts.items()
    }


PACKAGES = ("onnx", "onnxscript")
TRIED = 4
"""Pictures that a file is asked about."""
TOLERANCE = 1e-3
"""Largest difference of a logit from torch's, relative for logits above 1."""
MAX_BYTES = 2_000_000_000
"""An ONNX file cannot be larger."""
STEPS = (
    "Open the picture in RGB: first frame, laid upright by EXIF, transparency on white, deeper channels brought to "
    "8 bits by the depth that nearly all pixels take, as polydata.images.decode does.",
    "Make it grey with the grey weights, rounded to 8 bits.",
    "Cut the middle where the long side is over max_aspect times the short one.",
    "For each rendering: resize with antialiased bicubic interpolation so that the short side has short_side "
    "pixels (null: squash the whole picture to size x size, uncut), turn it left by quarter_turns, cut crops of "
    "size x size.",
    "Corners are taken in the order top left, top right, bottom left, bottom right, then the centre; mirror images in "
    "the order none, left-right, top-bottom, both. Stack the crops of all renderings.",
)


@dataclass(frozen=True)
class Exported:
    """What ``export`` wrote.

    Attributes:
        output, sidecar: the ONNX file, and beside it what it says of itself as JSON.
        size_bytes: of the ONNX file.
        pictures: how many it was asked about.
        from_run: they are test images of the run; otherwise, where these are gone, made up.
        difference: the largest difference of a logit from torch's.
    """

    output: Path
    sidecar: Path
    size_bytes: int
    pictures: int
    from_run: bool
    difference: float


class _Graph(nn.Module):
    """What stands in the file: logits and probabilities (n, classes)."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.answers = answers

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.answers(views)
        return logits, logits.softmax(1)


def export(run: Run, output: Path, progress: Progress = quiet) -> Exported:
    """Write a finished run as FILE.onnx, and FILE.json with what it says of itself; both replace earlier ones.

    Raises:
        UsageError, InputError: as of ``polymodel.api.Run.export``.
        RefusedError: likewise, if the run's network is not the one that it was trained with, or if one of the files
            is there and is not of an earlier export.
    """
    sidecar = output.with_suffix(".json")
    check_output(output, (SUFFIX,), r"(?s)\A.{0,16}polymodel")
    check_output(sidecar, (".json",), r'\A\{\s*"format": ' + json.dumps(FORMAT))
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        needed = f"An export needs {' and '.join(missing)}, not installed here."
        raise UsageError(needed, f"Install them with: {install_hint('onnx')}")
    if kind_name(run.split) is TaskKind.REGRESSION:
        raise UsageError(
            f"{run.name} says numbers; files are written of runs that give labels.", "Use polymodel predict."
        )
    if found := sorted({words for key in run.planned for words in recipe_of(run, key).looked_for}):
        raise InputError(
            f"{run.name} is shown pictures with {' and '.join(found)}, which a file could not bring about by itself.",
            "Use polymodel predict, or train with a recipe that leaves burned_in and um_per_px out.",
        )
    progress("reading the run", 0, 3)
    answers = open_answers(run, "cpu").merged()
    size = sum(t.numel() * t.element_size() for t in (*answers.parameters(), *answers.buffers()))
    if size > MAX_BYTES:
        raise InputError(
            f"{run.name} holds {size / 1e9:.1f} GB of weights; an ONNX file holds {MAX_BYTES / 1e9:.0f} GB at most.",
            "Train a run with fewer seeds or folds, or a smaller network.",
        )
    pictures, from_run = _pictures(run)
    views = np.stack([answers.preparation.views(picture) for picture in pictures])
    wanted = np.stack([answers.answer(one) for one in views])
    progress("writing the graph", 1, 3)
    facts = _facts(run, answers.preparation, views.shape[1])
    data = to_onnx(_Graph(answers).float().eval(), views, facts, run.name)
    progress("comparing with torch", 2, 3)
    model = open_onnx(data)
    difference = np.abs(np.stack([model.answer(one) for one in views]) - wanted)
    if not (difference <= TOLERANCE * np.maximum(1.0, np.abs(wanted))).all():
        raise RefusedError(
            f"The exported file does not answer as {run.name} does: a logit differs by {difference.max():.2g}.",
            "Nothing was written. Use polymodel predict, which needs no export.",
        )
    try:
        with replacing(output) as out, replacing(sidecar) as beside:
            out.write(data)
            beside.write((json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror or error}") from error
    return Exported(output, sidecar, len(data), len(pictures), from_run, float(difference.max()))


def to_onnx(graph: nn.Module, views: Grey, facts: dict[str, Any], name: str) -> bytes:
    """A module as the bytes of an ONNX file.

    Args:
        graph: takes (n, views, size, size) uint8, gives logits and probabilities (n, classes).
        views: some input, of two pictures at least, so that n is left open.
        facts: what the file is to say of itself.
        name: for messages.

    Raises:
        InputError: if torch or ONNX does not know how to express an operation.
    """
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph,
                (torch.from_numpy(views),),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=[LOGITS, PROBABILITIES],
                dynamic_shapes=({0: torch.export.Dim("pictures", min=1)},),
            )
    except torch.onnx.errors.OnnxExporterError as error:
        cause = str(error.__cause__ or error).strip().splitlines()
        raise InputError(
            f"{name} cannot be expressed in ONNX: {cause[0] if cause else type(error).__name__}",
            "Use polymodel predict, which needs no export, or train another --arch.",
        ) from error
    assert program is not None
    ClearMetadataAndDocStringPass()(program.model)  # every node names lines of source files, with their folders
    program.model.metadata_props.update(metadata(facts))
    program.model.producer_name = "polymodel"
    data: bytes = program.model_proto.SerializeToString()
    return data


def _pictures(run: Run) -> tuple[list[Image.Image], bool]:
    """Some test images of the run, or, where they are gone, made-up ones; and whether they are the run's."""
    frame = run.predictions(run.planned[0])
    paths = frame.loc[frame["side"] == "test", "path"].drop_duplicates()
    chosen = paths.iloc[np.linspace(0, len(paths) - 1, min(TRIED, len(paths))).round().astype(int)]
    try:
        found = [open_picture(run.image_root / path) for path in chosen]
    except InputError:
        found = []
    if len(found) > 1:
        return found, True
    noise = np.random.default_rng(0).integers(0, 256, (TRIED, 24, 32), dtype=np.uint8)
    return [Image.fromarray(grey).resize((640, 480), Image.Resampling.BICUBIC).convert("RGB") for grey in noise], False


def _facts(run: Run, preparation: Preparation, count: int) -> dict[str, Any]:
    """What a file says of itself."""
    config = run.config
    return {
        "format": FORMAT,
        "polymodel": VERSION,
        "run": run.name,
        "arch": config.arch,
        "recipe": config.recipe.name,
        "models": len(run.planned),
        "split": str(run.split["name"]),
        "split_digest": str(run.split["digest"]),
        "leakage": run.leakage,
        "calibration": vars(calibration) if (calibration := calibration_of_parts(run, run.planned)) else None,
        "classes": list(run.classes),
        "positive": run.positive,
        "input": f"{INPUT}: uint8 (pictures, {count}, {preparation.size}, {preparation.size})",
        "output": f"{LOGITS} and {PROBABILITIES}: float32 (pictures, {len(run.classes)}), in the order of classes",
        "preparation": {
            "size": preparation.size,
            "renderings": [{"short_side": short, "quarter_turns": turns} for short, turns in preparation.renderings],
            "crops": preparation.crops,
            "max_aspect": float(MAX_ASPECT),
            "grey_weights": list(GREY_WEIGHTS),
            "steps": list(STEPS),
        },
    }
