"Plausible wrong answers to the exercises of the chapter on graph networks; every checker must refuse its own."

ALIKE = """def looks_alike(first, second):
    (edges, n), (others, m) = first, second
    source, target = np.concatenate([edges, np.asarray(others) + n], axis=1)
    colors = [0] * (n + m)
    for turn in range({rounds}):
        around = [[] for _ in colors]
        for j, i in zip(source, target): around[i].append(colors[j])
        seen = [{seen} for own, others in zip(colors, around)]
        names = {{what: k for k, what in enumerate({order})}}
        colors = [names[what] for what in seen]
    return {answer}"""
REFINED = {"rounds": "n + m", "seen": "(own, *sorted(others))", "order": "sorted(set(seen))", "answer": "sorted(colors[:n]) == sorted(colors[n:])"}

GCN = """def gcn(x, edge_index, weights):
    n = len(x)
    loops = np.arange(n)
    source, target = {edges}
    degree = {degree}
    with np.errstate(all="ignore"): factor = {factor}
    for i, (W, b) in enumerate(weights):
        messages = factor[:, None] * (x @ W.T)[source]
        x = np.zeros((n, len(W)))
        {sum}
        x = {bias}
        {between}
    return x"""
CONVOLVED = {"edges": "np.concatenate([edge_index, [loops, loops]], axis=1)", "degree": "np.bincount(target, minlength=n)", "factor": "1 / np.sqrt(degree[source] * degree[target])", "sum": "np.add.at(x, target, messages)", "bias": "x + b",
             "between": "if i < len(weights) - 1: x = np.maximum(x, 0)"}

OUT = """def read_out(x, edge_index, batch, num_graphs, W):
    source, target = edge_index
    h = {start}
    {sum}
    h = {relu}
    {early}
    graphs = []
    for g in {graphs}:
        own = h[batch == g]
        {late}
        graphs.append({pooled})
    return np.stack(graphs)"""
READ = {"start": "x.astype(float)", "sum": "np.add.at(h, target, x[source])", "relu": "np.maximum(h @ W.T, 0)", "early": "", "graphs": "range(num_graphs)", "late": "own = own / np.sqrt(((own * own).mean(axis=0) if len(own) else 0) + 1e-5)",
        "pooled": "own.sum(axis=0)"}

END = """def in_the_end(edge_index, x):
    source, target = edge_index
    piece = {start}
    for _ in range(len(x)): np.minimum.at(piece, target, piece[source])
    degree = np.bincount(target, minlength=len(x)) + {own}
    w = {weight}
    total, norm = np.zeros(x.shape), np.zeros(len(x))
    np.add.at(total, piece, w[:, None] * x)
    np.add.at(norm, piece, {norm})
    with np.errstate(all="ignore"): return {answer}"""
LIMIT = {"start": "np.arange(len(x))", "own": "1", "weight": "np.sqrt(degree)", "norm": "w**2", "answer": "w[:, None] * total[piece] / norm[piece][:, None]"}
STEPS = """def in_the_end(edge_index, x):
    n = len(x)
    A = np.eye(n)
    np.add.at(A, tuple(edge_index[::-1]), 1)
    d = A.sum(axis=1)
    return np.linalg.matrix_power({matrix}, {steps}) @ x"""

RANK = """def filtered_rank(scores, answer, known):
    rivals = np.ones(len(scores), bool)
    rivals[known] = {left_out}
    rivals[answer] = {itself}
    above = (scores[rivals] {better} scores[answer]).sum()
    equal = (scores[rivals] == scores[answer]).sum()
    return float({rank})"""
RANKED = {"left_out": "False", "itself": "False", "better": ">", "rank": "1 + above + equal / 2"}

WRONG = {
    "gnn.1": [
        ALIKE.format(**REFINED | {"rounds": "1"}),
        ALIKE.format(**REFINED | {"rounds": "2"}),
        ALIKE.format(**REFINED | {"rounds": "3"}),
        ALIKE.format(**REFINED | {"seen": "(own, *sorted(set(others)))"}),                                   # which, not how many
        ALIKE.format(**REFINED | {"seen": "(own, *others)"}),                                                # in the order of the list
        ALIKE.format(**REFINED | {"order": "sorted(set(seen))", "answer": "colors[:n] == colors[n:]"}),      # by the nodes' numbers
        ALIKE.format(**REFINED | {"answer": "len(set(colors[:n])) == len(set(colors[n:]))"}),
        ALIKE.format(**REFINED | {"answer": "set(colors[:n]) == set(colors[n:])"}),
        ALIKE.format(**REFINED | {"answer": "n == m and set(colors[:n]) == set(colors[n:])"}),
        ALIKE.format(**REFINED | {"answer": "not sorted(colors[:n]) == sorted(colors[n:])"}),
        ALIKE.format(**REFINED | {"seen": "(own, sum(others))", "order": "sorted(set(seen))"}),              # a sum is not a multiset
        ALIKE.format(**REFINED).replace("np.asarray(others) + n", "np.asarray(others)"),                     # the second graph lies upon the first
        "def looks_alike(first, second):\n    return sorted(np.bincount(first[0][1], minlength=first[1])) == sorted(np.bincount(second[0][1], minlength=second[1]))",     # degrees alone
        "def looks_alike(first, second):\n    return first[1] == second[1] and first[0].shape == second[0].shape",
        "def looks_alike(first, second):\n    def colors(edges, n):\n        c = [0] * n\n        for _ in range(n):\n            around = [[] for _ in c]\n            for j, i in edges.T: around[i].append(c[j])\n"
        "            seen = [(a, *sorted(b)) for a, b in zip(c, around)]\n            names = {}\n            c = [names.setdefault(s, len(names)) for s in seen]\n        return sorted(c)\n    return colors(*first) == colors(*second)",   # names of each graph's own
        "from nnbook.gnn import wl_colors\ndef looks_alike(first, second): return sorted(wl_colors(first[0])) == sorted(wl_colors(second[0]))",
        "import networkx as nx\ndef looks_alike(first, second):\n    return len({nx.weisfeiler_lehman_graph_hash(nx.from_edgelist(g[0].T.tolist())) for g in (first, second)}) == 1",
        """def looks_alike(first, second):
    def alone(edges, n):
        colors = [0] * n
        for turn in range(n):
            around = [[] for _ in colors]
            for j, i in edges.T: around[i].append(colors[j])
            seen = [(own, *sorted(others)) for own, others in zip(colors, around)]
            names = {what: k for k, what in enumerate(sorted(set(seen)))}
            colors = [names[what] for what in seen]
        return sorted(colors)
    return alone(*first) == alone(*second)""",                                                               # colors named in each graph for itself
    ],
    "gnn.2": [
        GCN.format(**CONVOLVED | {"edges": "edge_index"}),
        GCN.format(**CONVOLVED | {"degree": "np.bincount(edge_index[1], minlength=n)"}),
        GCN.format(**CONVOLVED | {"degree": "np.bincount(source, minlength=n)"}),
        GCN.format(**CONVOLVED | {"degree": "np.bincount(np.concatenate([source, target]), minlength=n)"}),
        GCN.format(**CONVOLVED | {"factor": "1 / degree[target]"}),
        GCN.format(**CONVOLVED | {"factor": "1 / degree[source]"}),
        GCN.format(**CONVOLVED | {"factor": "1 / (degree[source] * degree[target])"}),
        GCN.format(**CONVOLVED | {"factor": "np.ones(len(source))"}),
        GCN.format(**CONVOLVED).replace("source, target =", "target, source ="),
        GCN.format(**CONVOLVED | {"sum": "x[target] += messages"}),
        GCN.format(**CONVOLVED | {"bias": "x"}),
        GCN.format(**CONVOLVED | {"between": "x = np.maximum(x, 0)"}),
        GCN.format(**CONVOLVED | {"between": ""}),
        GCN.format(**CONVOLVED | {"edges": "np.concatenate([np.unique(edge_index, axis=1), [loops, loops]], axis=1)"}),
        GCN.format(**CONVOLVED | {"edges": "np.concatenate([edge_index, edge_index[::-1], [loops, loops]], axis=1)"}),   # both directions
        GCN.format(**CONVOLVED).replace("x @ W.T)[source]", "x @ W.T + b)[source]").replace("x = x + b", "x = x"),       # a bias in each message
        GCN.format(**CONVOLVED).replace("    return x", "        break\n    return x"),
        "from nnbook.gnn import GCNConv\ndef gcn(x, edge_index, weights): return GCNConv(3, 3)(x, edge_index).data",
        GCN.format(**CONVOLVED).replace("    return x", "    x"),
    ],
    "gnn.3": [
        OUT.format(**READ | {"start": "x.copy()", "sum": "h[target] += x[source]", "early": "h = h / np.sqrt((h * h).mean(axis=0) + 1e-5)", "graphs": "np.unique(batch)", "late": ""}),   # as it was
        OUT.format(**READ | {"sum": "h[target] += x[source]"}),
        OUT.format(**READ | {"graphs": "np.unique(batch)"}),
        OUT.format(**READ | {"early": "h = h / np.sqrt((h * h).mean(axis=0) + 1e-5)", "late": ""}),
        OUT.format(**READ | {"sum": "h[target] += x[source]", "early": "h = h / np.sqrt((h * h).mean(axis=0) + 1e-5)", "late": ""}),
        OUT.format(**READ | {"late": "own = own / np.sqrt((own * own).mean(axis=0) + 1e-5)", "pooled": "own.mean(axis=0)"}),
        OUT.format(**READ | {"late": "own = own / np.sqrt((own * own).mean(axis=1, keepdims=True) + 1e-5)"}),
        OUT.format(**READ | {"late": ""}),
        OUT.format(**READ | {"start": "np.zeros(x.shape)"}),
        OUT.format(**READ | {"relu": "h @ W.T"}),
        OUT.format(**READ | {"graphs": "range(int(batch.max()) + 1)"}),
        OUT.format(**READ | {"late": "own = own / np.sqrt((own * own).sum(axis=0) / max(len(own) - 1, 1) + 1e-5)"}),
        OUT.format(**READ).replace("h = x.astype(float)", "h = x"),                                          # spoils what it is given
        OUT.format(**READ).replace("    return np.stack(graphs)", "    np.stack(graphs)"),
        OUT.format(**READ | {"sum": "np.add.at(h, source, x[target])"}),                                          # against the edges
        OUT.format(**READ | {"late": READ["late"].replace("mean(axis=0)", "mean(axis=1, keepdims=True)")}),      # each node, not each feature
    ],
    "gnn.4": [
        END.format(**LIMIT | {"start": "np.zeros(len(x), int)"}),
        END.format(**LIMIT | {"own": "0"}),
        END.format(**LIMIT | {"weight": "np.ones(len(x))"}),
        END.format(**LIMIT | {"weight": "degree.astype(float)"}),
        END.format(**LIMIT | {"weight": "degree.astype(float)", "norm": "w", "answer": "total[piece] / norm[piece][:, None]"}),
        END.format(**LIMIT | {"answer": "total[piece] / norm[piece][:, None]"}),
        END.format(**LIMIT | {"norm": "w"}),
        "def in_the_end(edge_index, x): return np.zeros_like(x)",
        "def in_the_end(edge_index, x): return np.broadcast_to(x.mean(axis=0), x.shape)",
        "def in_the_end(edge_index, x): return x",
        STEPS.format(matrix="A / np.sqrt(d[:, None] * d)", steps=50),
        STEPS.format(matrix="A / d[:, None]", steps=20000),
        STEPS.format(matrix="A / d", steps=20000),
        STEPS.format(matrix="A", steps=9),
    ],
    "gnn.5": [
        RANK.format(**RANKED | {"rank": "1 + above"}),
        RANK.format(**RANKED | {"rank": "1 + above + equal"}),
        RANK.format(**RANKED | {"rank": "above + equal / 2"}),
        RANK.format(**RANKED | {"left_out": "True"}),
        RANK.format(**RANKED | {"itself": "True"}),
        RANK.format(**RANKED | {"better": "<"}),
        RANK.format(**RANKED | {"better": ">=", "rank": "1 + above"}),
        RANK.format(**RANKED | {"left_out": "True", "rank": "1 + above"}),
        RANK.format(**RANKED).replace("float(", "1 / ("),                                                    # the reciprocal
        "def filtered_rank(scores, answer, known):\n    order = np.argsort(-scores)\n    return 1 + sum(e not in known for e in order[: list(order).index(answer)])",   # ties as they come
        "def filtered_rank(scores, answer, known):\n    scores[known] = -np.inf\n    return 1 + (scores > scores[answer]).sum()",    # the answer, too, and it spoils the scores
        "def filtered_rank(scores, answer, known):\n    rest = np.delete(scores, known)\n    return 1.0 + (rest > rest[answer]).sum() + ((rest == rest[answer]).sum() - 1) / 2",    # the answer has moved
        "from nnbook.gnn import filtered_ranks\ndef filtered_rank(scores, answer, known): return filtered_ranks(scores)",
        RANK.format(**RANKED | {"rank": "1 / (1 + above + equal / 2)"}),                                        # the reciprocal
    ],
}
