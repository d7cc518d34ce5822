"""Pictures of the graph; ``import rushlight`` does not load this subpackage, its first use does."""

from .diagnose import RULES as RULES
from .diagnose import first_nonfinite as first_nonfinite
from .fit import fit as fit
from .fit import shut as shut
from .fold import fold as fold
from .graph import Graph as Graph
from .model import Arrow as Arrow
from .model import Group as Group
from .model import Item as Item
from .record import record as record
from .steps import BackwardStep as BackwardStep
from .steps import backward_steps as backward_steps
from .trace import trace as trace
