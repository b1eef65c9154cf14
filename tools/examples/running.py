from nnbook.running import stored

print(stored("07_mnist1d"))
