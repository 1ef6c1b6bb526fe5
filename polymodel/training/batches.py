"""What a training by gradient descent reads: pixels, or what the frozen front of a network made of them.

Both hand out the input of a module that gives logits, for training (random views or fixed copies) and for
measuring (the centre, or the centre and its mirror images).
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from polydata.errors import PolydataError
from polydata.files.atomic import replacing
from polydata.ids import content_id
from polydata.images.decode import READING
from polydata.images.picture import open_picture
from polydata.images.transforms import draw_transform
from polydata.splits.manifest import Item
from polymodel.data.preparation import preparation
from polymodel.data.views import Grey, Transform, centre, mirrored, random_view
from polymodel.networks.devices import each, threads
from polymodel.networks.network import Network
from polymodel.runs.parts import PartJob

EVAL_BATCH = 64
PASS_COUNT = 1_000_003  # a prime, so that (seed, epoch, place) seldom share a random state
RANDOM_VIEWS = 8
"""Random views of an image that are cached for a training of the last block, beside its four mirror images."""

MAPS = "four mirror images; random views by SHA-256; 1"
"""What is cached of an image; part of the cache's key."""

RANDOM_STATE = threading.Lock()
"""Random views follow from the process's generators, which one thread at a time may set."""

MAX_WORKERS = 8
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - its room is looked up, nothing is written there
FEW_IMAGES = 200
"""So few are read before other processes have begun."""

Choice = tuple[int, int]
"""(place of an image, number of its copy)."""


class _Asked(Dataset[Any]):
    """What a function gives for an index, or the error that it raised: a worker would hand on its text alone."""

    def __init__(self, give: Callable[[Any], Any]) -> None:
        self.give = give

    def __getitem__(self, index: Any) -> Any:
        try:
            return self.give(index)
        except PolydataError as error:
            return error


def _loader(give: Callable[[Any], Any], batches: list[list[Any]], workers: int) -> DataLoader[Any]:
    """What ``give`` makes of the indices of each batch, as tensors or lists, by so many processes at once.

    The batches may change between two epochs. What comes out does not depend on the number of workers.
    """
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 0  # elsewhere a process begins with nothing
    workers = min(MAX_WORKERS, workers, usable)
    return DataLoader(
        _Asked(give),
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="fork" if workers else None,
        collate_fn=_together,
        generator=torch.Generator(),  # torch's own generator is left alone
    )


def _together(given: list[Any]) -> Any:
    errors = [one for one in given if isinstance(one, PolydataError)]
    if errors:
        return errors[0]
    return torch.stack(given) if isinstance(given[0], Tensor) else given


def _loaded(loader: DataLoader[Any]) -> Iterator[Any]:
    for batch in loader:
        if isinstance(batch, PolydataError):
            raise batch
        yield batch


class Pixels:
    """Images in memory, one byte a pixel.

    On a graphics processor other processes make the views ahead; a processor has enough to do with the network. Each
    view is made on one thread: where other programs compete, several wait for each other far longer than they work.

    Args:
        job: of the part.
        network: on the job's device.
        transform: makes random views.
        processes: that share this machine's processors.
    """

    def __init__(self, job: PartJob, network: Network, transform: Transform, processes: int = 1) -> None:
        self.job, self.network = job, network
        self.module = network.module
        self.images = read_images(job)
        self.shown: list[list[tuple[int, int, int]]] = []
        self.view = partial(_view, job, self.images, transform)  # no method, so that the loader ends with this object
        self.loader = _loader(self.view, self.shown, _workers(job, processes))

    def training(self, epoch: int, batches: Sequence[Sequence[Choice]]) -> Iterator[Tensor]:
        """Input of ``module`` for each batch of images of this epoch."""
        self.shown[:] = [[(epoch, *choice) for choice in batch] for batch in batches]
        for greys in _loaded(self.loader):
            yield self.network.normalise(greys.to(self.job.device))

    def logits(self, places: Sequence[int]) -> Tensor:
        """Logits (n, classes) of these images as they are predicted; the network goes to eval mode."""
        self.network.module.eval()
        cut, rows = preparation(self.job.recipe).cut, []
        with torch.inference_mode():
            for start in range(0, len(places), EVAL_BATCH):
                some = [cut(self.images[place]) for place in places[start : start + EVAL_BATCH]]
                views = torch.from_numpy(np.stack(some)).to(self.job.device)
                rows.append(view_logits(self.network, views).cpu().double())
        return torch.cat(rows)


def _workers(job: PartJob, processes: int) -> int:
    """How many make views ahead, two batches each: none on a processor; their batches fit the shared memory, of which a
    container may have little."""
    if job.device == "cpu" or not SHARED_MEMORY.is_dir():
        return 0
    room = shutil.disk_usage(SHARED_MEMORY).free // (4 * job.recipe.batch_size * job.recipe.image_size**2)
    return min((os.cpu_count() or 1) // processes, room)


def _view(job: PartJob, images: Sequence[Grey], transform: Transform, shown: tuple[int, int, int]) -> Tensor:
    """(size, size) uint8 of (epoch, place, copy)."""
    epoch, place, copy = shown
    image, size = images[place], job.recipe.image_size
    if job.recipe.copies is not None:
        way = draw_transform(job.seed, job.items[place].image_sha256, copy)
        return torch.from_numpy(np.array(way.apply(Image.fromarray(image), size)))
    state = ((job.seed * PASS_COUNT + epoch) * PASS_COUNT + place) % 2**63
    with threads(1):
        return random_view(image, size, transform, state)


def view_logits(network: Network, views: Tensor) -> Tensor:
    """Logits (n, classes), the mean over the views, of (n, views, size, size) uint8."""
    logits: Tensor = network.module(network.normalise(views.flatten(0, 1)))
    return logits.reshape(-1, views.shape[1], logits.shape[1]).mean(1)


def read_images(job: PartJob) -> list[Grey]:
    """The images of all sides, resized."""
    shown, count = preparation(job.recipe), len(job.items)

    def give(place: int) -> Grey:
        return shown.prepare(open_picture(job.split.image_path(job.items[place]))).renderings[0]

    with ExitStack() as stack:
        if shown.looks:  # for print, with libraries that have threads, which another process would begin without
            pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
            found: Iterator[list[Grey]] = ([image] for image in pool.map(give, range(count)))
        else:
            workers = (os.cpu_count() or 1) if count > FEW_IMAGES else 0
            found = _loaded(_loader(give, [[place] for place in range(count)], workers))
        images: list[Grey] = []
        for image in found:
            images += image
            job.progress("reading images", len(images), count)
    return images


class LastBlock(nn.Module):
    """The last block of a network as a module of its own: takes the middle's maps, gives logits."""

    def __init__(self, network: Network, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size
        self.whole = network.module

    def forward(self, maps: Tensor) -> Tensor:
        """Logits (n, classes) of (n, channels, height, width)."""
        return self.network.from_middle(maps, self.size)


class Maps:
    """What the frozen front makes of fixed views of each image, computed once and kept by the image's SHA-256.

    Kept are the four mirror images of the centre, with which an image is also measured, and ``RANDOM_VIEWS``
    random views. They do not depend on the run's seed, so folds, seeds and later runs share them; each epoch
    draws one of the twelve.

    Args:
        folder: where maps are kept.
        job: of the part.
        network: in eval mode, on the job's device.
        transform: makes random views.
        transform_key: what names it, part of the cache's key.

    Raises:
        UsageError: if the network has no last block that could be trained by itself.
    """

    def __init__(self, folder: Path, job: PartJob, network: Network, transform: Transform, transform_key: str) -> None:
        self.job, self.network, self.transform = job, network, transform
        recipe = job.recipe
        blank = torch.zeros(2, recipe.image_size, recipe.image_size, dtype=torch.uint8, device=job.device)
        network.check_middle(network.normalise(blank))
        self.preparation = preparation(recipe)
        shape = (recipe.short_side, recipe.image_size, job.device, transform_key, *self.preparation.key)
        self.folder = folder / content_id(
            "maps", READING, network.backbone_digest(), network.middle, MAPS, RANDOM_VIEWS, *shape
        )
        self.module = LastBlock(network, recipe.image_size)
        network.module.eval()
        wanted = [(item, "mirrored") for item in job.items] + [(item, "random") for item in job.fold.train]
        missing = [(item, kind) for item, kind in wanted if not self._is_kept(item, kind)]
        known = len(wanted) - len(missing)
        for done, _ in enumerate(each(network, job.device, missing, self._compute), start=1):
            job.progress("frozen front", known + done, len(wanted))

    def _path(self, item: Item, kind: str) -> Path:
        return self.folder / item.image_sha256[:2] / f"{item.image_sha256}-{kind}.npy"

    def _is_kept(self, item: Item, kind: str) -> bool:
        """Whether maps are there; an empty file, as a power cut leaves one, is none."""
        path = self._path(item, kind)
        return path.is_file() and path.stat().st_size > 0

    def _compute(self, network: Network, wanted: tuple[Item, str]) -> None:
        """Keep the maps of one image's views of a kind."""
        item, kind = wanted
        size = self.job.recipe.image_size
        image = self.preparation.prepare(open_picture(self.job.split.image_path(item))).renderings[0]
        if kind == "mirrored":
            views = torch.from_numpy(mirrored(centre(image, size)))
        else:
            first = int(item.image_sha256[:12], 16)
            with RANDOM_STATE:
                views = torch.stack([random_view(image, size, self.transform, first + k) for k in range(RANDOM_VIEWS)])
        with torch.inference_mode():
            maps = network.middle_map(network.normalise(views.to(self.job.device))).float().cpu()
        with replacing(self._path(item, kind)) as out:
            np.save(out, maps.numpy(), allow_pickle=False)

    def _map(self, item: Item, view: int) -> NDArray[np.float32]:
        kind, place = ("mirrored", view) if view < 4 else ("random", view - 4)
        kept: NDArray[np.float32] = np.load(self._path(item, kind), mmap_mode="r", allow_pickle=False)[place]
        return kept

    def _batch(self, chosen: Sequence[tuple[int, int]]) -> Tensor:
        maps = np.stack([self._map(self.job.items[place], view) for place, view in chosen])
        return torch.from_numpy(maps).to(self.job.device)

    def training(self, epoch: int, batches: Sequence[Sequence[Choice]]) -> Iterator[Tensor]:
        """As ``Pixels``."""
        generator = torch.Generator().manual_seed(self.job.seed * PASS_COUNT + epoch)
        views = torch.randint(4 + RANDOM_VIEWS, (len(self.job.items),), generator=generator).tolist()
        for batch in batches:
            yield self._batch([(place, views[place]) for place, _ in batch])

    def logits(self, places: Sequence[int]) -> Tensor:
        """As ``Pixels``."""
        self.network.module.eval()
        views = range(4 if self.job.recipe.flips else 1)
        rows = []
        with torch.inference_mode():
            for start in range(0, len(places), EVAL_BATCH // 4):
                some = places[start : start + EVAL_BATCH // 4]
                answers = self.module(self._batch([(place, view) for place in some for view in views]))
                rows.append(answers.cpu().double().reshape(len(some), len(views), -1).mean(1))
        return torch.cat(rows)

    def head_inputs(self, places: Sequence[int]) -> NDArray[np.float32]:
        """What the head is given for these images, the mean over the mirror images: (n, features)."""
        kept: list[Tensor] = []
        layer = self.network.head_layer()
        with layer.register_forward_pre_hook(lambda _module, inputs: kept.append(inputs[0].detach().cpu())):
            self.logits(places)
        flat = torch.cat(kept)
        return np.asarray(flat.reshape(len(places), -1, flat.shape[1]).mean(1))


Source = Pixels | Maps
"""Images of one part of a run, in the order of ``PartJob.items``."""
