"Plausible wrong answers to the project of Part II; the checker must refuse each."

LINE = """
from nnbook.data import auto_mpg
cars = auto_mpg()
def fit(inputs, y): return np.linalg.lstsq(inputs, y)[0]
def inputs(c): return np.column_stack([c["weight"], c["weight"] ** 2, c["horsepower"], c["horsepower"] ** 2, c["model_year"], np.ones(len(c["weight"]))])
w = fit(inputs(cars.train.frame), cars.train.y)
"""

WRONG = {
    "project2.1": [
        # the mean, whatever the car
        "def mpg(columns): return np.full(len(columns['weight']), 23.4)",
        # one measurement: worse than linear regression on all
        """
from nnbook.data import auto_mpg
cars = auto_mpg().train
slope, start = np.polyfit(cars.frame["weight"], cars.y, 1)
def mpg(columns): return start + slope * columns["weight"]
""",
        # a network's output as it comes
        LINE + "def mpg(columns): return (inputs(columns) @ w)[:, None]",
        # one number for all
        LINE + "def mpg(columns): return (inputs(columns) @ w).mean()",
        # gallons for a hundred miles
        LINE + "def mpg(columns): return 100 / (inputs(columns) @ w)",
        # scaled by the cars at hand
        """
from nnbook.data import auto_mpg
cars = auto_mpg().train
def inputs(c):
    x = np.column_stack([c[n] for n in ("weight", "horsepower", "displacement", "model_year")]).astype(float)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    return np.column_stack([x, x**2, np.ones(len(x))])
w = np.linalg.lstsq(inputs(cars.frame), cars.y)[0]
def mpg(columns): return inputs(columns) @ w
""",
        # needs the answer
        "def mpg(columns): return columns['miles_per_gallon']",
        # needs what is no longer in the table
        "def mpg(columns): return np.array([len(name) for name in columns['name']], dtype=float)",
        # dropout is still on
        LINE + """
rng = np.random.default_rng()
def mpg(columns):
    x = inputs(columns)
    return x * (rng.random(x.shape) > 0.1) / 0.9 @ w
""",
        # spoils what it is given
        LINE + """
def mpg(columns):
    columns["weight"] /= 1.0001
    return inputs(columns) @ w
""",
        # not a number for some cars
        LINE + """
def mpg(columns):
    with np.errstate(all="ignore"):
        return np.log(inputs(columns) @ w - 15)
""",
        # crashes on words
        "def mpg(columns): return 40 - 3 * columns['origin'].astype(float)",
        # the test rows took part: the nearest car of all 392
        """
from nnbook.data import auto_mpg
cars = auto_mpg()
scale = cars.x[:, :6].std(axis=0)
def mpg(columns):
    x = np.column_stack([columns[n] for n in cars.feature_names[:6]])
    distance = (((x[:, None] - cars.x[:, :6]) / scale) ** 2).sum(axis=2)
    return cars.y[distance.argmin(axis=1)]
""",
        # the answers themselves, whatever is asked
        "from nnbook.data import auto_mpg\ndef mpg(columns): return auto_mpg().test.y",
        # a `return` is missing
        LINE + "def mpg(columns): inputs(columns) @ w",
    ],
}
