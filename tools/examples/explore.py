import numpy as np

from nnbook.explore import explore
from nnbook.plots import lines

x = np.linspace(-3, 3, 61)
explore(lambda w: lines(np.tanh(w * x), x), w=[0.5, 1, 2], alt=lambda w: f"tanh of {w} x.")
