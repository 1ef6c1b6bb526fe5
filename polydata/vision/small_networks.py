"""The small networks that lie in this room, each loaded at its first use in a process, on one thread."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def network(name: str) -> Any:
    """The onnxruntime session of a network.

    Args:
        name: of its file in this folder.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = Path(__file__).with_name(name)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
