# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# ### Facts
#
# A **knowledge graph** is a list of triples: head, relation, tail. UMLS has 135 kinds of things in medicine, and 46 relations; a test asks *virus – causes – ?*, and every entity is scored. A right answer's **filtered rank** counts only the entities above it that are not right, too; its mean reciprocal is the **MRR**. Each entity and each relation gets a vector, and a **scorer** makes a number of three of them. **DistMult** ([Yang et al., 2015](99_references.ipynb#yang2015)) and **ComplEx** ([Trouillon et al., 2016](99_references.ipynb#trouillon2016)):

# %% jupyter={"source_hidden": true}
#| code-summary: "imports of this section, and the facts"
#| code-fold: true
import json, time
from pathlib import Path

from nnbook import data
from nnbook.claims import claim
from nnbook.evaluation import mean_interval
from nnbook.plots import table

try: import torch
except ModuleNotFoundError: torch = None
else: from nnbook.torch import gnn as twins

facts = data.umls()

# %%
def distmult(head, relation, tail):                       # real numbers, (d,) each
    return (head * relation * tail).sum()

def complex_(head, relation, tail):                       # complex numbers, (d,) each
    return (head * relation * tail.conj()).sum().real

# %% [markdown]
# `distmult` does not change when head and tail are exchanged: it says of *virus – causes – disease* what it says of *disease – causes – virus*. ComplEx conjugates one of the two, and can differ. An **R-GCN** ([Schlichtkrull et al., 2018](99_references.ipynb#schlichtkrull2018)) lets entities first hear their neighbours, through a matrix for each relation, and hands what comes out to `distmult`.
#
# What do such models have to beat? How often an entity stands in this place with this relation; and a rule: of the pairs that one relation links, the share that another one links, too.

# %%
def both_ways(triples, R):                                # (h, r, ?) asks for a tail, (t, r + R, ?) for a head
    head, relation, tail = triples.T
    return np.concatenate([triples, np.column_stack([tail, relation + R, head])])

def known_of(triples, graph):
    known = np.zeros((2 * len(graph.relations), len(graph.entities), len(graph.entities)))
    head, relation, tail = both_ways(triples, len(graph.relations)).T
    known[relation, head, tail] = 1
    return known                                          # (2R, N, N)

def by_frequency(known, questions):                       # how often an entity stands there, with this relation
    return known.sum(axis=1)[questions[:, 1]]             # (Q, N)

def trust_of(known):
    flat = known.reshape(len(known), -1)                  # (2R, N * N)
    trust = flat @ flat.T / (flat.sum(axis=1, keepdims=True) + 1)
    return trust * (1 - np.eye(len(known)))               # [a, b]: of the pairs that a links, the share that b links too

def by_rule(known, questions, tie=0.01):                  # the best rule that speaks for an answer; ties: the frequent one
    head, relation, _ = questions.T
    best = (trust_of(known)[:, relation, None] * known[:, head]).max(axis=0)
    return best + tie * by_frequency(known, questions) / known.sum(axis=1).max()

# %% jupyter={"source_hidden": true}
#| code-summary: "how answers are measured, and who knows a reverse"
#| code-fold: true
def asked(graph, part="test"): return both_ways(getattr(graph, part), len(graph.relations))

def all_known(graph): return known_of(np.concatenate([graph.train, graph.validation, graph.test]), graph)

def ranks_of(scores, questions, known):
    "The answers' filtered ranks, (Q,)."
    head, relation, tail = questions.T
    return filtered_ranks(scores, tail, known[relation, head])

def measured(scores, questions, known): return {name: round(value, 5) for name, value in ranking_metrics(ranks_of(scores, questions, known), (1, 10)).items()}

def spoken_for(graph, level, support=5):
    """Shares of the test facts, and of the wrong answers to their questions, for which a rule of one step speaks that held in training
    for at least `support` pairs and this share of them: by a relation turned round, by one the same way, by either."""
    train, R, everything = known_of(graph.train, graph), len(graph.relations), all_known(graph)
    rules = (trust_of(train) >= level) & (train.sum(axis=(1, 2)) >= support)[:, None]                  # (2R, 2R)
    head, relation, tail = graph.test.T
    speaks = rules[:, relation, None] * train[:, head] > 0                                            # (2R, Q, N)
    right, wrong = speaks[:, np.arange(len(tail)), tail], speaks[:, everything[relation, head] == 0]
    return {"turned round": right[R:].any(axis=0).mean(), "same way": right[:R].any(axis=0).mean(), "either": right.any(axis=0).mean(),
            "wrong answers": wrong.any(axis=0).mean()}


# %% jupyter={"source_hidden": true}
#| code-summary: "what needs no vectors: the tables"
#| code-fold: true
simple = {}
for graph in (facts, data.nations()):
    questions, train, everything = asked(graph), known_of(graph.train, graph), all_known(graph)
    simple[graph.source.name] = {"all answers alike": measured(np.zeros((len(questions), len(graph.entities))), questions, everything),
                                 "how often it stands there": measured(by_frequency(train, questions), questions, everything),
                                 "rules of one step": measured(by_rule(train, questions), questions, everything)}
table([{"set": graph.source.name, "rule held in training": f"≥ {level:.0%}" if level > 0.01 else "ever"} | {name: f"{share:.1%}" for name, share in spoken_for(graph, level).items()}
       for graph in (facts, data.nations()) for level in (0.01, 0.5, 0.7)], name="spoken-for",
      caption="Shares of the test facts for which a rule speaks: whoever stands in one relation, in training, mostly stands in the other, too. Last column: the same share of wrong answers to the same questions. "
              "A fifth of the facts is held out, so that a rule without exception looks as if it held in four of five cases.")

# %% [markdown]
# **Predict**: on which of the two sets does a rule of one step, *whoever exports to you buys from you*, do better than frequency? And how many of DistMult's errors come from its blindness to direction?

# %% jupyter={"source_hidden": true}
#| code-summary: "three models that learn, and how they are tuned"
#| code-fold: true
if torch:
    class RGCNDistMult(torch.nn.Module):
        """`RGCNConv` over the training facts, both ways, then `DistMult` (Schlichtkrull et al., 2018).

        All relations' means are one segment sum, over pairs of an entity and a relation: the same numbers as the layer's own loop, sooner.
        """
        def __init__(self, graph, d, rng, dropout=0.2):
            super().__init__()
            n, K = len(graph.entities), 2 * len(graph.relations)
            self.decoder, self.conv, self.dropout = twins.DistMult(n, K, d, rng=rng), twins.RGCNConv(d, d, K, rng=rng), torch.nn.Dropout(dropout)
            self.source, relation, target = torch.from_numpy(both_ways(graph.train, K // 2).T.copy())
            self.place = target * K + relation
            self.share = 1 / torch.bincount(self.place, minlength=n * K)[self.place, None]                 # of the mean
        def nodes(self):
            x = self.dropout(self.decoder.node_emb.weight)
            heard = x.new_zeros(len(x) * len(self.conv.weight), x.shape[1]).index_add(0, self.place, x[self.source] * self.share)
            return heard.view(len(x), -1) @ self.conv.weight.flatten(0, 1) + x @ self.conv.root + self.conv.bias

def make_model(kind, graph, d, seed):
    "d real numbers for an entity: ComplEx has half as many complex ones."
    if kind == "R-GCN": return RGCNDistMult(graph, d, seed)
    return getattr(twins, kind)(len(graph.entities), 2 * len(graph.relations), d // 2 if kind == "ComplEx" else d, rng=seed)

def tables_of(model):
    "The scorer, all entities' vectors and all relations'."
    scorer = getattr(model, "decoder", model)
    relations = [scorer.rel_emb.weight] + ([scorer.rel_emb_im.weight] if isinstance(scorer, twins.ComplEx) else [])
    return scorer, model.nodes() if hasattr(model, "nodes") else scorer._entities(), torch.cat(relations, dim=-1)

def cubes(rows, paired):
    "The mean sum of the entries' lengths to the third, complex ones if paired (Lacroix et al., 2018)."
    if paired: rows = (rows.unflatten(-1, (2, -1)) ** 2).sum(-2).add(1e-12).sqrt()
    return (rows.abs() ** 3).sum(-1).mean()

def learn_facts(kind, graph, d, lr, decay, seed, steps=600, size=1024):
    "One softmax over all entities for each question, in both directions (Lacroix et al., 2018); Adam, the rate falling to 0 on a line."
    questions, order, pool = asked(graph, "train"), stream(seed, "order"), np.zeros(0, int)
    torch.manual_seed(seed)
    model = make_model(kind, graph, d, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for step in range(steps):
        for group in optimizer.param_groups: group["lr"] = lr * (1 - step / steps)
        if len(pool) < size: pool = order.permutation(len(questions))
        head, relation, tail = torch.from_numpy(questions[pool[:size]].T.copy())
        pool, (scorer, x, r) = pool[size:], tables_of(model)
        penalty = sum(cubes(rows[i], kind == "ComplEx") for rows, i in ((x, head), (r, relation), (x, tail)))
        optimizer.zero_grad()
        (torch.nn.functional.cross_entropy(scorer.tails(head, relation, x), tail) + decay * penalty).backward()
        optimizer.step()
    return model.eval()


# %% jupyter={"source_hidden": true}
#| code-summary: "what is looked at afterwards"
#| code-fold: true
def scores_of(model, questions):
    with torch.no_grad():
        scorer, x, _ = tables_of(model)
        head, relation, _ = torch.from_numpy(questions.T.copy())
        return scorer.tails(head, relation, x).numpy()

def directions(model, graph):
    """Of test facts whose reverse is no fact: the share for which the two scores differ, and the share in which the fact's is higher;
    and of the first answers that are wrong, the share that would be right the other way round."""
    everything, questions = all_known(graph), asked(graph)
    one_way = np.array([(h, r, t) for h, r, t in graph.test if h != t and not everything[r, t, h]])
    forth, back = (scores_of(model, q)[np.arange(len(q)), q[:, 2]] for q in (one_way, one_way[:, ::-1]))
    apart = abs(forth - back) > 1e-4 * abs(forth).mean()                                              # not rounding
    scores, (head, relation, tail) = scores_of(model, questions), questions.T
    first = np.where(everything[relation, head] * (np.arange(scores.shape[1]) != tail[:, None]) > 0, -np.inf, scores).argmax(axis=1)
    wrong = first != tail
    return {"differ": round(float(apart.mean()), 4), "fact higher": round(float((apart & (forth > back)).mean()), 4), "facts": len(one_way),
            "wrong": int(wrong.sum()), "wrong, right reversed": round(float(everything[relation, first, head][wrong].mean()), 4)}

def tuned(kind, graph, starts, steps, largest=256):
    "By validation MRR, seed 0: the penalty, the dimension (`largest` at most), the rate, each on a ladder until its best is no end; then five other seeds."
    everything, validation, tried = all_known(graph), asked(graph, "validation"), {}
    def mrr(d, lr, decay):
        if (d, lr, decay) not in tried:
            tried[d, lr, decay] = measured(scores_of(learn_facts(kind, graph, d, lr, decay, 0, steps), validation), validation, everything)["mrr"]
            print(kind, graph.source.name, d, lr, decay, tried[d, lr, decay], time.strftime("%X"), flush=True)
        return tried[d, lr, decay]
    at = starts
    for place, factors in ((2, (1 / 3, 3)), (0, (2,)), (1, (3, 1 / 3))):
        for factor in factors:
            while True:
                other = tuple(float(f"{v * factor:.1g}") if k == place != 0 else v * factor if k == place else v for k, v in enumerate(at))
                if other[0] > largest or mrr(*at) >= mrr(*other): break
                at = other
    runs = []
    for seed in range(1, 6):
        model = learn_facts(kind, graph, *at, seed, steps)
        runs.append({part: measured(scores_of(model, asked(graph, part)), asked(graph, part), everything) for part in ("validation", "test")} | {"direction": directions(model, graph)})
        print(runs[-1], flush=True)
    return {"best": dict(zip(("d", "lr", "decay"), at)), "tried": [[*key, value] for key, value in tried.items()], "runs": runs}


# %% jupyter={"source_hidden": true}
#| code-summary: "rules of two steps"
#| code-fold: true
def by_two_steps(known, questions, smooth, tie=0.01):
    "As `by_rule`, the bodies of rules being one relation or two, one after the other (as in Meilicke et al., 2019): h – a – z – b – t."
    K, n = len(known), known.shape[1]
    head, relation, _ = questions.T
    known, best = known.astype(np.float32), np.zeros((len(questions), n), np.float32)
    flat = known.reshape(K, -1)
    for first in [None, *range(K)]:
        bodies = known if first is None else (known[first] @ known > 0).astype(np.float32)                 # (2R, N, N)
        of_body = bodies.reshape(K, -1)
        trust = of_body @ flat.T / (of_body.sum(axis=1, keepdims=True) + smooth)
        if first is None: np.fill_diagonal(trust, 0)
        for r in np.unique(relation):
            useful = np.flatnonzero(trust[:, r] > 0.05)
            if len(useful): best[relation == r] = np.maximum(best[relation == r], (trust[useful, r, None, None] * bodies[useful]).max(axis=0)[head[relation == r]])
    return best + tie * by_frequency(known, questions) / known.sum(axis=1).max()


# %% jupyter={"source_hidden": true}
#| code-summary: "the long run: UMLS and Nations"
#| code-fold: true
#| slow
torch.set_num_threads(1)
found = {"umls": {}, "nations": {}}
for graph in (facts, data.nations()):
    train, everything = known_of(graph.train, graph), all_known(graph)
    rules = {smooth: {part: measured(by_two_steps(train, asked(graph, part), smooth), asked(graph, part), everything) for part in ("validation", "test")} for smooth in (1, 5)}
    found[graph.source.name]["rules of two steps"] = rules[max(rules, key=lambda smooth: rules[smooth]["validation"]["mrr"])] | {"tried": [1, 5]}
    print(found[graph.source.name], time.strftime("%X"), flush=True)
    for kind in ("DistMult", "ComplEx", "R-GCN"):
        if (kind, graph.source.name) == ("R-GCN", "nations"): continue
        starts = (32, 0.03, 0.003) if kind == "R-GCN" else (128, 0.03, 0.01) if graph is facts else (64, 0.03, 0.001)
        found[graph.source.name][kind] = tuned(kind, graph, starts, *((400, 64 if kind == "R-GCN" else 256) if graph is facts else (200, 128)))
        _ = Path("results/18_knowledge.json").write_text(json.dumps(found))

# %% jupyter={"source_hidden": true}
#| code-summary: "the tables and the claims"
#| code-fold: true
knowledge = stored("18_knowledge")
learned = {"umls": ("DistMult", "R-GCN", "ComplEx"), "nations": ("DistMult", "ComplEx")}

def with_interval(runs, part, metric):
    mean, half = mean_interval([run[part][metric] for run in runs])
    return f"{mean:.3f} ± {half:.3f}"

def of_model(kind, name):
    found = knowledge[name][kind]
    return {"numbers an entity": str(found["best"]["d"])} | {"MRR, validation": with_interval(found["runs"], "validation", "mrr")} | {title: with_interval(found["runs"], "test", metric) for title, metric in (("MRR", "mrr"), ("hits@1", "hits@1"), ("hits@10", "hits@10"))}

def plainly(results): return {"numbers an entity": ""} | {"MRR, validation": ""} | {title: f"{results[metric]:.3f}" for title, metric in (("MRR", "mrr"), ("hits@1", "hits@1"), ("hits@10", "hits@10"))}

# published: TimDettmers/ConvE, README (Dettmers et al., 2018); dice-group/dice-embeddings, its benchmarks: 32 numbers, 256 epochs, no regularization
published = {"umls": {"ConvE, published": (0.94, 0.92, 0.99), "DistMult, untuned, published": (0.739, 0.620, 0.948), "ComplEx, untuned, published": (0.749, 0.634, 0.958)}, "nations": {"ConvE, published": (0.82, 0.72, 1.00)}}
for name, title in (("umls", "UMLS, 135 entities"), ("nations", "Nations, 14 entities")):
    rows = [{"answers by": how} | plainly(results) for how, results in (simple[name] | {"rules of one step or two": knowledge[name]["rules of two steps"]["test"]}).items()]
    rows += [{"answers by": kind if kind != "R-GCN" else "R-GCN, then DistMult"} | of_model(kind, name) for kind in learned[name]]
    rows += [{"answers by": how, "numbers an entity": "32" if "untuned" in how else ""} | {"MRR, validation": ""} | dict(zip(("MRR", "hits@1", "hits@10"), (f"{value:.{2 if 'ConvE' in how else 3}f}" for value in values))) for how, values in published[name].items()]
    table(rows, name=f"facts-{name}", caption=f"{title}: filtered ranks of the right answers to test questions, for tails and for heads. Learned models: means of five seeds and 95% intervals, penalty, dimension and rate chosen on validation facts with another seed (at most 256 numbers, 128 on Nations, 64 for the R-GCN); "
          "equal scores get their mean rank. " + ("Published numbers: ConvE, a convolution over the vectors, by its authors (Dettmers et al., 2018), who leave out what does not fill a batch; the untuned ones from the benchmarks of the library dice-embeddings, with another loss and no penalty." if name == "umls" else ""))
table([{"model": kind, "the two scores differ": f"{np.mean([run['direction']['differ'] for run in found['runs']]):.1%}", "the fact's is higher": f"{np.mean([run['direction']['fact higher'] for run in found['runs']]):.1%}",
        "first answers that are wrong": f"{np.mean([run['direction']['wrong'] for run in found['runs']]):.0f}", "of them, right the other way round": f"{np.mean([run['direction']['wrong, right reversed'] for run in found['runs']]):.0%}"}
       for kind, found in ((kind, knowledge["umls"][kind]) for kind in learned["umls"])], name="direction",
      caption=f"UMLS: {knowledge['umls']['DistMult']['runs'][0]['direction']['facts']} test facts that are no facts when turned round, scored both ways; and the wrong first answers to all {2 * len(facts.test):,} test questions. Means of five seeds.")
best_learned = max(np.mean([run["test"]["mrr"] for run in knowledge["nations"][kind]["runs"]]) for kind in learned["nations"])
claim("on Nations, rules of one step are ahead of the better of two models that learned, by an MRR of {:.3f}", simple["nations"]["rules of one step"]["mrr"] - best_learned, ">", 0.03)
higher = {kind: [run["direction"]["fact higher"] for run in knowledge["umls"][kind]["runs"]] for kind in learned["umls"]}
claim("on UMLS ComplEx scores a fact above its reverse in {:.1%} of cases at least, in each of five runs; DistMult, alone or behind an R-GCN, in none", min(higher["ComplEx"]) if max(higher["DistMult"] + higher["R-GCN"]) == 0 else -1, ">", 0.95)

# %% [markdown]
# (sentences that the numbers carry)
#
# - Nations: give all 14 entities the same score, and hits@10 is 1 (ties get the mean rank): that number says nothing there. Frequency alone gets 0.97.
# - Nations: rules of one step, a table of 110 × 110 shares, beat both tuned models and the published ConvE (MRR 0.84 against 0.78, 0.77 and 0.82). Not by inverse relations alone: rules that go the same way (doubles, such as *students* and *relstudents*) get 0.76 alone, those turned round 0.80. That some relation links the reverse pair is true of *every* test fact, and of 86% of the wrong answers: "95% inverse relations" (the README of ConvE) is mostly density. At a trust of 0.7, which for a rule without exception means 0.8 in training, 52% of the test facts and 4% of wrong answers are spoken for.
# - UMLS is not Nations: there rules of one step do worse than frequency (0.56, 0.66), and 13% of the test facts are spoken for. But rules of *two* steps (relations are handed down along *isa*) get an MRR of 0.88, without a vector: most of what DistMult (0.89) knows. ComplEx knows more (0.96).
# - Over half of DistMult's wrong first answers would be right the other way round; of ComplEx' 9%. That is not forced: DistMult behind an R-GCN is as blind (its scores are equal both ways), and has 22%.
# - An R-GCN's layer in front of DistMult: MRR 0.901 ± 0.014 against 0.894 ± 0.005, Hits@1 the other way; no difference that five seeds show. (Its width ended at the largest tried, 64.)
#
# (what was tried to overturn) Untuned, the models look like the published ones of a library (0.74): the penalty is worth more than the choice between DistMult and ComplEx at a third of it or three times as much. Adam and Adagrad, rates 0.03 and 0.1, 60 epochs or 40: the order stays. Rules with a noisy-or or a sum in place of the best one: worse on both sets. Counts smoothed by 0, 1, 5: no change. Nations, DistMult with 512 numbers (MRR 0.79 on test facts): still behind the rules. Untested: losses with many right answers at once (K-vs-all), which ConvE uses and which may suit Nations, where one question in five has a right answer for each entity.
