import numpy as np

from nnbook.attention import (
    MultiHeadAttention,
    attention_weights,
    online_attention,
    padding_mask,
    rotate,
    scaled_dot_product_attention,
    sinusoidal,
)

rng = np.random.default_rng(0)
q, k, v = rng.standard_normal((3, 2, 4, 10, 8))                # 2 sequences, 4 heads, 10 positions, width 8
output = scaled_dot_product_attention(q, k, v, is_causal=True)
assert np.allclose(output.data, online_attention(q, k, v, is_causal=True, block=4))
weights = attention_weights(rotate(q), rotate(k), padding_mask([10, 3], 10))
assert weights.shape == (2, 4, 10, 10) and not weights.data[1, :, :, 3:].any()
layer = MultiHeadAttention(32, num_heads=4, num_kv_heads=2, rng=0)
x = np.zeros((5, 20, 32), np.float32) + sinusoidal(20, 32)
assert layer(x, lengths=[20, 3, 7, 20, 1], is_causal=True).shape == (5, 20, 32)
