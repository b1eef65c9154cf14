from nnbook import data

digits = data.digits()
assert digits.train.x.shape[1:] == (64,) and digits.image_shape == (8, 8)
assert digits.test.images.shape[1:] == (8, 8)
print(digits.source.origin, digits.source.license)

club = data.karate_club()
assert club.edge_index.shape == (2, 156) and club.num_nodes == 34
assert club.y is not None and len(set(club.y[club.train])) == 2
groups = data.stochastic_block_model(sizes=(50, 50), probabilities=[[0.2, 0.02], [0.02, 0.2]], seed=1)
assert groups.y is not None and groups.y.shape == (100,)
