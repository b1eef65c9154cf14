from nnbook.streams import stream

a, b = stream(7, "initialization"), stream(7, "order")
assert a.random() != b.random()                            # one seed, two streams
assert stream(7, "order", 3).random() == stream(7, "order", 3).random()
