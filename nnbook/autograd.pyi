"""The interface of nnbook.autograd, for type checkers and editors."""

# Written by `python -m tools.stubs` from the module itself. Don't edit it.

from .operators import HookHandle
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ContextDecorator
from numpy import ndarray
from typing import TypeVar
import numpy as np
_F = TypeVar('_F', bound=Callable)
_Operand = Tensor | ndarray | np.generic | float

__all__ = ['exp', 'log', 'sqrt', 'sin', 'cos', 'sigmoid', 'tanh', 'silu', 'gelu', 'leaky_relu', 'elu', 'softplus', 'add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'power', 'mse', 'mae', 'huber', 'hinge', 'bce_with_logits', 'Tensor', 'no_grad', 'elementwise', 'parametric', 'relu', 'binary', 'unbroadcast', 'torch_names', 'matmul', 'linear', 'cross_entropy', 'gradcheck', 'softmax', 'log_softmax', 'layer_norm', 'getitem', 'add_at', 'embedding', 'reshape', 'broadcast_to', 'permute', 'swapaxes', 'transpose', 'squeeze', 'unsqueeze', 'flatten', 'where', 'clip', 'concatenate', 'stack', 'pad', 'einsum', 'name_of', 'graph']

def exp(x: Tensor) -> Tensor:
    """exp(x), entry by entry."""

def log(x: Tensor) -> Tensor:
    """log(x), entry by entry."""

def sqrt(x: Tensor) -> Tensor:
    """sqrt(x), entry by entry."""

def sin(x: Tensor) -> Tensor:
    """sin(x), entry by entry."""

def cos(x: Tensor) -> Tensor:
    """cos(x), entry by entry."""

def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), elementwise; any shape, kept. Where exp(-x) overflows to inf, 1/inf = 0 is the right value."""

def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent, elementwise; any shape, kept: 2 sigmoid(2x) - 1, between -1 and 1."""

def silu(x: Tensor) -> Tensor:
    """x sigmoid(x), also called swish (Hendrycks & Gimpel, 2016; Elfwing, Uchibe & Doya, 2018)."""

def gelu(x: Tensor, approximate: str='none') -> Tensor:
    """x Φ(x), Φ the standard normal distribution function (Hendrycks & Gimpel, 2016).

    approximate="tanh" takes their formula Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. Other names raise ValueError.
    """

def leaky_relu(x: Tensor, negative_slope: float=0.01) -> Tensor:
    """x where x > 0, else negative_slope * x, elementwise; any shape, kept (Maas, Hannun & Ng, 2013)."""

def elu(x: Tensor, alpha: float=1.0) -> Tensor:
    """x where x > 0, else alpha (exp(x) - 1), elementwise; any shape, kept (Clevert, Unterthiner & Hochreiter, 2016)."""

def softplus(x: Tensor, beta: float=1.0) -> Tensor:
    """log(1 + exp(beta x)) / beta: a smooth `relu`, sharper as beta > 0 grows (Dugas et al., 2001).

    Exact everywhere: torch's switches to x itself where beta x > 20, a difference of 2e-9.
    """

def add(a: _Operand, b: _Operand) -> Tensor:
    """add(a, b), entry by entry; the shapes broadcast."""

def sub(a: _Operand, b: _Operand) -> Tensor:
    """sub(a, b), entry by entry; the shapes broadcast."""

def mul(a: _Operand, b: _Operand) -> Tensor:
    """mul(a, b), entry by entry; the shapes broadcast."""

def div(a: _Operand, b: _Operand) -> Tensor:
    """div(a, b), entry by entry; the shapes broadcast."""

def maximum(a: _Operand, b: _Operand) -> Tensor:
    """maximum(a, b), entry by entry; the shapes broadcast."""

def minimum(a: _Operand, b: _Operand) -> Tensor:
    """minimum(a, b), entry by entry; the shapes broadcast."""

def power(a: _Operand, b: _Operand) -> Tensor:
    """x ** p; p a number, an array or a Tensor. A negative base and a fraction give NaN."""

def mse(input: Tensor, target, *, reduction: str='mean') -> Tensor:
    """`losses.mse` on the tape, with its options and errors."""

def mae(input: Tensor, target, *, reduction: str='mean') -> Tensor:
    """`losses.mae` on the tape, with its options and errors."""

def huber(input: Tensor, target, *, delta: float=1.0, reduction: str='mean') -> Tensor:
    """`losses.huber` on the tape, with its options and errors."""

def hinge(input: Tensor, target, *, margin: float=1.0, reduction: str='mean') -> Tensor:
    """`losses.hinge` on the tape, with its options and errors."""

def bce_with_logits(input: Tensor, target, *, weight=None, pos_weight=None, reduction: str='mean') -> Tensor:
    """`losses.bce_with_logits` on the tape, with its options and errors."""

class Tensor:
    """An ndarray that remembers how it was computed, so that `backward` can find gradients.

    data: a number, nested lists, or an ndarray, whose memory is shared. Arrays keep their dtype;
    other floats become float32. With requires_grad=True it is a leaf, whose gradient collects in
    `.grad`, an ndarray of its shape and dtype. Writing into `.data` is allowed, and not seen.
    Methods: backward(grad=None, retain_graph=False), detach, retain_grad, requires_grad_, item, numpy,
    tolist; sum, mean, var, max, min, argmax, with `axis` or `dim`, `keepdims` or `keepdim`; and most
    functions of this module. Operators: + - * / ** @, indexing, comparisons (plain boolean arrays).
    Raises TypeError for what is not real numbers, and for integers that are to have a gradient.
    """
    data: ndarray
    grad: ndarray | None
    requires_grad: bool
    op: str | None

    def __init__(self, data, requires_grad: bool=False) -> None:
        """Initialize self.  See help(type(self)) for accurate signature."""

    @staticmethod
    def of(data, *parents: 'Tensor', backward: Callable, op: str | None=None) -> Tensor:
        """The result `data` of an operator on `parents`, recorded if one of them wants a gradient.

        backward(g), with g of data's shape, returns a tuple: each parent's gradient, or None. Where
        a parent was broadcast, its gradient may have the larger shape. op: a name for `graph`.
        """

    def requires_grad_(self, requires_grad: bool=True) -> Tensor:
        """Switch the collection of gradients on or off, in place; only floats have gradients."""

    def backward(self, grad=None, retain_graph: bool=False) -> None:
        """Add to the `.grad` of every leaf the gradient of this result with respect to it.

        grad: where to start, an array of this result's shape; 1 if the result is a single number.
        The graph is freed on the way, unless retain_graph. Raises RuntimeError if there is no way back.
        One thread walks at a time: graphs may share their nodes and leaves.
        """

    def exp(self) -> Tensor:
        """exp(x), entry by entry."""

    def log(self) -> Tensor:
        """log(x), entry by entry."""

    def sqrt(self) -> Tensor:
        """sqrt(x), entry by entry."""

    def sin(self) -> Tensor:
        """sin(x), entry by entry."""

    def cos(self) -> Tensor:
        """cos(x), entry by entry."""

    def relu(self) -> Tensor:
        """max(0, x), entry by entry (Nair & Hinton, 2010). NaN stays NaN."""

    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)), elementwise; any shape, kept. Where exp(-x) overflows to inf, 1/inf = 0 is the right value."""

    def tanh(self) -> Tensor:
        """Hyperbolic tangent, elementwise; any shape, kept: 2 sigmoid(2x) - 1, between -1 and 1."""

    def silu(self) -> Tensor:
        """x sigmoid(x), also called swish (Hendrycks & Gimpel, 2016; Elfwing, Uchibe & Doya, 2018)."""

    def gelu(self, approximate: str='none') -> Tensor:
        """x Φ(x), Φ the standard normal distribution function (Hendrycks & Gimpel, 2016).

        approximate="tanh" takes their formula Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. Other names raise ValueError.
        """

    def leaky_relu(self, negative_slope: float=0.01) -> Tensor:
        """x where x > 0, else negative_slope * x, elementwise; any shape, kept (Maas, Hannun & Ng, 2013)."""

    def elu(self, alpha: float=1.0) -> Tensor:
        """x where x > 0, else alpha (exp(x) - 1), elementwise; any shape, kept (Clevert, Unterthiner & Hochreiter, 2016)."""

    def softplus(self, beta: float=1.0) -> Tensor:
        """log(1 + exp(beta x)) / beta: a smooth `relu`, sharper as beta > 0 grows (Dugas et al., 2001).

        Exact everywhere: torch's switches to x itself where beta x > 20, a difference of 2e-9.
        """

    def abs(self) -> Tensor:
        """abs(x), entry by entry."""

    def __abs__(self) -> Tensor:
        """abs(x), entry by entry."""

    def __neg__(self) -> Tensor:
        """neg(x), entry by entry."""

    def __add__(self, b: _Operand) -> Tensor:
        """add(a, b), entry by entry; the shapes broadcast."""

    def __radd__(self, b: _Operand) -> Tensor:
        """add(a, b), entry by entry; the shapes broadcast."""

    def __mul__(self, b: _Operand) -> Tensor:
        """mul(a, b), entry by entry; the shapes broadcast."""

    def __rmul__(self, b: _Operand) -> Tensor:
        """mul(a, b), entry by entry; the shapes broadcast."""

    def __sub__(self, b: _Operand) -> Tensor:
        """sub(a, b), entry by entry; the shapes broadcast."""

    def __rsub__(self, other: _Operand) -> Tensor:
        ...

    def __truediv__(self, b: _Operand) -> Tensor:
        """div(a, b), entry by entry; the shapes broadcast."""

    def __rtruediv__(self, other: _Operand) -> Tensor:
        ...

    def __pow__(self, p: _Operand) -> Tensor:
        """x ** p; p a number, an array or a Tensor. A negative base and a fraction give NaN."""

    def __rpow__(self, other: _Operand) -> Tensor:
        ...

    def pow(self, b: _Operand) -> Tensor:
        """x ** p; p a number, an array or a Tensor. A negative base and a fraction give NaN."""

    def sum(self, axis: int | tuple | None=None, keepdims: bool=False, **options) -> Tensor:
        """The sum of all entries, or along `axis` (`dim`)."""

    def mean(self, axis: int | tuple | None=None, keepdims: bool=False, **options) -> Tensor:
        """The mean of all entries, or along `axis` (`dim`)."""

    def __matmul__(self, b: _Operand) -> Tensor:
        """(..., n, k) @ (..., k, m) -> (..., n, m); vectors and leading axes as in NumPy. ValueError where they don't fit."""

    def matmul(self, b: _Operand) -> Tensor:
        """(..., n, k) @ (..., k, m) -> (..., n, m); vectors and leading axes as in NumPy. ValueError where they don't fit."""

    def __rmatmul__(self, other: _Operand) -> Tensor:
        ...

    def var(self, axis: int | tuple | None=None, keepdims: bool=False, **options) -> Tensor:
        """The var of all entries, or along `axis` (`dim`)."""

    def max(self, axis: int | tuple | None=None, keepdims: bool=False, **options) -> Tensor:
        """The max of all entries, or along `axis` (`dim`)."""

    def min(self, axis: int | tuple | None=None, keepdims: bool=False, **options) -> Tensor:
        """The min of all entries, or along `axis` (`dim`)."""

    def argmax(self, axis: int | None=None, keepdims: bool=False, *, dim: int | None=..., keepdim: bool=...) -> ndarray:
        """Where the largest entry is, as a plain integer array."""

    def softmax(self, axis: int=-1, *, dim: int=...) -> Tensor:
        """Positive weights that sum to 1 along `axis` (`dim`)."""

    def log_softmax(self, axis: int=-1, *, dim: int=...) -> Tensor:
        """The logarithm of `softmax`, without forming it."""

    def __getitem__(self, index) -> Tensor:
        """x[index], with all of NumPy's indexing; an entry taken several times collects several gradients."""

    def reshape(self, *shape: int | tuple) -> Tensor:
        """x.reshape(2, -1) or x.reshape((2, -1)): the entries in another shape."""

    def permute(self, *axes: int | tuple) -> Tensor:
        """All axes, in another order."""

    def transpose(self, *axes: int | tuple) -> Tensor:
        """Two numbers swap two axes (torch), a tuple orders all of them (NumPy), nothing reverses them."""

    def swapaxes(self, axis0: int, axis1: int) -> Tensor:
        """Two axes change places."""

    def squeeze(self, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
        """Drop axes of length 1, all or those among `axis`; another axis stays, as in torch."""

    def unsqueeze(self, axis: int=..., *, dim: int=...) -> Tensor:
        """Insert an axis of length 1, at position `axis` of the result."""

    def flatten(self, start_dim: int=0, end_dim: int=-1) -> Tensor:
        """Join the axes from start_dim to end_dim."""

    def broadcast_to(self, *shape: int | tuple) -> Tensor:
        """x repeated to `shape`, by NumPy's rules of broadcasting; -1 keeps a length, as in torch."""

    def view(self, *shape: int | tuple) -> Tensor:
        """x.reshape(2, -1) or x.reshape((2, -1)): the entries in another shape."""

    def expand(self, *shape: int | tuple) -> Tensor:
        """x repeated to `shape`, by NumPy's rules of broadcasting; -1 keeps a length, as in torch."""

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""

    def clip(self, min: float | None=None, max: float | None=None) -> Tensor:
        """Entries outside [min, max] become the nearer bound, with gradient 0; at a bound it is 1, as in torch."""

    def clamp(self, min: float | None=None, max: float | None=None) -> Tensor:
        """Entries outside [min, max] become the nearer bound, with gradient 0; at a bound it is 1, as in torch."""

    def __lt__(self, b: _Operand) -> ndarray:
        """Compared entry by entry: a plain boolean array."""

    def __le__(self, b: _Operand) -> ndarray:
        """Compared entry by entry: a plain boolean array."""

    def __gt__(self, b: _Operand) -> ndarray:
        """Compared entry by entry: a plain boolean array."""

    def __ge__(self, b: _Operand) -> ndarray:
        """Compared entry by entry: a plain boolean array."""

    def __eq__(self, b: _Operand) -> ndarray:  # type: ignore[override]
        """Compared entry by entry: a plain boolean array."""

    def __ne__(self, b: _Operand) -> ndarray:  # type: ignore[override]
        """Compared entry by entry: a plain boolean array."""

    def __hash__(self) -> int:
        ...

    def __array__(self, dtype=None, copy=None) -> ndarray:
        ...

    def __reduce__(self) -> tuple:
        ...

    def __repr__(self) -> str:
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""

    @property
    def ndim(self) -> int:
        """The number of axes."""

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype of the data."""

    @property
    def is_leaf(self) -> bool:
        """Whether no operator made it."""

    def detach(self) -> Tensor:
        """The data without the history."""

    def retain_grad(self) -> None:
        """Keep `.grad` when `backward` passes, as leaves do."""

    def numpy(self) -> ndarray:
        """The array itself, not a copy, without its history."""

    def item(self) -> float:
        """The one number, as Python's own."""

    def tolist(self) -> list:
        """The numbers, in nested lists."""

    def numel(self) -> int:
        """The number of entries."""

    def __len__(self) -> int:
        """The length of the first axis."""

    def __iter__(self) -> Iterator[Tensor]:
        ...

    def __bool__(self) -> bool:
        """Whether the one number is not 0."""

    def __float__(self) -> float:
        """The one number as a float."""

    def __int__(self) -> int:
        """The one number as an int."""

    def __index__(self) -> int:
        """The one integer, for indexing a list."""

    def __format__(self, spec) -> str:
        """As text."""

    def log1p(self) -> Tensor:
        """log1p(x), entry by entry."""

    def expm1(self) -> Tensor:
        """expm1(x), entry by entry."""

    def erf(self) -> Tensor:
        """Error function, elementwise; any shape, kept: the chance that a standard normal draw lies within √2·x of 0.

        float64: the rational approximations of Cody (1969), two pieces, error below 5e-16.
        float32: tanh(x P(x²)), P fitted for this book, error below 3e-7, and three times as fast.
        """

    def prod(self, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
        """The product of all entries, or along `axis`; its gradient is right where entries are 0, too."""

    def std(self, axis: int | tuple | None=None, keepdims: bool=False, correction: float=1, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=..., ddof: float=...) -> Tensor:
        """The root of `var`; the gradient of equal entries is 0, that of a single one NaN (correction 1), as in torch."""

    def logsumexp(self, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
        """log(sum(exp(x))) over all entries, or along `axis`, without overflow; of nothing, -inf."""

    def norm(self, p: float=2, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
        """(sum of |x|^p)^(1/p), p > 0; np.inf: the largest |x|. The gradient at 0 is 0. ValueError for other p."""

    def argmin(self, axis: int | None=None, keepdims: bool=False, *, dim: int | None=..., keepdim: bool=...) -> ndarray:
        """Where the smallest entry is, the first of equal ones, as a plain integer array."""

    def cumsum(self, axis: int=..., *, dim: int=...) -> Tensor:
        """The running sum along `axis`; backward, the running sum from the other end."""

    def take_along_axis(self, indices, axis: int=-1, *, dim: int=...) -> Tensor:
        """x[i, indices[i, j]] for axis 1 of two, and so on; the other axes broadcast. torch's `gather`."""

    def sort(self, axis: int=-1, descending: bool=False, *, dim: int=...) -> tuple[Tensor, ndarray]:
        """(values, indices) in order along `axis`; equal entries keep theirs, NaN counts as the largest."""

    def topk(self, k: int, axis: int=-1, largest: bool=True, sorted: bool=True, *, dim: int=...) -> tuple[Tensor, ndarray]:
        """(values, indices) of the k largest along `axis`, or smallest, in order, whatever `sorted` says."""

    def index_add(self, axis: int=..., index=..., source: Tensor=..., alpha: float=1, *, dim: int=...) -> Tensor:
        """x with alpha * source added: its slice i along `axis` goes to place index[i], as often as one is named."""

    def masked_fill(self, mask, value: float) -> Tensor:
        """x with `value`, one number, where mask (booleans, broadcast) holds."""

    def split(self, split_size: int | list, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
        """Pieces of split_size entries along `axis`, the last one may be shorter; or of the sizes in a list."""

    def chunk(self, chunks: int, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
        """At most `chunks` pieces along `axis`, of one size but for the last."""

    def unbind(self, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
        """The slices along `axis`, which they no longer have."""

    def tril(self, diagonal: int=0) -> Tensor:
        """Matrices (..., n, m) with zeros above the diagonal, or above the one that lies `diagonal` further right."""

    def triu(self, diagonal: int=0) -> Tensor:
        """Matrices (..., n, m) with zeros below the diagonal, or below the one that lies `diagonal` further right."""

    def repeat(self, *sizes: int | tuple) -> Tensor:
        """x copied sizes[i] times along each axis, new ones in front: torch's `repeat`, NumPy's `tile`."""

    def roll(self, shifts: int | tuple, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
        """Entries moved on by `shifts` along `axis`, the last ones to the front; without axis, through all in a row."""

    def flip(self, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
        """The entries in reverse order along `axis`, or along all axes."""

    def outer(self, b: Tensor) -> Tensor:
        """The table a[i] * b[j]: a (n,), b (m,) -> (n, m)."""

    def astype(self, dtype) -> Tensor:
        """x in another dtype; its gradient comes back in x's own. Whole numbers and booleans have none."""

    def register_hook(self, hook: Callable) -> HookHandle:
        """Call hook(g) with the gradient of x, a read-only array, whenever `backward` or `grad` has completed it.

        What it returns, unless None, takes the gradient's place, before `.grad` and on the way back.
        Raises RuntimeError where no gradient will come.
        """

    def to(self, dtype) -> Tensor:
        """x in another dtype; its gradient comes back in x's own. Whole numbers and booleans have none."""

class no_grad(ContextDecorator):
    """`with no_grad():`, or `@no_grad()` on a function: operators inside, in this thread, are not recorded.

    A decorated generator is unrecorded while it runs, and its caller is not; a coroutine likewise.
    """

    def __init__(self, function: Callable | None=None) -> None:
        """Initialize self.  See help(type(self)) for accurate signature."""

    def __call__(self, function: _F) -> _F:
        """Call self as a function."""

    def __enter__(self) -> None:
        ...

    def __exit__(self, *error) -> None:
        ...

def elementwise(f: Callable, df: Callable, op: str | None=None) -> Callable:
    """Lift value `f(x)` and derivative `df(x, y)`, y = f(x), from arrays to the tape."""

def parametric(f: Callable, df: Callable) -> Callable:
    """Lift f(x, *args) and df(x, y, *args), such as a `leaky_relu` with its slope."""

def relu(x: Tensor) -> Tensor:
    """max(0, x), entry by entry (Nair & Hinton, 2010). NaN stays NaN."""

def binary(f: Callable, da: Callable, db: Callable, op: str) -> Callable:
    """Lift y = f(a, b); da(g, a, b, y) and db(g, a, b, y) are the gradients, from y's gradient g."""

def unbroadcast(g: ndarray, shape: tuple) -> ndarray:
    """Sum g over the axes along which an array of `shape` was repeated to get the shape of g.

    Raises ValueError when `shape` does not broadcast to that of g.
    """

def torch_names(function: Callable) -> Callable:
    """Let a function with `axis` and `keepdims` take torch's `dim` and `keepdim` as well, and NumPy's functions call it."""

def matmul(a: _Operand, b: _Operand) -> Tensor:
    """(..., n, k) @ (..., k, m) -> (..., n, m); vectors and leading axes as in NumPy. ValueError where they don't fit."""

def linear(x: Tensor, weight: Tensor, bias: Tensor | None=None) -> Tensor:
    """x @ weight.T + bias: x (..., n_in), weight (n_out, n_in), bias (n_out,) -> (..., n_out)."""

def cross_entropy(logits: Tensor, target, **options) -> Tensor:
    """Cross-entropy, fused: logits (..., K), classes (...) or distributions (..., K) -> one number.

    options (weight, ignore_index, label_smoothing, reduction), errors: `losses.cross_entropy`.
    """

def gradcheck(f: Callable, *inputs, eps: float=1e-06, tol: float=1e-06) -> bool:
    """Hold `backward` of f(*inputs) against central differences: True, or AssertionError with the place.

    inputs: arrays or Tensors; floats are copied as float64 and checked, others are passed on. f
    returns one Tensor, the same whenever it is called. An entry fails when the two differ by more
    than tol times the largest derivative by that input, and the rounding of a difference; a value or
    difference that is infinite or NaN fails too. TypeError where there is nothing to check.
    """

def softmax(x: Tensor, axis: int=-1, *, dim: int=...) -> Tensor:
    """Positive weights that sum to 1 along `axis` (`dim`)."""

def log_softmax(x: Tensor, axis: int=-1, *, dim: int=...) -> Tensor:
    """The logarithm of `softmax`, without forming it."""

def layer_norm(x: Tensor, normalized_shape: int | tuple, weight: Tensor | None=None, bias: Tensor | None=None, eps: float=1e-05) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last axes, * weight + bias (Ba, Kiros & Hinton, 2016).

    Shapes: x (..., *normalized_shape), weight and bias normalized_shape; variance with correction 0.
    """

def getitem(x: Tensor, index) -> Tensor:
    """x[index], with all of NumPy's indexing; an entry taken several times collects several gradients."""

def add_at(out: ndarray, index, g: ndarray) -> None:
    """out[index] += g in place, as often as an entry is named."""

def embedding(indices, weight: Tensor) -> Tensor:
    """Rows of a table: integers (...), weight (n_rows, d) -> (..., d). IndexError for a row not there."""

def reshape(x: Tensor, *shape: int | tuple) -> Tensor:
    """x.reshape(2, -1) or x.reshape((2, -1)): the entries in another shape."""

def broadcast_to(x: Tensor, *shape: int | tuple) -> Tensor:
    """x repeated to `shape`, by NumPy's rules of broadcasting; -1 keeps a length, as in torch."""

def permute(x: Tensor, *axes: int | tuple) -> Tensor:
    """All axes, in another order."""

def swapaxes(x: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two axes change places."""

def transpose(x: Tensor, *axes: int | tuple) -> Tensor:
    """Two numbers swap two axes (torch), a tuple orders all of them (NumPy), nothing reverses them."""

def squeeze(x: Tensor, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
    """Drop axes of length 1, all or those among `axis`; another axis stays, as in torch."""

def unsqueeze(x: Tensor, axis: int=..., *, dim: int=...) -> Tensor:
    """Insert an axis of length 1, at position `axis` of the result."""

def flatten(x: Tensor, start_dim: int=0, end_dim: int=-1) -> Tensor:
    """Join the axes from start_dim to end_dim."""

def where(condition, a, b) -> Tensor:
    """Entries of a where condition (booleans) holds, else of b; the three broadcast."""

def clip(x: Tensor, min: float | None=None, max: float | None=None) -> Tensor:
    """Entries outside [min, max] become the nearer bound, with gradient 0; at a bound it is 1, as in torch."""

def concatenate(tensors: list | tuple, axis: int=0, *, dim: int=...) -> Tensor:
    """Join tensors along an axis that they have."""

def stack(tensors: list | tuple, axis: int=0, *, dim: int=...) -> Tensor:
    """Join tensors of one shape along a new axis."""

def pad(x: Tensor, widths, value: float=0.0) -> Tensor:
    """Surround x with `value`. widths: (before, after) for each axis, as in NumPy, or flat with the LAST
    axis first, (left, right, top, bottom), as in torch. ValueError for anything else.
    """

def einsum(spec: str, *operands: Tensor) -> Tensor:
    """Einstein's sum, einsum('bij,bjk->bik', a, b), as in NumPy: diagonals, '...' and broadcasting too."""

def name_of(x: Tensor) -> str:
    """The operator that made x, or the function in which its backward was written; or 'leaf'."""

def graph(root: Tensor, names: dict | None=None, *, caption: str='', name: str='') -> None:
    """Draw how `root` was computed: each value a box, with its operator and its value or shape.

    names: {"w": w} labels leaves. Draw before `backward`, which frees the graph. Needs matplotlib.
    """
