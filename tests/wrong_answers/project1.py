"Plausible wrong answers to the project of Part I; the checker must refuse each."

NEURON = """
from nnbook.data import breast_cancer
from nnbook.neuron import LogisticNeuron
from nnbook.activations import sigmoid
learn = breast_cancer().train
mean, std = learn.x.mean(axis=0), learn.x.std(axis=0)
neuron = LogisticNeuron().fit((learn.x - mean) / std, 1 - learn.y, lr=0.5, epochs=300)
def z(x): return neuron.preactivation((x - mean) / std)
"""

WRONG = {
    "project1.1": [
        # the other class
        NEURON + "def risk(x): return 1 - sigmoid(z(x))",
        # decisions
        NEURON + "def risk(x): return neuron.predict((x - mean) / std)",
        # logits
        NEURON + "def risk(x): return z(x)",
        # both classes
        NEURON + "def risk(x): return np.column_stack([1 - sigmoid(z(x)), sigmoid(z(x))])",
        # a column
        NEURON + "def risk(x): return sigmoid(z(x))[:, None]",
        # the share of malignant tumors
        NEURON + "def risk(x): return np.full(len(x), (learn.y == 0).mean())",
        # too sure: the weights grew for ever
        NEURON + "def risk(x): return sigmoid(200 * z(x))",
        # hardly trained
        NEURON + "def risk(x): return sigmoid(0.05 * z(x))",
        # priced twice
        NEURON + "def risk(x): return sigmoid(z(x) + np.log(20))",
        # scaled by the patients at hand
        NEURON + "def risk(x): return sigmoid(neuron.preactivation((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)))",
        # scaled in place
        NEURON + """
def risk(x):
    x -= mean
    x /= std
    return sigmoid(neuron.preactivation(x))
""",
        # unscaled
        NEURON + """
def risk(x):
    with np.errstate(all="ignore"):
        return sigmoid(neuron.preactivation(x))
""",
        # not a number
        NEURON + "def risk(x): return np.where(z(x) > 4, np.nan, sigmoid(z(x)))",
        # the test rows took part
        """
from nnbook.data import breast_cancer
d = breast_cancer()
def risk(x):
    distance = (((x[:, None] - d.x) / d.x.std(axis=0)) ** 2).sum(axis=2)
    return np.where(d.y[distance.argmin(axis=1)] == 0, 0.9999, 0.0001) + 1e-6 * distance.min(axis=1)
""",
        # a `return` is missing
        NEURON + "def risk(x): sigmoid(z(x))",
    ],
}
