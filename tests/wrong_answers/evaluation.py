"Plausible wrong answers to the exercises of the chapter on evaluation: each must be refused."
WRONG = {
    "evaluation.1": [
        "def auc_by_pairs(scores, y): return (scores[y == 1][:, None] > scores[y == 0]).mean()",
        "def auc_by_pairs(scores, y): return (scores[y == 1][:, None] >= scores[y == 0]).mean()",
        "def auc_by_pairs(scores, y): return ((scores > 0.5) == y).mean()",
        "def auc_by_pairs(scores, y): return (scores[y == 0][:, None] > scores[y == 1]).mean() + (scores[y == 0][:, None] == scores[y == 1]).mean() / 2",
    ],
    "evaluation.2": [
        "def standardize(train, test): return (train - train.mean(0)) / train.std(0), (test - train.mean(0)) / train.std(0)",
        "def standardize(train, test): return (train - train.mean(0)) / (train.std(0) or 1), (test - test.mean(0)) / test.std(0)",
        """
def standardize(train, test):
    both = np.concatenate([train, test])
    std = np.where(both.std(0) > 0, both.std(0), 1)
    return (train - both.mean(0)) / std, (test - both.mean(0)) / std
""",
        """
def standardize(train, test):
    one = lambda x: (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    return one(train), one(test)
""",
        """
def standardize(train, test):
    std = np.where(train.std(0) > 0, train.std(0), 1)
    return (train - train.mean(0)) / std, (test - train.mean(0)) / std
""",
        """
def standardize(train, test):
    return tuple(np.nan_to_num((x - train.mean(0)) / train.std(0)) for x in (train, test))
""",
        """
def standardize(train, test):
    std = np.where(train.std() > 0, train.std(), 1)
    return (train - train.mean()) / std, (test - train.mean()) / std
""",
    ],
    "evaluation.3": [
        "def train_classifier(x, y): return lambda rows: np.full(len(rows), np.bincount(y).argmax())",
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, labels, predict
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader(x, y), epochs=60, progress=False)
    return lambda rows: labels(predict(model, rows))
""",
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, labels, predict
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader((x - x.mean(0)) / x.std(0), y), epochs=60, progress=False)
    return lambda rows: labels(predict(model, rows))
""",
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, labels, predict
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader((x - x.mean(0)) / x.std(0), y), epochs=60, progress=False)
    return lambda rows: predict(model, (rows - x.mean(0)) / x.std(0))
""",
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, labels, predict
def train_classifier(x, y):
    own = lambda rows: (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-12)
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader(own(x), y), epochs=60, progress=False)
    return lambda rows: labels(predict(model, own(rows)))
""",
    ],
}
