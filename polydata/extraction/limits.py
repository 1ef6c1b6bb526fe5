"""What a worker process is before it reads anything: one thread, and no more memory than it may have.

Imports nothing that computes: the numeric libraries look at these variables once, when they are loaded.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
"""Variables that tell numeric libraries how many threads to start; the workers are the parallel part."""

M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 4_000_000
"""Bytes from which memory is given back at once. Otherwise what OCR frees stays with the process, page by page."""


def set_up(memory_mb: int) -> None:
    """Bind this process to one thread a library and to a number of megabytes of its own.

    Private writable memory is counted (heap, arrays, stacks), not mapped files and libraries, which processes
    share: about 100 MB of resident memory come on top. More ends in MemoryError or in the process's death,
    never in swapping. macOS knows the limit and does not keep it.

    Args:
        memory_mb: megabytes; the libraries take about 150 of them.
    """
    for name in THREADS:
        os.environ[name] = "1"
    if sys.platform != "darwin":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # glibc
            libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        size = memory_mb * 1024 * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))
