from nnbook.diagrams import diagram

diagram("x (32, 784) -> Linear#1 -> ReLU -> Linear#2 -> logits (32, 10)", alt="A network with one hidden layer.")
