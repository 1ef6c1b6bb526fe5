"""A file that ``polymodel export`` wrote, at work: onnxruntime on the processor, and what the file says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polymodel.data.views import CROPS, Grey, Preparation
from polymodel.networks.linear import Array

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
        facts: what the file says of itself, as ``metadata`` writes it.
        classes: the labels, in the order of the logits.
        positive: the label that counts as positive.
        preparation: how it sees a picture.
    """

    session: Any
    facts: Mapping[str, Any]
    classes: tuple[str, ...]
    positive: str
    preparation: Preparation

    @property
    def leakage(self) -> str | None:
        """Why the split of the run leaks, in words; None for a clean one."""
        return self.facts.get("leakage") or None

    def answer(self, views: Grey) -> Array:
        """Logits (classes,) of the views (views, size, size) of one picture."""
        [logits] = self.session.run([LOGITS], {INPUT: views[None]})
        found: Array = logits[0].astype("float64")
        return found

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
    return OnnxModel(session, facts, classes, facts["positive"], prepared)


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
