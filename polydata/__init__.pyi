from .auditing.run import audit as audit
from .catalogue.session import Session as Session
from .catalogue.session import init as init
from .catalogue.session import open as open
from .errors import PolydataError as PolydataError
from .exports.workflow import export_split as export_split
from .extraction.workflow import extract as extract
from .labels.pull import pull as pull
from .labels.push import push as push
from .records.importer import import_records as import_records
from .records.join import join as join
from .records.record import Record as Record
from .resources import __version__ as __version__
from .screening.scalebars import read_scale_bars as read_scale_bars
from .screening.workflow import screen as screen
from .simulation.workflow import simulate as simulate
from .splits.build import build_split as build_split
from .splits.manifest import Split as Split
from .splits.manifest import load_split as load_split
from .splits.options import SplitOptions as SplitOptions
from .types import Figure as Figure
from .types import Panel as Panel
from .types import Paper as Paper

__all__ = [
    "Figure",
    "Panel",
    "Paper",
    "PolydataError",
    "Record",
    "Session",
    "Split",
    "SplitOptions",
    "__version__",
    "audit",
    "build_split",
    "export_split",
    "extract",
    "import_records",
    "init",
    "join",
    "load_split",
    "open",
    "pull",
    "push",
    "read_scale_bars",
    "screen",
    "simulate",
]
