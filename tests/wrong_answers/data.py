"Plausible wrong answers to the exercises of the appendix on data; each must be refused."

WRONG = {
    "data.1": [
        # rows are drawn, not groups
        """
def split_by_group(groups, test, seed):
    order = np.random.default_rng(seed).permutation(len(groups))
    n_test = round(test * len(groups))
    return np.sort(order[n_test:]), np.sort(order[:n_test])
""",
        # test part first
        """
def split_by_group(groups, test, seed):
    names = np.unique(groups)
    chosen = np.random.default_rng(seed).permutation(names)[: round(test * len(names))]
    held_out = np.isin(groups, chosen)
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)
""",
        # masks instead of row numbers
        """
def split_by_group(groups, test, seed):
    names = np.unique(groups)
    held_out = np.isin(groups, np.random.default_rng(seed).permutation(names)[: round(test * len(names))])
    return ~held_out, held_out
""",
        # the seed is ignored
        """
def split_by_group(groups, test, seed):
    names = np.unique(groups)
    held_out = np.isin(groups, names[: round(test * len(names))])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
""",
        # a share of rows, not of groups: whole groups, in file order
        """
def split_by_group(groups, test, seed):
    names = np.unique(groups)
    chosen = np.random.default_rng(seed).permutation(len(names))[: round(test * len(names))]
    held_out = np.isin(groups, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
""",
    ],
    "data.2": [
        # each part by its own numbers
        """
def prepare(train, test):
    def own(part):
        part = np.where(np.isnan(part), np.nanmean(part, axis=0), part)
        return (part - part.mean(axis=0)) / np.where(part.std(axis=0) == 0, 1, part.std(axis=0))
    return own(train), own(test)
""",
        # the numbers of both parts together
        """
def prepare(train, test):
    both = np.concatenate([train, test])
    mean = np.nanmean(both, axis=0)
    std = np.nanstd(both, axis=0)
    std = np.where(std == 0, 1, std)
    fill = lambda part: np.where(np.isnan(part), mean, part)
    return (fill(train) - mean) / std, (fill(test) - mean) / std
""",
        # holes filled with zero
        """
def prepare(train, test):
    train, test = np.nan_to_num(train), np.nan_to_num(test)
    mean, std = train.mean(axis=0), train.std(axis=0)
    std = np.where(std == 0, 1, std)
    return (train - mean) / std, (test - mean) / std
""",
        # standard deviation of the known values only
        """
def prepare(train, test):
    mean, std = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    std = np.where(std == 0, 1, std)
    fill = lambda part: np.where(np.isnan(part), mean, part)
    return (fill(train) - mean) / std, (fill(test) - mean) / std
""",
        # a constant column divides by zero
        """
def prepare(train, test):
    mean = np.nanmean(train, axis=0)
    train, test = (np.where(np.isnan(part), mean, part) for part in (train, test))
    return (train - mean) / train.std(axis=0), (test - mean) / train.std(axis=0)
""",
        # one mean for all columns, changed in place
        """
def prepare(train, test):
    train -= np.nanmean(train)
    return train / np.nanstd(train), test
""",
    ],
    "data.3": [
        # equal sums
        "def leaked(train, test): return np.flatnonzero(np.isin(test.sum(axis=1), train.sum(axis=1)))",
        # the rows of train
        """
def leaked(train, test):
    seen = {row.tobytes() for row in test}
    return np.array([i for i, row in enumerate(train) if row.tobytes() in seen], dtype=int)
""",
        # values, not rows
        "def leaked(train, test): return np.flatnonzero(np.isin(test, train).all(axis=1))",
        # a mask
        """
def leaked(train, test):
    seen = {row.tobytes() for row in train}
    return np.array([row.tobytes() in seen for row in test])
""",
        # copies within test count as well
        """
def leaked(train, test):
    seen, found = {row.tobytes() for row in train}, []
    for i, row in enumerate(test):
        if row.tobytes() in seen:
            found.append(i)
        seen.add(row.tobytes())
    return np.array(found, dtype=int)
""",
    ],
}
