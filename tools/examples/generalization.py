import numpy as np

from nnbook.generalization import min_norm_fit, random_features

x = np.linspace(0, 1, 20)[:, None]
y = np.sin(6 * x[:, 0])
features = random_features(1, 100, scale=5.0, rng=0)
weights = min_norm_fit(features(x), y)                     # 100 weights for 20 points
assert np.allclose(features(x) @ weights, y)
