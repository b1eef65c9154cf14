import numpy as np

from nnbook.plots import lines

x = np.linspace(0, 6, 100)
lines({"sin": np.sin(x), "cos": np.cos(x)}, x, xlabel="angle", alt="A sine and a cosine.", caption="Two waves.")
