from nnbook import data
from nnbook.first import accuracy, learn, random_network
from nnbook.streams import stream

digits = data.mnist5k()
net = random_network(stream(0, "initialization"))
steps = list(learn(net, digits.train.x, digits.train.y, stream(0, "order"), steps=300))
assert accuracy(net, digits.test.x, digits.test.y) > 0.8
