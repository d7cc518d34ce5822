"""Pictures of the graph; ``import rushlight`` does not load this subpackage, its first use does."""

from .dot import source as source
from .draw import Drawing as Drawing
from .draw import make_dot as make_dot
from .model import Arrow as Arrow
from .model import Graph as Graph
from .model import Item as Item
from .trace import trace as trace
