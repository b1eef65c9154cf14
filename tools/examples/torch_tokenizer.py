import torch

from nnbook.tokenizer import draw_negatives, skip_gram_pairs
from nnbook.torch.tokenizer import SkipGram, negative_sampling_loss

ids, counts = [0, 1, 2, 0, 1, 3, 0, 2], [3, 2, 2, 1]              # a text of four different words, and how often each occurs
centers, contexts = map(torch.from_numpy, skip_gram_pairs(ids, window=2))
drawn = torch.from_numpy(draw_negatives(counts, (len(centers), 5), rng=0))
model = SkipGram(n_words=4, embed_dim=8, rng=0)
scores = model(centers, torch.cat([contexts[:, None], drawn], dim=1))
assert scores.shape == (len(centers), 6)                          # the true context first
negative_sampling_loss(scores).backward()
