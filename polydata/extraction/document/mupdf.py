"""The PDF library without the add-ons that its package loads beside it: unused here, half a second and 60 MB."""

import sys

ADD_ONS = ("pymupdf.layout", "pymupdf4llm")

if "pymupdf" not in sys.modules:
    absent = [name for name in ADD_ONS if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it fails, which the library expects
    import pymupdf

    for name in absent:
        del sys.modules[name]

import pymupdf  # noqa: E402

__all__ = ["pymupdf"]
