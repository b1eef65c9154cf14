"Plausible wrong answers to the exercises of the chapter on evaluation: each must be refused."
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
    ],
    "evaluation.4": [
        # chosen by the test fold
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((x[test] - x[test].mean(axis=0)).T @ (y[test] - y[test].mean())) / x[test].std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # no selection
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.arange(x.shape[1])
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # the best five
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:5]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # the best twenty
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:20]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # by direction, not by strength
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = ((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # the seed is ignored
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(0).permutation(len(x))
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
""",
        # a generator without a seed
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.permutation(len(x))
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
""",
        # back after the first fold
        """
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
        return rights / len(test)
    return rights / len(x)
""",
        # the accuracy in percent
        """
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
    rights *= 100
    return rights / len(x)
""",
        # chosen by all rows
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((x - x.mean(axis=0)).T @ (y - y.mean())) / x.std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # folds of consecutive rows
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.arange(len(x))
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
""",
        # no choice at all
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.arange(10)
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # the ten worst columns
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # learned from all rows
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x, y
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) > ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # the classes exchanged
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng(seed).permutation(len(x))
    for test in np.array_split(order, k):
        train = np.setdiff1d(order, test)
        a, b = x[train], y[train]
        merit = abs((a - a.mean(axis=0)).T @ (b - b.mean())) / a.std(axis=0)
        best = np.argsort(-merit)[:10]
        one, zero = (a[b == c][:, best].mean(axis=0) for c in (1, 0))
        new = x[test][:, best]
        guess = ((new - zero)**2).sum(axis=1) < ((new - one)**2).sum(axis=1)
        rights += (guess == y[test]).sum()
    return rights / len(x)
""",
        # another answer each time
        """
def repaired(x, y, k=5, seed=0):
    rights, order = 0, np.random.default_rng().permutation(len(x))
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
""",
        # divided by one fold
        """
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
    return rights / len(test)
""",
        # answers of other rows
        """
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
        rights += (guess == y[:len(test)]).sum()
    return rights / len(x)
""",
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
