# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# ### Molecules
#
# (prose: atoms are nodes, bonds are edges; 1,282 molecules and the logarithm of how much of each dissolves)

# %% jupyter={"source_hidden": true}
#| code-summary: "imports of this section, and the molecules"
#| code-fold: true
import json, time
from pathlib import Path

from nnbook import data
from nnbook.claims import claim
from nnbook.evaluation import corrected_interval, folds
from nnbook.plots import COLORS, INK, figure, table

try: import torch
except ModuleNotFoundError: torch = None
else: from nnbook.torch import gnn as twins

dissolved = data.solubility()
n_atoms, bonds = len(dissolved.x), dissolved.edge_attr                                             # of all molecules together
bonded = np.bincount(dissolved.edge_index[1], minlength=n_atoms)                                   # neighbours of each atom
spare = np.bincount(dissolved.edge_index[1], bonds - 1, minlength=n_atoms).astype(np.int64)        # bonds beyond one to each neighbour
atoms = np.column_stack([dissolved.x, bonded, spare])                                              # element, charge, hydrogens, neighbours, double bonds
molecules = Graph(dissolved.edge_index, num_nodes=n_atoms, batch=dissolved.batch)

# %% jupyter={"source_hidden": true}
#| code-summary: "the drawing"
#| code-fold: true
symbols = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F", 15: "P", 16: "S", 17: "Cl", 35: "Br", 50: "Sn", 53: "I"}
inks = {6: COLORS["blue"], 7: COLORS["green"], 8: COLORS["orange"]}

def draw_molecule(k, ax, left=None):
    "Molecule k, atoms at places from networkx, hollow where `left` (N,) is false."
    from networkx import kamada_kawai_layout
    one = dissolved.take(np.array([k]))
    at, kept = kamada_kawai_layout(Graph(one.edge_index, num_nodes=len(one.x)).to_networkx().to_undirected()), None if left is None else left[dissolved.batch == k]
    for (a, b), order in zip(one.edge_index.T, one.edge_attr):
        if a < b:
            p, q = np.array(at[a]), np.array(at[b])
            side = 0.03 * np.array([(q - p)[1], -(q - p)[0]]) / np.linalg.norm(q - p)
            for shift in np.arange(order) - (order - 1) / 2: ax.plot(*np.array([p + 2 * shift * side, q + 2 * shift * side]).T, color=INK, linewidth=1.2, zorder=1)
    for i, (element, _, hydrogens) in enumerate(one.x):
        ink = inks.get(int(element), INK)
        ax.scatter(*at[i], s=260, color=ink if kept is None or kept[i] else "none", edgecolors=ink, linewidths=1.4, zorder=2)
        if kept is not None and not kept[i]: ax.scatter(*at[i], s=230, color=ax.get_facecolor(), zorder=2)
        ax.text(*at[i], symbols[int(element)] + ("" if not hydrogens else "H" if hydrogens == 1 else f"H{'₀₁₂₃₄'[hydrogens]}"), ha="center", va="center", fontsize=7.5,
                color="white" if kept is None or kept[i] else INK, zorder=3)
    ax.set_aspect("equal"), ax.axis("off"), ax.margins(0.12)


# %% [markdown]
# (prose: a **scaffold**, Bemis & Murcko, 1996: what is left when leaves are pruned until none is left)

# %%
def scaffold(edge_index, n):
    left = np.ones(n, bool)
    while True:
        inner = edge_index[1, left[edge_index].all(axis=0)]                # ends of the edges that are left
        leaf = left & (np.bincount(inner, minlength=n) < 2)
        if not leaf.any(): return left
        left &= ~leaf

def fingerprints(graph, start, rounds):                                    # how often each neighbourhood occurs in each molecule
    columns = []
    for r in range(rounds + 1):
        kinds, color = np.unique(wl_colors(graph, r, start, bonds), return_inverse=True)
        counts = np.zeros((graph.num_graphs, len(kinds)))
        np.add.at(counts, (graph.batch, color), 1)
        columns.append(counts)
    return columns

ringed = scaffold(dissolved.edge_index, n_atoms)
circles = fingerprints(molecules, atoms, 3)

# %% jupyter={"source_hidden": true}
#| code-summary: "the figure, and the groups of one scaffold"
#| code-fold: true
def groups_of(left):
    "A number for each molecule, the same where the atoms that are left form the same graph of elements, as far as WL colors tell; whatever the bonds' orders."
    inside = left[dissolved.edge_index].all(axis=0)
    color = wl_colors(Graph(dissolved.edge_index[:, inside], num_nodes=n_atoms), 8, dissolved.x[:, :1])
    keys = [[] for _ in range(len(dissolved))]
    for molecule, c in zip(dissolved.batch[left], color[left]): keys[molecule].append(int(c))
    known = {}
    return np.array([known.setdefault(tuple(sorted(key)), len(known)) for key in keys])

groups = groups_of(ringed)
group_sizes = np.bincount(groups)
largest = np.argsort(-group_sizes, kind="stable")[:2]                                               # no ring, and one ring of six carbon atoms
shown = [int(np.flatnonzero(dissolved.frame["name"] == name)[0]) for name in ("caffeine", "lidocaine")]
with figure(len(shown), height=2.7, width=3.2 * len(shown), name="molecule", caption=f"{' and '.join(dissolved.frame['name'][k] for k in shown)} as graphs: atoms, with the hydrogens they hold, and bonds. Filled: the scaffold, what is left when leaves are pruned.",
            alt="Atoms as circles with their elements' letters, joined by single and double lines. Atoms in rings and between rings are filled, those in side chains hollow.") as axes:
    for k, ax in zip(shown, np.atleast_1d(axes)): draw_molecule(k, ax, ringed)

# %% jupyter={"source_hidden": true}
#| code-summary: "three ways to split"
#| code-fold: true
def splits_of(how):
    """Pairs of rows (training, test). given: RDKit's own; random: five folds; scaffold: five folds of scaffolds, so that no test molecule has
    a training molecule's; size: the fifth of the molecules with the most atoms is the test. The two commonest scaffolds are always for training."""
    everyone = np.arange(len(dissolved))
    if how == "given": return [(everyone[: dissolved.n_train], everyone[dissolved.n_train :])]
    if how == "random": return folds(len(dissolved), 5)
    if how == "size":
        order = np.argsort(dissolved.sizes, kind="stable")
        return [(order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :])]
    others = np.setdiff1d(np.unique(groups), largest)
    tests = [np.flatnonzero(np.isin(groups, others[test])) for _, test in folds(len(others), 5)]
    return [(np.setdiff1d(everyone, test), test) for test in tests]

splits = {how: splits_of(how) for how in ("given", "random", "scaffold", "size")}
def rmse(predicted, rows): return float(np.sqrt(np.mean((predicted - dissolved.y[rows]) ** 2)))


# %% jupyter={"source_hidden": true}
#| code-summary: "what needs no network: mean, size, counts, fingerprints"
#| code-fold: true
def ridge(columns, train, test, penalties=10.0 ** np.arange(-2, 4)):
    "Predictions (n_test,) by ridge regression; the penalty by leaving one training row out at a time, in closed form. Also that error."
    columns = columns[:, (columns[train] != 0).sum(axis=0) > 1]
    center = columns[train].mean(axis=0)
    x, y = columns[train] - center, dissolved.y[train]
    if x.shape[1] < len(y): vectors, values = (part for part in np.linalg.svd(x, full_matrices=False)[:2])
    else: values, vectors = np.linalg.eigh(x @ x.T)
    values, on = (values ** 2 if x.shape[1] < len(y) else values.clip(0)), vectors.T @ (y - y.mean())
    best = (np.inf,)
    for penalty in penalties:
        fitted, own = vectors @ (values / (values + penalty) * on), vectors ** 2 @ (values / (values + penalty)) + 1 / len(y)
        left_out = float(np.sqrt(np.mean(((y - y.mean() - fitted) / (1 - own)) ** 2)))
        if left_out < best[0]: best = left_out, vectors @ (on / (values + penalty))
    return (columns[test] - center) @ (x.T @ best[1]) + y.mean(), best[0]

def by_rounds(train, test):
    "Ridge on fingerprints; how many rounds, by the same error. Also the number."
    tried = [ridge(np.concatenate(circles[: r + 1], axis=1), train, test) for r in range(len(circles))]
    r = int(np.argmin([error for _, error in tried]))
    return tried[r][0], r

elements = np.zeros((len(dissolved), 100))
np.add.at(elements, (dissolved.batch, dissolved.x[:, 0]), 1)
counts = np.column_stack([elements[:, elements.any(axis=0)], np.bincount(dissolved.batch, dissolved.x[:, 2]), np.bincount(dissolved.batch, spare), np.bincount(dissolved.batch, bonded) / 2])
simple_errors = {how: {"the mean": [rmse(dissolved.y[train].mean(), test) for train, test in pairs],
                       "the number of atoms": [rmse(ridge(dissolved.sizes[:, None].astype(float), train, test)[0], test) for train, test in pairs],
                       "a handful of counts": [rmse(ridge(counts, train, test)[0], test) for train, test in pairs]} for how, pairs in splits.items()}

# %% [markdown]
# (prose: **Predict** …)

# %% jupyter={"source_hidden": true}
#| code-summary: "a graph network, and how it learns"
#| code-fold: true
def one_hot(values): return (values[:, None] == np.unique(values)).astype(np.float32)

features = np.column_stack([one_hot(column) for column in atoms.T] + [ringed.astype(np.float32)])
kinds_of_bond = one_hot(bonds)
sizes = dissolved.sizes
firsts = np.append(0, np.cumsum(sizes))
n_bonds = np.bincount(dissolved.batch[dissolved.edge_index[0]], minlength=len(dissolved))
first_bonds = np.append(0, np.cumsum(n_bonds))

def spans(starts, lengths):
    "starts[i], starts[i] + 1, ..., lengths[i] numbers, for all i one after another; and each one's i."
    owner = np.repeat(np.arange(len(lengths)), lengths)
    return np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner] + starts[owner], owner

def batch_of(rows):
    "Molecules as one graph, in tensors: x, edge_index, batch, and edge_attr."
    nodes, batch = spans(firsts[rows], sizes[rows])
    edges, owner = spans(first_bonds[rows], n_bonds[rows])
    shift = np.cumsum(sizes[rows]) - sizes[rows] - firsts[rows]
    return [torch.from_numpy(a) for a in (features[nodes], dissolved.edge_index[:, edges] + shift[owner], batch, kinds_of_bond[edges])]

def learn_molecules(train, test, seed, pool="sum", lr=0.01, hidden=64, dropout=0.0, conv="gine", num_layers=3, epochs=40, size=64):
    "Predictions (n_test,) of a network that has learned on the training rows: AdamW on squares, the rate up in 50 steps and on a line to 0."
    torch.manual_seed(seed)
    options = {"conv": conv, "edge_dim": kinds_of_bond.shape[1]} if conv == "gine" else {"conv": conv}
    model = twins.GNN(GNNConfig(features.shape[1], hidden, 1, num_layers=num_layers, norm="batch", pool=pool, dropout=dropout, **options), rng=seed)
    middle, width, order = dissolved.y[train].mean(), dissolved.y[train].std(), stream(seed, "order")
    goal = torch.from_numpy(((dissolved.y - middle) / width).astype(np.float32))
    optimizer, per_epoch = torch.optim.AdamW(model.parameters(), lr, fused=True), len(train) // size
    call = lambda x, edges, batch, kinds: model(x, edges, batch, **({"edge_attr": kinds} if conv == "gine" else {}))[:, 0]
    for step in range(epochs * per_epoch):
        if step % per_epoch == 0: shuffled = order.permutation(train)
        rows = shuffled[step % per_epoch * size :][:size]
        for group in optimizer.param_groups: group["lr"] = lr * min(1, (step + 1) / 50) * (1 - step / (epochs * per_epoch))
        optimizer.zero_grad()
        (call(*batch_of(rows)) - goal[rows]).square().mean().backward()
        optimizer.step()
    with torch.no_grad(): return model.eval()(*(parts := batch_of(test))[:3], **({"edge_attr": parts[3]} if conv == "gine" else {}))[:, 0].numpy() * width + middle

def tuned_for(pool, train, start, ladders):
    "By a fifth of the training rows, seed 0: one ladder after the other. The choice, and all that was tried."
    learning, held = folds(len(train), 5)[0]
    tried, best = {}, start
    def error(choice):
        key = json.dumps(choice)
        if key not in tried:
            tried[key] = round(rmse(learn_molecules(train[learning], train[held], 0, pool, **choice), train[held]), 4)
            print(pool, key, tried[key], time.strftime("%X"), flush=True)
        return tried[key]
    for name, values in ladders.items(): best = min([best] + [best | {name: value} for value in values], key=error)
    return best, tried


# %% jupyter={"source_hidden": true}
#| code-summary: "the long run: fingerprints, forests and graph networks on four splits"
#| code-fold: true
#| slow
from sklearn.ensemble import RandomForestRegressor
torch.set_num_threads(1)
found = {"tuned": {}, "errors": {how: {} for how in splits}, "rounds": {}, "predictions": {}, "seconds": {}}

def forest(train, test, seed):
    columns = np.concatenate([counts, *circles[:3]], axis=1)
    columns = columns[:, (columns[train] != 0).sum(axis=0) > 2]
    return RandomForestRegressor(200, max_features=0.3, random_state=seed).fit(columns[train], dissolved.y[train]).predict(columns[test])

def run_all(name, how, predict, seeds):
    "Predict each fold, or the only one with each seed, and keep the errors; of the given split the predictions, too."
    start, pairs = time.process_time(), splits[how]
    runs = [(train, test, seed) for train, test in pairs for seed in (seeds if len(pairs) == 1 else seeds[:1])]
    predicted = [predict(*run) for run in runs]
    found["errors"][how][name] = [round(rmse(p, test), 4) for p, (_, test, _) in zip(predicted, runs)]
    if how == "given": found["predictions"][name] = [[round(float(v), 2) for v in p] for p in predicted]
    found["seconds"][f"{name}|{how}"] = round((time.process_time() - start) / len(runs), 2)
    print(name, how, found["errors"][how][name], found["seconds"][f"{name}|{how}"], time.strftime("%X"), flush=True)
    _ = Path("results/18_molecules.json").write_text(json.dumps(found))

for how, pairs in splits.items(): found["rounds"][how] = [by_rounds(*pair)[1] for pair in pairs]
for how in splits: run_all("fingerprints, ridge", how, lambda train, test, seed: by_rounds(train, test)[0], (1,))
for how in splits: run_all("fingerprints, forest", how, forest, (1,))
best = {"epochs": 40, "lr": 0.01, "hidden": 32, "dropout": 0.0}
for pool, ladders in (("sum", {"epochs": (80, 160), "lr": (0.003, 0.03), "hidden": (64,), "dropout": (0.1,)}), ("mean", {"lr": (0.003, 0.01, 0.03)}), ("max", {"lr": (0.003, 0.01, 0.03)})):
    best, tried = tuned_for(pool, splits["given"][0][0], best, ladders)                  # the others take the first one's width, dropout and length
    found["tuned"][pool] = {"best": best, "tried": tried}
    for how in ("random", "scaffold", "size", "given"):
        run_all(f"graph network, {pool}", how, lambda train, test, seed: learn_molecules(train, test, seed, pool, **best), (1, 2, 3, 4, 5) if how == "given" and pool == "sum" else (1, 2))

# %% jupyter={"source_hidden": true}
#| code-summary: "the table and the claims"
#| code-fold: true
solubility_runs = stored("18_molecules")
errors_of = {how: simple_errors[how] | solubility_runs["errors"][how] for how in splits}
ways = {"given": "as given", "random": "random", "scaffold": "by scaffold", "size": "larger than all trained on"}

def fold_interval(values, pairs): return corrected_interval(values, *(round(np.mean([len(part) for part in side])) for side in zip(*pairs)))

def error_text(how, name):
    values = errors_of[how][name]
    if len(splits[how]) > 1: return "{:.2f} ± {:.2f}".format(*fold_interval(values, splits[how]))
    return f"{np.mean(values):.2f}"

def difference_text(how, name, other):
    mean, half = fold_interval(np.subtract(errors_of[how][name], errors_of[how][other]), splits[how])
    return f"{mean:+.3f} ± {half:.3f}".replace("-", "−")

table([{"predicted from": name} | {ways[how]: error_text(how, name) for how in splits} for name in errors_of["random"]], name="solubility",
      caption=f"Root mean squared errors of log10 of the solubility on test molecules. As given: RDKit's {dissolved.n_train:,} and {len(dissolved) - dissolved.n_train:,}, networks: means of two seeds, of five for sums. Random, by scaffold: five folds, "
              "with 95% intervals that allow for folds sharing training molecules; by scaffold, no test molecule has the skeleton of a training molecule, and the two commonest skeletons (none at all, and a ring of six carbon atoms) are always for training. "
              "Last column: the fifth with the most atoms, networks of two seeds. All choices were made within the training molecules.")
table([{"difference of errors": f"{name} − {other}"} | {ways[how]: difference_text(how, name, other) for how in ("random", "scaffold")}
       for name, other in (("graph network, sum", "fingerprints, ridge"), ("graph network, sum", "graph network, mean"), ("graph network, sum", "graph network, max"), ("fingerprints, forest", "fingerprints, ridge"))], name="solubility-pairs",
      caption="Differences of errors on the same five folds, with 95% intervals; below 0 the first one is better.")
