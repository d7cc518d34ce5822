"""The libraries that PyTorch may compute with, none of which is here: their settings may be set, and change nothing.

>>> import rushlight as torch
>>> torch.backends.cudnn.benchmark = True
>>> torch.backends.mps.is_available()
False
"""

from . import cuda as cuda
from . import cudnn as cudnn
from . import mkldnn as mkldnn
from . import mps as mps
