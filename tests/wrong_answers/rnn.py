"Plausible wrong answers to the exercises of the chapter on recurrent networks; every checker must refuse its own."

COUNT = """def lstm_parameters(input_size, hidden_size, num_layers=1, bidirectional=False):
    directions, total, reads = {directions}, 0, input_size
    for _ in range(num_layers):
        total += directions * {layer}
        reads = {reads}
    return total"""
COUNTED = {"directions": "1 + bidirectional", "layer": "4 * hidden_size * (reads + hidden_size + 2)", "reads": "directions * hidden_size"}

LSTM = """def lstm(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    sigmoid, states = lambda z: 1 / (1 + np.exp(-z)), []
    {before}
    for t in range(x.shape[1]):
        z = {z}
        {split}
        {cell}
        {hidden}
        states.append(h)
        {after}
    return {end}"""
BUILT = {"before": "pass", "z": "x[:, t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh", "split": "i, f, g, o = np.split(z, 4, axis=1)", "after": "pass",
         "cell": "c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)", "hidden": "h = sigmoid(o) * np.tanh(c)", "end": "np.stack(states, axis=1), h, c"}

PIECES = """def pieces(tokens, batch_size, seq_len):
    n = {n}
    x = {x}
    y = {y}
    for t in range(0, {until}, {step}):
        yield x[:, t : t + seq_len], y[:, t : t + seq_len]"""
STREAMS = {"n": "(len(tokens) - 1) // batch_size", "x": "tokens[: batch_size * n].reshape(batch_size, n)", "y": "tokens[1 : batch_size * n + 1].reshape(batch_size, n)",
           "until": "n - seq_len + 1", "step": "seq_len"}

SPEAKERS = """from nnbook.autograd import cross_entropy, no_grad
from nnbook.optim import Adam
from nnbook.rnn import SequenceClassifier
def speakers(x, lengths, y, x_new, lengths_new):
    speech = {speech}
    scaled = lambda x: {scaled}
    model, rng = SequenceClassifier(12, 16, 9, rng=0), np.random.default_rng(0)
    optimizer = Adam(model.parameters(), 0.01)
    for _ in range({steps}):
        rows = rng.integers(0, len(x), 32)
        loss = cross_entropy(model(scaled(x[rows]), {lengths}), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with no_grad(): return {answer}"""
HEARD = {"scaled": "(x - speech.mean(axis=0)) / speech.std(axis=0)", "speech": "x[np.arange(x.shape[1]) < lengths[:, None]]", "steps": "60", "lengths": "lengths[rows]", "answer": "model(scaled(x_new), lengths_new).data.argmax(axis=1)"}
CENTROIDS = """def speakers(x, lengths, y, x_new, lengths_new):
    inside = lambda x, lengths: (np.arange(x.shape[1]) < lengths[:, None])[..., None]
    mean = lambda x, lengths: {mean}
    centers = np.stack([mean(x, lengths)[y == k].mean(axis=0) for k in range(9)])
    return np.square(mean(x_new, lengths_new)[:, None] - centers).sum(axis=2).argmin(axis=1)"""

WRONG = {
    "rnn.1": [
        COUNT.format(**COUNTED | {"layer": "4 * hidden_size * (reads + hidden_size + 1)"}),                 # one bias
        COUNT.format(**COUNTED | {"layer": "4 * hidden_size * (reads + hidden_size)"}),
        COUNT.format(**COUNTED | {"layer": "3 * hidden_size * (reads + hidden_size + 2)"}),                 # the GRU's
        COUNT.format(**COUNTED | {"layer": "hidden_size * (reads + hidden_size + 2)"}),
        COUNT.format(**COUNTED | {"layer": "4 * hidden_size * (reads + 2)"}),                               # nothing from the state
        COUNT.format(**COUNTED | {"reads": "input_size"}),                                                  # each layer reads the input
        COUNT.format(**COUNTED | {"reads": "hidden_size"}),                                                 # the second reads one direction
        COUNT.format(**COUNTED | {"directions": "1"}),
        COUNT.format(**COUNTED).replace("return total", "return total * num_layers"),
        "def lstm_parameters(input_size, hidden_size, num_layers=1, bidirectional=False): return 4 * hidden_size * (input_size + hidden_size + 2)",
        COUNT.format(**COUNTED).replace("return total", "print(total)"),
        COUNT.format(**COUNTED).replace("=1", "").replace("=False", ""),                                    # no defaults
    ],
    "rnn.2": [
        LSTM.format(**BUILT | {"split": "i, f, o, g = np.split(z, 4, axis=1)"}),                            # another library's order
        LSTM.format(**BUILT | {"split": "f, i, g, o = np.split(z, 4, axis=1)"}),
        LSTM.format(**BUILT | {"split": "i, f, g, o = z[:, 0::4], z[:, 1::4], z[:, 2::4], z[:, 3::4]"}),    # interleaved
        LSTM.format(**BUILT | {"cell": "c = sigmoid(f) * c + sigmoid(i) * sigmoid(g)"}),
        LSTM.format(**BUILT | {"cell": "c = f * c + i * np.tanh(g)"}),
        LSTM.format(**BUILT | {"cell": "c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(g)"}),              # one gate for both
        LSTM.format(**BUILT | {"hidden": "h = sigmoid(o) * c"}),
        LSTM.format(**BUILT | {"cell": "c, old = sigmoid(f) * c + sigmoid(i) * np.tanh(g), c", "hidden": "h = sigmoid(o) * np.tanh(old)"}),
        LSTM.format(**BUILT | {"z": "x[:, t] @ weight_ih.T + bias_ih + h @ weight_hh.T"}),
        LSTM.format(**BUILT | {"z": "x[:, t] @ weight_ih.T + h @ weight_hh.T + bias_hh"}),
        LSTM.format(**BUILT | {"z": "x[:, t] @ weight_ih.T + bias_ih + c @ weight_hh.T + bias_hh"}),        # the gates read the cell
        LSTM.format(**BUILT | {"before": "h0, c0 = h, c", "after": "h, c = h0, c0"}),                       # forgets to carry
        LSTM.format(**BUILT | {"before": "h, c = 0 * h, 0 * c"}),                                           # starts from zeros
        LSTM.format(**BUILT | {"end": "np.stack(states), h, c"}),                                           # steps first
        LSTM.format(**BUILT | {"end": "np.stack(states, axis=1), c, h"}),
        LSTM.format(**BUILT | {"end": "np.stack(states, axis=1), (h, c)"}),
        LSTM.format(**BUILT | {"end": "[np.stack(states, axis=1), [h, c]]"}),
        LSTM.format(**BUILT | {"end": "h, c"}),
        LSTM.format(**BUILT | {"cell": "c *= sigmoid(f); c += sigmoid(i) * np.tanh(g)"}),                   # writes into the first state
        LSTM.format(**BUILT).replace("return", "result ="),
        "from nnbook.rnn import lstm_step\ndef lstm(x, h, c, *weights):\n    out = []\n    for t in range(x.shape[1]):\n        h, c = lstm_step(x[:, t], h, c, *weights)\n        out.append(h.data)\n    return np.stack(out, 1), h.data, c.data",
        "import torch\ndef lstm(x, h, c, *weights): return torch.lstm(x, h, c, *weights)",
        "import nnbook.kernels as ready\ndef helper(*a): return ready.lstm(*a)\ndef lstm(*a): return tuple(t.data for t in helper(*a))",
    ],
    "rnn.3": [
        """def pieces(tokens, batch_size, seq_len):
    rows = tokens[: len(tokens) // (seq_len + 1) * (seq_len + 1)].reshape(-1, seq_len + 1)
    for i in range(0, len(rows) - batch_size + 1, batch_size):
        block = rows[i : i + batch_size]
        yield block[:, :-1], block[:, 1:]""",                                                              # the one shown
        """def pieces(tokens, batch_size, seq_len):
    n = (len(tokens) - 1) // seq_len
    x, y = tokens[: n * seq_len].reshape(n, seq_len), tokens[1 : n * seq_len + 1].reshape(n, seq_len)
    for i in range(0, n - batch_size + 1, batch_size): yield x[i : i + batch_size], y[i : i + batch_size]""",   # no character lost, and still the wrong rows
        """def pieces(tokens, batch_size, seq_len):
    n = len(tokens) // batch_size
    rows = tokens[: batch_size * n].reshape(batch_size, n)
    for t in range(0, n - seq_len, seq_len + 1): yield rows[:, t : t + seq_len], rows[:, t + 1 : t + seq_len + 1]""",   # the right rows, and a character lost
        """def pieces(tokens, batch_size, seq_len):
    n = (len(tokens) - 1) // batch_size
    x, y = tokens[: batch_size * n].reshape(batch_size, n), tokens[1 : batch_size * n + 1].reshape(batch_size, n)
    for t in np.random.default_rng(0).permutation(np.arange(0, n - seq_len + 1, seq_len)): yield x[:, t : t + seq_len], y[:, t : t + seq_len]""",   # shuffled
        PIECES.format(**STREAMS | {"x": "tokens[: batch_size * n].reshape(n, batch_size).T", "y": "tokens[1 : batch_size * n + 1].reshape(n, batch_size).T"}),   # dealt out like cards
        PIECES.format(**STREAMS | {"y": "x"}),
        PIECES.format(**STREAMS | {"y": "np.roll(x, -1, axis=1)"}),                                         # the end of a stream meets its beginning
        PIECES.format(**STREAMS | {"y": "np.roll(tokens, 1)[: batch_size * n].reshape(batch_size, n)"}),
        PIECES.format(**STREAMS | {"step": "1"}),                                                           # a window that slides
        PIECES.format(**STREAMS | {"until": "n - seq_len"}),                                                # one batch too few where it fits exactly
        """def pieces(tokens, batch_size, seq_len):
    n = len(tokens) // batch_size
    rows = tokens[: batch_size * n].reshape(batch_size, n)
    for t in range(0, n - seq_len, seq_len): yield rows[:, t : t + seq_len], rows[:, t + 1 : t + seq_len + 1]""",   # streams that hold their last y themselves
        PIECES.format(**STREAMS | {"until": "n"}),                                                          # a short last batch
        PIECES.format(**STREAMS).replace("yield x[:, t : t + seq_len], y[:, t : t + seq_len]", "yield x[:, t : t + seq_len].T, y[:, t : t + seq_len].T"),
        "from nnbook.rnn import text_batches\ndef pieces(tokens, batch_size, seq_len): return text_batches(tokens, batch_size, seq_len)",
        "def pieces(tokens, batch_size, seq_len): return []",
    ],
    "rnn.4": [
        "def forget_bias(lag): return 0.5 ** (1 / lag)",
        "def forget_bias(lag): return np.log(0.5 ** (1 / lag))",
        "def forget_bias(lag): return -np.log(0.5 ** (1 / lag) / (1 - 0.5 ** (1 / lag)))",
        "def forget_bias(lag): return np.log2(0.5 ** (1 / lag) / (1 - 0.5 ** (1 / lag)))",
        "def forget_bias(lag): return np.log(lag / np.log(2))",
        "def forget_bias(lag): return np.log(max(lag, 2) - 1)",
        "def forget_bias(lag): return np.log(lag)",
        "def forget_bias(lag): f = 1 - 1 / (2 * lag); return np.log(f / (1 - f))",                          # as if the losses added up
        "def forget_bias(lag): return 1.0",
        "def forget_bias(lag): return 0.0",
        "def forget_bias(lag): return lag * np.log(2)",
        "def forget_bias(lag): f = 0.5 ** lag; return np.log(f / (1 - f))",
        "def forget_bias(lag): f = 0.5 ** (1 / lag); print(np.log(f / (1 - f)))",
    ],
    "rnn.5": [
        SPEAKERS.format(**HEARD | {"lengths": "None", "answer": "model(scaled(x_new)).data.argmax(axis=1)"}),   # reads the padding
        SPEAKERS.format(**HEARD | {"answer": "model(scaled(x_new)).data.argmax(axis=1)"}),                      # reads it in the test only
        SPEAKERS.format(**HEARD | {"speech": "x.reshape(-1, 12)", "steps": "100"}),                              # a scale that hears the padding
        SPEAKERS.format(**HEARD | {"scaled": "x"}),
        SPEAKERS.format(**HEARD | {"steps": "3"}),
        SPEAKERS.format(**HEARD | {"steps": "0"}),
        SPEAKERS.format(**HEARD | {"answer": "model(scaled(x_new), lengths_new)"}),                              # scores
        SPEAKERS.format(**HEARD | {"answer": "1 + model(scaled(x_new), lengths_new).data.argmax(axis=1)"}),
        SPEAKERS.format(**HEARD | {"answer": "np.sort(model(scaled(x_new), lengths_new).data.argmax(axis=1))"}),
        SPEAKERS.format(**HEARD | {"answer": "model(scaled(x), lengths).data.argmax(axis=1)"}),                  # of the training utterances
        CENTROIDS.format(mean="x.mean(axis=1)"),                                                                # with the padding
        CENTROIDS.format(mean="np.where(inside(x, lengths), x, 0).sum(axis=1) / lengths[:, None]"),             # of the speech alone, and too simple
        CENTROIDS.format(mean="x[:, 0]"),                                                                       # the first frame
        "def speakers(x, lengths, y, x_new, lengths_new): return np.zeros(len(x_new), int)",
    ],
}
