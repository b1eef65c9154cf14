import numpy as np

from nnbook.rnn import Vocabulary
from nnbook.transformer import GPT, EncoderDecoder, GPTConfig, bits_per_byte, flops_per_token, generate, n_parameters

text = "to be, or not to be: that is the question. " * 20
known = Vocabulary(text)
config = GPTConfig(len(known), context_length=32, n_layers=2, n_heads=4, d_model=32, norm="rms", positions="rope", mlp="swiglu")
model = GPT(config, rng=0)
assert model(known.encode(text)[None, :32]).shape == (1, 32, len(known))         # scores of the next character, at each place
assert sum(p.data.size for p in model.parameters()) == n_parameters(config) < flops_per_token(config)
print(known.decode(generate(model, known.encode("to be"), 30, temperature=0.8, top_k=5, rng=0)))
assert abs(bits_per_byte(model, known, text) - np.log2(len(known))) < 0.2        # it has learned nothing yet
translator = EncoderDecoder(9, 7, d_model=32, n_heads=4, rng=0)
assert translator(np.zeros((5, 20), int), np.zeros((5, 8), int), [20, 3, 7, 20, 1]).shape == (5, 8, 7)
