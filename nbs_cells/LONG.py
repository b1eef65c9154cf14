# %% [markdown]
# ### At equal size
#
# On one core of an ordinary computer half an hour is long. Let the networks have it in PyTorch, through the twins. First a fair contest: a GPT and [the LSTM](12_rnn.ipynb#a-gate), on characters and on pieces, each with about 450 thousand numbers, the table of tokens among them, and 1,100 steps of 1,024 tokens. (These GPTs have RMS norms, rotary positions, normalized queries and keys, ReLU², no biases; the weights that are measured are running means.) They learn from eight tenths of each play; rates, and the number of pieces, are chosen on the next tenth. **Predict**: GPT or LSTM, characters or pieces, and which of them beats which table?

# %% include runs: how the long runs learn and are measured

# %% include runs: a run of training

# %% include runs: networks of one size

# %% include runs: the long run: GPT and LSTM

# %%
#| code-summary: "the table, and the curves"
#| code-fold: true
contest, sizes_named = stored("15_contest"), {"None": "characters"}
by_rate = {arm: {float(lr): bits for lr, bits in tries.items()} for arm, tries in contest["held out"].items()}
fewest = min((arm for arm in by_rate if arm.startswith("GPT") and "None" not in arm), key=lambda arm: min(by_rate[arm].values())).split("|")[1]
in_contest = {f"{kind}, {sizes_named.get(size, f'{int(size):,} pieces' if size.isdigit() else '')}": f"{kind}|{size}" for size in (fewest, "None") for kind in ("GPT", "LSTM") if len(by_rate.get(f"{kind}|{size}", ())) > 2}
best_rate_of = {arm: min(by_rate[arm], key=by_rate[arm].get) for arm in in_contest.values()}
ends = {arm: {seed: contest["runs"][f"{arm}|{best_rate_of[arm]}|{seed}"] for seed in (0, 1) if f"{arm}|{best_rate_of[arm]}|{seed}" in contest["runs"]} for arm in in_contest.values()}
mean_bits = lambda bits: float(np.average([bits[title] for title in test_parts], weights=[len(text) for text in test_parts.values()]))
table([{"network": name, "parameters": f"{contest['parameters'][arm]:,}", "rate": best_rate_of[arm], "held-out text": f"{by_rate[arm][best_rate_of[arm]]:.3f}",
        "last tenths": " and ".join(f"{mean_bits(run[-1][2]):.3f}" for run in ends[arm].values()), "seconds": f"{np.mean([run[-1][1] for run in ends[arm].values()]):.0f}"} for name, arm in in_contest.items()]
      + [{"network": f"table, {how}", "parameters": "", "rate": "", "held-out text": "", "last tenths": f"{bits:.3f}", "seconds": ""} for how, bits in rivals.items()], name="contest",
      caption="Bits a byte after 1,100 steps of 1,024 tokens, each network at the rate that was best on held-out text, of a ladder of factors of two; seconds of one core. Networks read eight tenths of each play, the tables nine.")

# %% [markdown]
# On characters the GPT loses to the LSTM: after equally many steps it needs more bits, and it took about twice the seconds. A window of 128 characters is three lines of verse, while an LSTM carries its state on. On pieces the same GPT sees two to three times as much text in a window, and passes the table as it is; the tuned one it does not reach. Which of several things that pieces change is worth how much, this can't tell: each step also reads more text.

# %% [markdown]
# ### The model that wins
#
# Now without a bound on steps: a GPT of four layers and width 112, 2,256 pieces, dropout, nine tenths of each play as the tables have them, and six thousand steps.

# %% include runs: what a trained GPT says

# %% include runs: the long run: the model of the zoo

# %%
#| code-summary: "the figure, the table, the claim"
#| code-fold: true
shipped = stored("15_shipped")
course = np.array([[step, mean_bits(bits)] for step, _, bits in shipped["curve"] if step])
of_table = dict(zip(test_parts, np.divide(counted["test"]["tuned"]["bits"], counted["test"]["tuned"]["bytes"])))
with figure(height=2.8, width=5.4, name="wins", caption=f"Bits a byte on the last tenths of the plays while a GPT of {shipped['parameters']:,} parameters learns; the scale of steps is logarithmic. Lines: the two tables, which read the same text.",
            alt="A curve that falls over six thousand steps and crosses first the line of the one table, then that of the other.") as ax:
    lines({"GPT": course[:, 1]}, course[:, 0], logx=True, xlabel="step", ylabel="bits a byte", styles={"GPT": ".-"}, ax=ax)
    for how, style in (("as it is", "--"), ("tuned", ":")): ax.axhline(rivals[how], color=INK, linestyle=style, linewidth=1, label=f"table, {how}")
    ax.legend()
final = shipped["curve"][-1][2]
table([{"play": title.replace("_", " "), "tuned table": f"{of_table[title]:.3f}", "GPT": f"{final[title]:.3f}", "of the table's bits": f"{final[title] / of_table[title]:.1%}"} for title in test_parts], name="by-play",
      caption="Bits a byte on the last tenth of each play.")
lstm = np.average(stored("12_context")["bits"], weights=[len(text) - 1 for text in test_parts.values()])
read = 1024 * course[-1, 0] / len(BPETokenizer.train(train_parts.values(), 2256).encode("".join(train_parts.values())))
table([{"model": f"table, {how}", "times through the text": "1", "bits a byte": f"{bits:.3f}"} for how, bits in rivals.items()]
      + [{"model": "the zoo's LSTM, on characters", "times through the text": "", "bits a byte": f"{lstm:.3f}"}, {"model": "this GPT", "times through the text": f"{read:.0f}", "bits a byte": f"{mean_bits(final):.3f}"},
         {"model": "this GPT, its weights in 16 bits", "times through the text": f"{read:.0f}", "bits a byte": f"{mean_bits(shipped['rounded']):.3f}"}], name="all",
      caption="All eight plays together. The LSTM and the GPT differ in size and in how long they learned.")
claim("in each of the eight plays the GPT needs fewer bits than the tuned table; all together, {:.1%} fewer", 1 - mean_bits(final) / rivals["tuned"] if all(final[t] < of_table[t] for t in test_parts) else -1, ">", 0.08)

# %%
#| code-summary: "what it wrote on the way"
#| code-fold: true
for step in ("0", "100", "1000", "6000"):
    print(f"--- after {int(step):,} steps")
    for line in shipped["samples"][step][:230].split("\n"): print(textwrap.fill(line, 62))

# %% [markdown]
# That settles the bet: [in every play](#tbl-by-play) the network predicts better than the best table of counts that [the last chapter](14_tokenizer.ipynb#bits-per-byte) could find, and its curve is still falling. It took [many looks at the same text](#tbl-all), where a table takes one. The zoo's LSTM, which reads characters and is much smaller, comes out beside the tuned table. So it is not attention alone that beats counting: what vectors share between contexts, both networks have.
#
# And the last sample shows what is still missing. Every name in it is somebody's, and every line could stand in some play; but they are of different plays. A window of 128 tokens holds some ten lines, and who has left it is forgotten.

# %% [markdown]
# ### Inside
#
# What has the stream become? And where do the heads look? In the second figure choose a line and a head. **Predict** for the first layer and the last one what most heads look at.

# %%
#| code-summary: "the figure of the stream's size"
#| code-fold: true
stages = ["embedding"] + [f"{branch} {layer}" for layer in range(1, 5) for branch in ("attention", "MLP")]
with figure(2, height=2.9, width=6.6, sharey=True, name="stream", caption="Root mean squares of the residual stream behind each stage, and of what each branch adds to it, before learning and after: means over windows of a text that is new to the network, from the 17th position on.",
            alt="Two panels on a logarithmic scale. Before learning the stream hardly grows and the branches add little to it; after learning all are larger, and grow with depth.") as axes:
    for ax, what, names_of in zip(axes, ("stream", "added"), (stages, stages[1:])):
        lines({f"step {int(step):,}": shipped["norms"][step][what] for step in ("0", "6000")}, np.arange(len(names_of)), logy=True, ylabel="root mean square" if what == "stream" else "", title={"stream": "the stream", "added": "what is added"}[what], ax=ax)
        ax.set_xticks(range(len(names_of)), names_of, rotation=60, ha="right", fontsize=8)

# %%
#| code-summary: "the figure that moves: where the heads look"
#| code-fold: true
heads_at = {f"{layer + 1}.{head + 1}": (layer, head) for layer in range(4) for head in range(4)}
signs = lambda text: [token.replace(" ", "␣").replace("\n", "⏎") for token in shipped["attention"][text - 1]["tokens"]]

def looked_at(text, head):
    weights, said = np.array(shipped["attention"][text - 1]["percent"])[heads_at[head]] / 100, signs(text)
    with figure(height=3.9, width=3.9) as ax:
        heatmap(weights, ax=ax)
        ax.set_xticks(range(len(said)), said, rotation=90, fontsize=8), ax.set_yticks(range(len(said)), said, fontsize=8)

def told(text, head):
    weights, said = np.array(shipped["attention"][text - 1]["percent"])[heads_at[head]], signs(text)
    back = [f"{np.diagonal(weights, -k).mean():.0f}%" for k in (0, 1)]
    return f"{''.join(said)}, head {head}: {back[0]} of a token's weight lies on itself, {back[1]} on the one before; from the last, most lies on {said[weights[-1].argmax()]}."

explore(looked_at, text=[1, 2, 3], head=list(heads_at), name="heads", alt=told, start={"text": 1, "head": "1.1"},
        caption="Where the sixteen heads of this GPT look in three lines; heads 1.1 to 1.4 belong to the first layer. A row for each token that looks, a column for each that is looked at.")
before = np.mean([[[np.diagonal(np.array(head), -1).mean() for head in layer] for layer in text["percent"]] for text in shipped["attention"][:3]], axis=0)     # (layers, heads)
table([{"layer": i + 1, "head": f"{i + 1}.{row.argmax() + 1}", "on the token before": f"{row.max():.0f}%", "the other heads": ", ".join(f"{share:.0f}%" for j, share in enumerate(row) if j != row.argmax())} for i, row in enumerate(before)], name="before",
      caption="The share of a token's weight that lies on the token before it: in each layer the head with the most, and the others; means over the three lines.")

# %% [markdown]
# The vector of a token is a small part of what runs through the network. Behind the first MLP the stream is many times larger than the embedding, and the first attention, before it, adds hardly anything; the branches after it add about equally much each. In [every layer but the first](#tbl-before) there is a head that puts near half of its weight on the token before. With so few tokens in a line an early row has not much choice. And a map shows where a head looks, [not what the network makes of it](13_attention.ipynb#several-heads).
