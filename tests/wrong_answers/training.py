"Plausible wrong answers to the exercises of the chapter on training: each must be refused."
WRONG = {
    "training.1": [
        "def epoch_loss(losses, sizes): return np.mean(losses)",
        "def epoch_loss(losses, sizes): return np.sum(np.multiply(losses, sizes))",
        "def epoch_loss(losses, sizes): return np.sum(np.multiply(losses, sizes)) / len(losses)",
        "def epoch_loss(losses, sizes): return np.sum(losses) / np.sum(sizes)",
    ],
    "training.2": [
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
}
