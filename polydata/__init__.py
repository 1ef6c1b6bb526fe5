"""polydata: from a folder of literature PDFs to a trustworthy labelled micrograph data set."""

__version__ = "0.1.0"
