from .api import Run as Run
from .api import fit as fit
from .api import open_run as open_run
from .data.split import SplitDataset as SplitDataset
from .data.split import load_split as load_split
from .recipes import Finetune as Finetune
from .recipes import Probe as Probe

__all__ = ["Finetune", "Probe", "Run", "SplitDataset", "fit", "load_split", "open_run"]
