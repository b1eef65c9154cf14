import torch

from nnbook.torch.cnn import BasicBlock, ResNet

model = ResNet(8, in_channels=1, block=BasicBlock, rng=0)
assert model(torch.zeros(5, 1, 28, 28)).shape == (5, 10)
