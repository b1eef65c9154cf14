from nnbook.neuron import Perceptron, all_inputs

X = all_inputs(2)
unit = Perceptron().fit(X, X.all(axis=1).astype(int))      # AND
assert unit.predict(X).tolist() == [0, 0, 0, 1]
