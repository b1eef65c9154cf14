"Plausible wrong answers to the exercises of the chapter on training: each must be refused."

from conftest import changed

UPDATES = """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
"""
OPTIMISM = """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
"""
CARRIED = """
from nnbook.autograd import cross_entropy
kept = {}
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    if start == 0: kept["rng"] = np.random.default_rng(0)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        if batch == 0: kept["order"] = kept["rng"].permutation(len(x))
        rows = kept["order"][batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
"""
WRONG = {
    "training.1": [
        # an array that holds the number
        "def epoch_loss(losses, sizes): return np.array([np.sum(np.multiply(losses, sizes)) / np.sum(sizes)])",
        "epoch_loss = 1.5",
        "def epoch_loss(losses, sizes): return np.mean(losses)",
        "def epoch_loss(losses, sizes): return np.sum(np.multiply(losses, sizes))",
        "def epoch_loss(losses, sizes): return np.sum(np.multiply(losses, sizes)) / len(losses)",
        "def epoch_loss(losses, sizes): return np.sum(losses) / np.sum(sizes)",
        "def epoch_loss(losses, sizes): return np.dot(losses[:-1], sizes[:-1]) / np.sum(sizes[:-1])",
    ],
    "training.2": [
        "early_stop = (4, 1)",
        "def early_stop(losses, patience): return len(losses), int(np.argmin(losses))",
        """
def early_stop(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss <= losses[best]: best = epoch
        if epoch - best >= patience: break
    return epoch + 1, best
""",
        """
def early_stop(losses, patience):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]: best = epoch
        if epoch - best > patience: break
    return epoch + 1, best
""",
        """
def early_stop(losses, patience):
    worse = 0
    for epoch in range(1, len(losses)):
        worse = worse + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if worse == patience: break
    return epoch + 1, int(np.argmin(losses[:epoch + 1]))
""",
        """
def early_stop(losses, patience):
    waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] >= min(losses[:epoch]): waited += 1
        if waited == patience: return epoch + 1, int(np.argmin(losses[:epoch + 1]))
    return len(losses), int(np.argmin(losses))
""",
    ],
    "training.6": [
        # a generator that starts afresh with each call, and an order for each epoch
        changed(UPDATES, ("per_epoch = -(-len(x) // size)", "per_epoch, rng, last = -(-len(x) // size), np.random.default_rng(0), None"), ("order = np.random.default_rng([0, epoch]).permutation(len(x))", "if epoch != last: order, last = rng.permutation(len(x)), epoch")),
        # a generator made once per call, and an order for each update
        changed(UPDATES, ("per_epoch = -(-len(x) // size)", "per_epoch, rng = -(-len(x) // size), np.random.default_rng(0)"), ("np.random.default_rng([0, epoch])", "rng")),
        # gradients pile up
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
        # one order for all epochs
        changed(UPDATES, ("np.random.default_rng([0, epoch])", "np.random.default_rng(0)")),
        # another order for each update
        changed(UPDATES, ("np.random.default_rng([0, epoch])", "np.random.default_rng()")),
        # with replacement
        changed(UPDATES, (".permutation(len", ".integers(0, len(x), len")),
        # the last batch is left out
        changed(UPDATES, ("-(-len(x) // size)", "len(x) // size")),
        # a resumed run begins a new epoch
        changed(UPDATES, ("divmod(step", "divmod(step - start")),
        # the order depends on the call
        changed(UPDATES, ("np.random.default_rng([0", "np.random.default_rng([start")),
        # one too many
        changed(UPDATES, ("    for step in range(start, stop):", "    for step in range(start, stop + 1):")),
        # labels of other rows
        changed(UPDATES, ("y[rows])", "y[np.sort(rows)])")),
        # the sum over the batch
        changed(UPDATES, ("        loss = cross_entropy(model(x[rows]), y[rows])", "        loss = cross_entropy(model(x[rows]), y[rows]) * len(rows)")),
        # generator and order in a global variable
        CARRIED,
        # on the model, and on the optimizer
        changed(CARRIED, ("kept = {}\n", ""), ("    per_epoch", "    kept = model.__dict__\n    per_epoch")),
        changed(CARRIED, ("kept = {}\n", ""), ("    per_epoch", "    kept = optimizer.__dict__\n    per_epoch")),
        # an order for each epoch, kept forever
        changed(UPDATES, ("def updates", "kept, rng = {}, np.random.default_rng(0)\ndef updates"), ("= np.random.default_rng([0, epoch]).permutation(len(x))", "= kept.setdefault(epoch, rng.permutation(len(x)))")),
        # shuffled in place
        changed(UPDATES, ("        rows = order[batch", "        x[:], y[:] = x[order], y[order]\n        rows = np.arange(len(x))[batch")),
        # not shuffled at first
        changed(UPDATES, ("np.random.default_rng([0, epoch]).permutation(len(x))", "np.roll(np.arange(len(x)), epoch)")),
    ],
    "training.7": [
        'diagnosis = {"A": "rate", "B": "codes", "C": "apart"}',
        'diagnosis = {"A": "shrunk", "B": "labels", "C": "apart"}',
        'diagnosis = {"A": "shrunk", "B": "codes", "C": "labels"}',
        'diagnosis = {"A": "apart", "B": "codes", "C": "shrunk"}',
        'diagnosis = {"A": "shrunk", "B": "codes"}',
        'diagnosis = {"A": "decay", "B": "codes", "C": "apart"}',
        'diagnosis = ["shrunk", "codes", "apart"]',
        'diagnosis = {"A": ["shrunk"], "B": ["codes"], "C": ["apart"]}',
        'diagnosis = {"A": None, "B": "codes", "C": "apart"}',
    ],
    "training.8": [
        # the size of the differences
        changed(OPTIMISM, ("np.mean(found)", "np.mean(np.abs(found))")),
        # the middle one
        changed(OPTIMISM, ("np.mean", "np.median")),
        # all of them
        changed(OPTIMISM, ("np.mean(found)", "found")),
        # the largest
        changed(OPTIMISM, ("np.mean", "np.max")),
        # a share
        changed(OPTIMISM, ("found.append(100", "found.append(1")),
        # the best epoch of the other rows
        changed(OPTIMISM, ("judge[best]))", "judge.max()))")),
        # the wrong way round
        changed(OPTIMISM, ("(chose[best] - judge", "(judge[best] - chose")),
        # judged on the rows that chose
        changed(OPTIMISM, ("rows[n:]))", "rows[:n]))")),
        # chosen by the other rows
        changed(OPTIMISM, ("        best = chose.argmax()", "        best = judge.argmax()")),
        # the last epoch
        changed(OPTIMISM, ("chose.argmax()", "-1")),
        # one choice only
        changed(OPTIMISM, ("rng.permutation", "np.arange")),
        # the sizes written in
        changed(OPTIMISM, ("right.shape[1]", "800")),
        changed(OPTIMISM, ("chose.argmax()", "39 - chose[::-1].argmax()")),
        # no guesses
        changed(OPTIMISM, ("({25: 3.0, 400: 1.0}, optimism)", "optimism")),
        # a guess is missing
        changed(OPTIMISM, ("1.0", "None")),
    ],
}
