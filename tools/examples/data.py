from nnbook import data

digits = data.digits()
assert digits.train.x.shape[1:] == (64,) and digits.image_shape == (8, 8)
assert digits.test.images.shape[1:] == (8, 8)
print(digits.source.origin, digits.source.license)
