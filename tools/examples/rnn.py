import numpy as np

from nnbook.rnn import LSTM, CharLM, NGram, bits_per_character, generate, stft, text_batches

x = np.zeros((5, 20, 8), np.float32)                       # 5 sequences of 20 steps, 8 features each
output, (h, c) = LSTM(8, 16, bidirectional=True, rng=0)(x, lengths=[20, 3, 7, 20, 1])
assert output.shape == (5, 20, 32) and h.shape == c.shape == (2, 5, 16)
text = "to be, or not to be: that is the question. " * 20
model, state = CharLM(text, hidden_size=32, rng=0), None
for inputs, targets in text_batches(model.vocabulary.encode(text), batch_size=4, seq_len=25):
    logits, state = model(inputs, state)                   # (4, 25, characters); the state is carried on
    assert logits.shape[:2] == targets.shape
assert bits_per_character(NGram(5, text).fit(text), text) < bits_per_character(model, text)
assert len(generate(model, "to be", 30, temperature=0.5, rng=0)) == 35
assert stft(np.zeros(4000), n_fft=256).shape == (129, 63)
