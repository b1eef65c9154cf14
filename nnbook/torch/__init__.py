"The PyTorch twins: `nnbook.torch.<concept>` holds the twin of each model in `nnbook.<concept>`."

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        'the PyTorch twins need PyTorch: pip install "nnbook[torch]"', name="torch"
    ) from None
