"""Pictures of the graph. This is the one subpackage that ``import rushlight`` does not load: only its first use does."""

from .draw import Drawing as Drawing
from .draw import make_dot as make_dot
from .dot import source as source
from .model import Arrow as Arrow
from .model import Graph as Graph
from .model import Item as Item
from .trace import trace as trace
