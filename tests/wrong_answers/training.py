"Plausible wrong answers to the exercises of the chapter on training: each must be refused."
WRONG = {
    "training.1": [
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
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch, rng, last = -(-len(x) // size), np.random.default_rng(0), None
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        if epoch != last: order, last = rng.permutation(len(x)), epoch
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # a generator made once per call, and an order for each update
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch, rng = -(-len(x) // size), np.random.default_rng(0)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = rng.permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
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
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng(0).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # another order for each update
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng().permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # with replacement
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).integers(0, len(x), len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # the last batch is left out
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = len(x) // size
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # a resumed run begins a new epoch
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step - start, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # the order depends on the call
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([start, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # one too many
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop + 1):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # labels of other rows
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[np.sort(rows)])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # the sum over the batch
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.random.default_rng([0, epoch]).permutation(len(x))
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows]) * len(rows)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
        # not shuffled at first
        """
from nnbook.autograd import cross_entropy
def updates(model, optimizer, x, y, size, start, stop):
    per_epoch = -(-len(x) // size)
    for step in range(start, stop):
        epoch, batch = divmod(step, per_epoch)
        order = np.roll(np.arange(len(x)), epoch)
        rows = order[batch * size : (batch + 1) * size]
        loss = cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
""",
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
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(np.abs(found))
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # the middle one
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.median(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # all of them
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return found
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # the largest
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.max(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # a share
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(1 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # the best epoch of the other rows
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge.max()))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # the wrong way round
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (judge[best] - chose[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # judged on the rows that chose
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[:n]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # chosen by the other rows
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = judge.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # the last epoch
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = -1
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # one choice only
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = np.arange(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: 1.0}, optimism)
""",
        # no guesses
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = optimism
""",
        # a guess is missing
        """
def optimism(right, n):
    rng, found = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.permutation(right.shape[1])
        chose, judge = (right[:, r].mean(axis=1) for r in (rows[:n], rows[n:]))
        best = chose.argmax()
        found.append(100 * (chose[best] - judge[best]))
    return np.mean(found)
answer = ({25: 3.0, 400: None}, optimism)
""",
    ],
}
