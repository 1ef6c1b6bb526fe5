"""What a worker process is before it reads anything: one thread, no more memory than it may have, and no network.

Imports nothing that computes: the numeric libraries look at these variables once, when they are loaded.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
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

CALLS = {"x86_64": (0xC000003E, 317, 41), "aarch64": (0xC00000B7, 277, 198)}
"""By machine: what seccomp calls it, and the numbers of the system calls seccomp and socket."""
IO_URING_SETUP, FOREIGN = 425, 0x40000000
"""Another way to a socket, and the number from which system calls of other kinds of programs begin."""
NO_NEW_PRIVILEGES, MODE_FILTER, ALL_THREADS = 38, 1, 1
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 13
"""What a filter answers: let it be, or "permission denied"."""


def deny_network() -> bool:
    """Take from this process, for good, the right to open a socket; pipes, and pairs within itself, go on.

    A filter of system calls (seccomp) in the kernel, which needs no rights and cannot be undone.

    Returns:
        Whether it was done: on Linux alone, on x86-64 and ARM, where the kernel was built with it.
    """
    if sys.platform != "linux" or platform.machine() not in CALLS or sys.maxsize < 1 << 32:
        return False
    machine, seccomp, socket = CALLS[platform.machine()]
    steps = (
        (LOAD, 0, 0, 4),
        (EQUAL, 0, 4, machine),  # calls of another machine's kind are refused
        (LOAD, 0, 0, 0),
        (AT_LEAST, 2, 0, FOREIGN),
        (EQUAL, 1, 0, socket),
        (EQUAL, 0, 1, IO_URING_SETUP),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    done = libc.prctl(NO_NEW_PRIVILEGES, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3)
    return bool(done == 0 and libc.syscall(ctypes.c_long(seccomp), MODE_FILTER, ALL_THREADS, program) == 0)


def set_up(memory_mb: int, *, network: bool = True) -> None:
    """Bind this process to one thread a library and to a number of megabytes of its own, and take the network from it.

    Private writable memory is counted (heap, arrays, stacks), not mapped files and libraries, which processes
    share: about 100 MB of resident memory come on top. More ends in MemoryError or in the process's death,
    never in swapping. macOS knows the limit and does not keep it.

    Args:
        memory_mb: megabytes; the libraries take about 150 of them.
        network: leave it, for a store behind an address; see ``deny_network`` for where it can be taken at all.
    """
    if not network:
        deny_network()
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
