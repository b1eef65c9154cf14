import numpy as np

from nnbook.cnn import Conv2d, ConvNet, feature_maps, receptive_field

images = np.zeros((5, 1, 28, 28), np.float32)
assert Conv2d(1, 16, 3, padding=1, rng=0)(images).shape == (5, 16, 28, 28)
model = ConvNet((16, "M", 32), rng=0)                      # two convolutions, a pool between them, a linear layer
assert feature_maps(model, images)["4"].shape == (5, 32, 14, 14)
assert receptive_field(model[:5]).size == (8, 8)
