"""The interface of nnbook.operators, for type checkers and editors."""

# Written by `python -m tools.stubs` from the module itself. Don't edit it.

from .autograd import Tensor
from collections.abc import Callable
from numpy import ndarray

__all__ = ['log1p', 'expm1', 'erf', 'cumsum', 'prod', 'std', 'logsumexp', 'norm', 'argmin', 'take_along_axis', 'sort', 'topk', 'index_add', 'masked_fill', 'split', 'chunk', 'unbind', 'tril', 'triu', 'repeat', 'roll', 'flip', 'outer', 'astype', 'dropout', 'HookHandle', 'register_hook', 'grad', 'checkpoint']

def log1p(x: Tensor) -> Tensor:
    """log1p(x), entry by entry."""

def expm1(x: Tensor) -> Tensor:
    """expm1(x), entry by entry."""

def erf(x: Tensor) -> Tensor:
    """Error function, elementwise; any shape, kept: the chance that a standard normal draw lies within √2·x of 0.

    float64: the rational approximations of Cody (1969), two pieces, error below 5e-16.
    float32: tanh(x P(x²)), P fitted for this book, error below 3e-7, and three times as fast.
    """

def cumsum(x: Tensor, axis: int=..., *, dim: int=...) -> Tensor:
    """The running sum along `axis`; backward, the running sum from the other end."""

def prod(x: Tensor, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
    """The product of all entries, or along `axis`; its gradient is right where entries are 0, too."""

def std(x: Tensor, axis: int | tuple | None=None, keepdims: bool=False, correction: float=1, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=..., ddof: float=...) -> Tensor:
    """The root of `var`; the gradient of equal entries is 0, that of a single one NaN (correction 1), as in torch."""

def logsumexp(x: Tensor, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
    """log(sum(exp(x))) over all entries, or along `axis`, without overflow; of nothing, -inf."""

def norm(x: Tensor, p: float=2, axis: int | tuple | None=None, keepdims: bool=False, *, dim: int | tuple | None=..., dims: int | tuple | None=..., keepdim: bool=...) -> Tensor:
    """(sum of |x|^p)^(1/p), p > 0; np.inf: the largest |x|. The gradient at 0 is 0. ValueError for other p."""

def argmin(x: Tensor, axis: int | None=None, keepdims: bool=False, *, dim: int | None=..., keepdim: bool=...) -> ndarray:
    """Where the smallest entry is, the first of equal ones, as a plain integer array."""

def take_along_axis(x: Tensor, indices, axis: int=-1, *, dim: int=...) -> Tensor:
    """x[i, indices[i, j]] for axis 1 of two, and so on; the other axes broadcast. torch's `gather`."""

def sort(x: Tensor, axis: int=-1, descending: bool=False, *, dim: int=...) -> tuple[Tensor, ndarray]:
    """(values, indices) in order along `axis`; equal entries keep theirs, NaN counts as the largest."""

def topk(x: Tensor, k: int, axis: int=-1, largest: bool=True, sorted: bool=True, *, dim: int=...) -> tuple[Tensor, ndarray]:
    """(values, indices) of the k largest along `axis`, or smallest, in order, whatever `sorted` says."""

def index_add(x: Tensor, axis: int=..., index=..., source: Tensor=..., alpha: float=1, *, dim: int=...) -> Tensor:
    """x with alpha * source added: its slice i along `axis` goes to place index[i], as often as one is named."""

def masked_fill(x: Tensor, mask, value: float) -> Tensor:
    """x with `value`, one number, where mask (booleans, broadcast) holds."""

def split(x: Tensor, split_size: int | list, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
    """Pieces of split_size entries along `axis`, the last one may be shorter; or of the sizes in a list."""

def chunk(x: Tensor, chunks: int, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
    """At most `chunks` pieces along `axis`, of one size but for the last."""

def unbind(x: Tensor, axis: int=0, *, dim: int=...) -> tuple[Tensor, ...]:
    """The slices along `axis`, which they no longer have."""

def tril(x: Tensor, diagonal: int=0) -> Tensor:
    """Matrices (..., n, m) with zeros above the diagonal, or above the one that lies `diagonal` further right."""

def triu(x: Tensor, diagonal: int=0) -> Tensor:
    """Matrices (..., n, m) with zeros below the diagonal, or below the one that lies `diagonal` further right."""

def repeat(x: Tensor, *sizes: int | tuple) -> Tensor:
    """x copied sizes[i] times along each axis, new ones in front: torch's `repeat`, NumPy's `tile`."""

def roll(x: Tensor, shifts: int | tuple, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
    """Entries moved on by `shifts` along `axis`, the last ones to the front; without axis, through all in a row."""

def flip(x: Tensor, axis: int | tuple | None=None, *, dim: int | tuple | None=..., dims: int | tuple | None=...) -> Tensor:
    """The entries in reverse order along `axis`, or along all axes."""

def outer(a: Tensor, b: Tensor) -> Tensor:
    """The table a[i] * b[j]: a (n,), b (m,) -> (n, m)."""

def astype(x: Tensor, dtype) -> Tensor:
    """x in another dtype; its gradient comes back in x's own. Whole numbers and booleans have none."""

def dropout(x: Tensor, p: float=0.5, rng=None, training: bool=True) -> Tensor:
    """Each entry becomes 0 with probability p, and is divided by 1 - p otherwise (Srivastava et al., 2014).

    rng: a Generator, which goes on; or a seed, for the same mask every time. Without training, x itself.
    Raises ValueError for p outside [0, 1].
    """

class HookHandle:
    """Takes a hook off its tensor again: `handle.remove()`, or the end of a `with` block."""

    def __init__(self, hooks: dict, hook: Callable):
        """Initialize self.  See help(type(self)) for accurate signature."""

    def remove(self) -> None:
        """Take the hook off; doing so twice does no harm."""

    def __enter__(self):
        ...

    def __exit__(self, *error):
        ...

def register_hook(x: Tensor, hook: Callable) -> HookHandle:
    """Call hook(g) with the gradient of x, a read-only array, whenever `backward` or `grad` has completed it.

    What it returns, unless None, takes the gradient's place, before `.grad` and on the way back.
    Raises RuntimeError where no gradient will come.
    """

def grad(outputs, inputs, grad_outputs=None, retain_graph: bool=False, allow_unused: bool=False) -> tuple:
    """The gradients of outputs by inputs, each a Tensor or a list: a tuple of arrays, one for each input.

    inputs: leaves or results. grad_outputs: where to start, one array for each output that is not a
    single number. No leaf's `.grad` changes. The graph between them is freed, unless retain_graph.
    Raises RuntimeError for an input that led to no output, or gives None for it with allow_unused.
    """

def checkpoint(function: Callable, *inputs, rng=None) -> Tensor:
    """function(*inputs), one Tensor, whose inside is forgotten and computed again for backward.

    Gradients go to inputs and to every other tensor that function uses. rng: the Generators that it draws
    from, besides those of a module. What else it does, it does twice. Raises RuntimeError in backward if
    the second result differs from the first. Source: Chen et al. (2016).
    """
