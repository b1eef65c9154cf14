"Plausible wrong answers to the exercises of the chapter on evaluation: each must be refused."

from conftest import changed

REPAIRED = """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
"""
WRONG = {
    "evaluation.1": [
        "def auc_by_pairs(scores, y): return (scores[y == 1][:, None] > scores[y == 0]).mean()",
        "def auc_by_pairs(scores, y): return (scores[y == 1][:, None] >= scores[y == 0]).mean()",
        "def auc_by_pairs(scores, y): return ((scores > 0.5) == y).mean()",
        "def auc_by_pairs(scores, y): return (scores[y == 0][:, None] > scores[y == 1]).mean() + (scores[y == 0][:, None] == scores[y == 1]).mean() / 2",
        "def auc_by_pairs(scores, y): return (np.argsort(np.argsort(scores))[y == 1]).mean() / len(y)",
    ],
    "evaluation.2": [
        "def standardize(train, test): return (train - train.mean(0)) / np.maximum(train.std(0), 1e-6)",
        """
def standardize(train, test):
    train -= train.mean(0)
    test -= train.mean(0)
    std = np.where(train.std(0) > 1e-12, train.std(0), 1)
    return train / std, test / std
""",
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
        # an absolute threshold
        """
def standardize(train, test):
    std = np.where(train.std(0) < 0.01, 1, train.std(0))
    return (train - train.mean(0)) / std, (test - train.mean(0)) / std
""",
        # clipped
        """
def standardize(train, test):
    std = np.where(train.std(0) < 1e-12, 1, train.std(0))
    return (train - train.mean(0)) / std, np.clip((test - train.mean(0)) / std, -10, 10)
""",
    ],
    "evaluation.3": [
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader((x - x.mean(0)) / x.std(0), y), epochs=60, progress=False)
    return model
""",
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
        # new rows standardized by themselves: NaN for a single one
        """
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, labels, predict
def train_classifier(x, y):
    own = lambda rows: (rows - rows.mean(0)) / rows.std(0)
    model = MLP(x.shape[1], 32, int(y.max()) + 1, rng=0)
    fit(model, AdamW(model.parameters(), lr=3e-3), DataLoader(own(x), y), epochs=60, progress=False)
    return lambda rows: labels(predict(model, own(rows)))
""",
        # no network at all
        """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
def train_classifier(x, y): return make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y).predict
""",
        """
from sklearn.neural_network import MLPClassifier
def train_classifier(x, y):
    mean, std = x.mean(0), x.std(0)
    model = MLPClassifier(32, max_iter=500, random_state=0).fit((x - mean) / std, y)
    return lambda rows: model.predict((rows - mean) / std)
""",
        # a network is trained, and something else answers
        """
from sklearn.ensemble import RandomForestClassifier
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, 3, rng=0)
    fit(model, AdamW(model.parameters()), DataLoader((x - x.mean(0)) / x.std(0), y), epochs=5, progress=False)
    return RandomForestClassifier(random_state=0).fit(x, y).predict
""",
        # the network is asked, and not listened to
        """
from sklearn.ensemble import RandomForestClassifier
from nnbook.layers import MLP
from nnbook.optim import AdamW
from nnbook.training import DataLoader, fit, predict
def train_classifier(x, y):
    model = MLP(x.shape[1], 32, 3, rng=0)
    fit(model, AdamW(model.parameters()), DataLoader((x - x.mean(0)) / x.std(0), y), epochs=3, progress=False)
    trees = RandomForestClassifier(random_state=0).fit(x, y)
    return lambda rows: (predict(model, (rows - x.mean(0)) / x.std(0)), trees.predict(rows))[1]
""",
    ],
    "evaluation.4": [
        # always five folds, always two
        changed(REPAIRED, ("array_split(order, k)", "array_split(order, 5)")),
        changed(REPAIRED, ("array_split(order, k)", "array_split(order, 2)")),
        # chosen by the test fold
        changed(REPAIRED, ("abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a", "abs((x[test] - x[test].mean(axis=0)).T @ (y[test] - y[test].mean())) / x[test]")),
        # no selection
        changed(REPAIRED, ("np.argsort(-merit)[:10]", "np.arange(x.shape[1])")),
        # the best five
        changed(REPAIRED, ("10]", "5]")),
        # the best twenty
        changed(REPAIRED, ("10]", "20]")),
        # by direction, not by strength
        changed(REPAIRED, ("abs", "")),
        # the seed is ignored
        changed(REPAIRED, ("np.random.default_rng(seed)", "np.random.default_rng(0)")),
        # a generator without a seed
        changed(REPAIRED, ("np.random.default_rng(seed).permutation", "np.random.permutation")),
        # back after the first fold
        changed(REPAIRED, ("        rights += (guess == y[test]).sum()", "        rights += (guess == y[test]).sum()\n        return rights / len(test)")),
        # the accuracy in percent
        changed(REPAIRED, ("        rights += (guess == y[test]).sum()", "        rights += (guess == y[test]).sum()\n    rights *= 100")),
        # chosen by all rows
        changed(REPAIRED, ("abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a", "abs((x - x.mean(axis=0)).T @ (y - y.mean())) / x")),
        # folds of consecutive rows
        changed(REPAIRED, ("np.random.default_rng(seed).permutation", "np.arange")),
        # no choice at all
        changed(REPAIRED, ("np.argsort(-merit)[:10]", "np.arange(10)")),
        # the ten worst columns
        changed(REPAIRED, ("np.argsort(-merit)", "np.argsort(merit)")),
        # learned from all rows
        changed(REPAIRED, ("x[train], y[train]", "x, y")),
        # the classes exchanged
        changed(REPAIRED, (">", "<")),
        # another answer each time
        changed(REPAIRED, ("np.random.default_rng(seed)", "np.random.default_rng()")),
        # divided by one fold
        changed(REPAIRED, ("    return rights / len(x)", "    return rights / len(test)")),
        # answers of other rows
        changed(REPAIRED, ("y[test])", "y[:len(test)])")),
    ],
    "evaluation.5": [
        # the usual interval
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m)**0.5
    return 1 - width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # the normal quantile
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: 1.96 * (1 / m + n_test / n_train)**0.5
    return 1 - width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # the share that is left
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
    return width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # the sizes exchanged
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_train / n_test)**0.5
    return 1 - width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # always thirty splits
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, 29) * (1 / m + n_test / n_train)**0.5
    return 1 - width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # of the variance
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
    return 1 - (width(many) / width(few))**2
answer = ((0.5, 0.3), narrowing)
""",
        # no root
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)
    return 1 - width(many) / width(few)
answer = ((0.5, 0.3), narrowing)
""",
        # the change in percent
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
    return 100 * (1 - width(many) / width(few))
answer = ((0.5, 0.3), narrowing)
""",
        # no guesses
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
    return 1 - width(many) / width(few)
answer = narrowing
""",
        # guesses in percent
        """
def narrowing(few, many, n_train, n_test):
    width = lambda m: t_quantile(0.975, m - 1) * (1 / m + n_test / n_train)**0.5
    return 1 - width(many) / width(few)
answer = ((50, 30), narrowing)
""",
    ],
}
