"""polymodel: transfer learning on a split that polydata built, and its honest evaluation.

::

    import polymodel

    run = polymodel.fit("v1", polymodel.Finetune(epochs=8), seeds=3)

For a training loop of one's own::

    split = polymodel.load_split("v1")
    fold = split.folds[0]
    train, test = polymodel.SplitDataset(split, fold.train), polymodel.SplitDataset(split, fold.test)
    picture, target = train[0]      # a PIL image in RGB, and the index of its label in split.classes

``SplitDataset(..., transform=f)`` hands out ``f(picture)``; it is a map-style data set, so
``torch.utils.data.DataLoader`` takes it as it is.

A name is imported when it is first asked for; ``__init__.pyi`` says from where.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
