"""From a PDF file to its figures, captions and panels; ``paper.extract_paper`` is the table of contents."""
