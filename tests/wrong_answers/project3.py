"Plausible wrong answers to the project of Part III; the checker must refuse each."

LINE = """
from nnbook.checkers.project3 import AHEAD, BACK, river
def columns(flow, edge_index):
    S = np.zeros_like(flow)
    np.add.at(S.T, edge_index[1], flow.T[edge_index[0]])
    parts = [np.log(flow[-1 - k] / flow[-1]) for k in BACK] + [S[-1 - k] / flow[-1] for k in (0, *BACK)]
    return np.stack([*parts, np.ones(flow.shape[1])], axis=1)
known = [river(seed, hours=700) for seed in range(3)]
t = range(23, 690, 5)
w = np.linalg.lstsq(np.concatenate([columns(r.flow[k - 23 : k + 1], r.edge_index) for r in known for k in t]),
                    np.concatenate([np.log(r.flow[k + AHEAD] / r.flow[k]) for r in known for k in t]))[0]
def change(flow, edge_index): return columns(flow, edge_index) @ w
"""

WRONG = {
    "project3.1": [
        # the last reading
        "def forecast(flow, edge_index, x): return flow[-1]",
        # the mean of the day
        "def forecast(flow, edge_index, x): return flow.mean(axis=0)",
        # the trend of three hours goes on
        "def forecast(flow, edge_index, x): return flow[-1] * (flow[-1] / flow[-4]) ** 2",
        # a logarithm in place of a flow
        LINE + "def forecast(flow, edge_index, x): return np.log(flow[-1]) + change(flow, edge_index)",
        # the change alone
        LINE + "def forecast(flow, edge_index, x): return change(flow, edge_index)",
        # a list of moments and gauges
        LINE + "def forecast(flow, edge_index, x): return (flow[-1] * np.exp(change(flow, edge_index)))[None]",
        # against the stream
        LINE + "def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index[::-1]))",
        # no map
        LINE + "def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index[:, :0]))",
        # a gauge's number takes part
        LINE + "def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index) + 0.01 * np.arange(len(x)))",
        # the order of the edges takes part: only the last edge into a gauge counts
        LINE + """
def forecast(flow, edge_index, x):
    S = np.zeros_like(flow)
    S[:, edge_index[1]] = flow[:, edge_index[0]]
    return flow[-1] * np.exp(change(flow, edge_index)) * (1 + 0.01 * S[-1] / flow[-1])
""",
        # another river leaks in
        LINE + """
def forecast(flow, edge_index, x):
    c = change(flow, edge_index)
    return flow[-1] * np.exp(c - 0.2 * c.mean())
""",
        # dropout is still on
        LINE + """
rng = np.random.default_rng()
def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index) + 0.02 * rng.standard_normal(len(x)))
""",
        # spoils what it is given
        LINE + """
def forecast(flow, edge_index, x):
    flow /= 1.001
    return flow[-1] * np.exp(change(flow, edge_index))
""",
        # 40 gauges, as in training
        LINE + """
bias = np.zeros(40)
def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index) + bias)
""",
        # a `return` is missing
        LINE + "def forecast(flow, edge_index, x): flow[-1] * np.exp(change(flow, edge_index))",
        # cubic kilometers
        LINE + "def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index)) * 3600 / 1e9",
        # crashes without edges
        LINE + "def forecast(flow, edge_index, x): return flow[-1] * np.exp(change(flow, edge_index)) * (1 + 0 * edge_index.max())",
    ],
}
