"""polydata: from a folder of literature PDFs to a trustworthy labelled micrograph data set.

::

    import polydata

    polydata.init("blends")
    with polydata.open("blends") as session:
        polydata.extract(session, ["papers"])
        polydata.screen(session)

Each step of the command line is a function that takes a ``Session`` and gives back what was done. A name is imported
when it is first asked for; ``__init__.pyi`` says from where.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
