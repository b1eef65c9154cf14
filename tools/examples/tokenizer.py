import tempfile

from nnbook.tokenizer import BPETokenizer, pretokenize

text = "the cat sat on the mat, the rat sat on the hat; that's that. " * 3
tokenizer = BPETokenizer.train(text, vocab_size=270, special_tokens=["<|endoftext|>"])
ids = tokenizer.encode("the hat, naïve 🐱")                        # any text: what was never seen is spelled in bytes
assert tokenizer.decode(ids) == "the hat, naïve 🐱" and len(ids) < len("the hat, naïve 🐱".encode())
print([tokenizer.tokens[i] for i in ids])
assert pretokenize("that's 42!") == ["that", "'s", " 42", "!"]    # no merge crosses these borders
end = tokenizer.special_tokens["<|endoftext|>"]
assert tokenizer.encode("sat<|endoftext|>", allow_special=True)[-1] == end
with tempfile.TemporaryDirectory() as folder:
    tokenizer.save(folder)                                        # vocab.json and merges.txt, as GPT-2 has them
    assert BPETokenizer.load(folder) == tokenizer
