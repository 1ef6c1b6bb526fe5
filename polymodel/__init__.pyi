from .api import Run as Run
from .api import baselines as baselines
from .api import compare as compare
from .api import fit as fit
from .api import open_run as open_run
from .api import predict as predict
from .api import write_report as write_report
from .data.split import SplitDataset as SplitDataset
from .data.split import load_split as load_split
from .evaluation.scores import Scores as Scores
from .evaluation.scores import score as score
from .morphology.workflow import measure as measure
from .recipes import Finetune as Finetune
from .recipes import Probe as Probe
from .training.pretraining import Pretraining as Pretraining
from .training.pretraining import pretrain as pretrain

__all__ = [
    "Finetune",
    "Pretraining",
    "Probe",
    "Run",
    "Scores",
    "SplitDataset",
    "baselines",
    "compare",
    "fit",
    "load_split",
    "measure",
    "open_run",
    "predict",
    "pretrain",
    "score",
    "write_report",
]
