import numpy as np

from nnbook.evaluation import TableEncoder, confusion_matrix

frame = {"mass": np.array([3.7, np.nan, 4.1]), "island": np.array(["Dream", "Biscoe", "Dream"])}
table = TableEncoder(["mass"], ["island"]).fit(frame)
assert table.transform(frame).shape == (3, len(table.names))

assert confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0])).tolist() == [[1, 1], [0, 1]]
