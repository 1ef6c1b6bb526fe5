"""polydata: from a folder of literature PDFs to a trustworthy labelled micrograph data set."""

from polydata.resources import VERSION as __version__  # noqa: N811

__all__ = ["__version__"]
