"The engine's operators beside PyTorch's, as a table: the names on our side come from the stubs, those on PyTorch's from here where they differ."

import ast
from pathlib import Path

HELPERS = {"elementwise", "parametric", "binary", "unbroadcast", "torch_names", "add_at", "gradcheck", "name_of", "graph"}  # no operators
SIGNS = {"add": "a + b", "sub": "a - b", "mul": "a * b", "div": "a / b", "power": "a ** b", "matmul": "a @ b", "getitem": "x[index]", "abs": "abs(x)"}
FUNCTIONAL = {"bce_with_logits": "binary_cross_entropy_with_logits", "mse": "mse_loss", "mae": "l1_loss", "huber": "huber_loss"} | {
    name: name for name in ("cross_entropy", "dropout", "elu", "embedding", "gelu", "layer_norm", "leaky_relu", "linear", "pad", "silu", "softplus")}
TORCH = {name: f"F.{theirs}" for name, theirs in FUNCTIONAL.items()} | {
    "astype": "torch.Tensor.to", "checkpoint": "torch.utils.checkpoint.checkpoint", "concatenate": "torch.cat", "getitem": "torch.Tensor.__getitem__",
    "grad": "torch.autograd.grad", "hinge": "", "max": "torch.amax", "min": "torch.amin", "norm": "torch.linalg.vector_norm",
    "of": "torch.autograd.Function", "power": "torch.pow", "register_hook": "torch.Tensor.register_hook", "repeat": "torch.Tensor.repeat",
    "take_along_axis": "torch.take_along_dim"}


def names(package: Path) -> tuple[dict[str, str], list[str], list[str]]:
    "The engine's functions and the modules they are in, the methods of Tensor, and its properties."
    functions, methods, properties = {}, [], []
    for module in ("autograd", "operators"):
        for node in ast.parse((package / f"{module}.pyi").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name not in HELPERS:
                functions[node.name] = module
            for f in node.body if getattr(node, "name", "") == "Tensor" else []:
                if isinstance(f, ast.FunctionDef) and not f.name.startswith("_"):
                    (properties if "property" in map(ast.unparse, f.decorator_list) else methods).append(f.name)
    return functions, methods, properties


def rows(package: Path) -> list[tuple[str, str, str, str]]:
    "(function, method, sign, PyTorch's name) for each operator; '' where there is none."
    functions, methods, properties = names(package)
    found = [(name, name if name in methods else "", SIGNS.get(name, ""), TORCH.get(name, f"torch.{name}")) for name in functions]
    found += [("", name, SIGNS.get(name, ""), TORCH.get(name, f"torch.Tensor.{name}")) for name in [*methods, *properties] if name not in functions]
    return found


def table(package: Path) -> str:
    "The rows as a Markdown table, for the page of nnbook.autograd."
    functions, _, properties = names(package)
    lines = ["| nnbook | PyTorch | or |", "|---|---|---|"]
    for function, method, sign, torch in rows(package):
        called = f"`x.{method}{'' if method in properties else '()'}`" if method else ""
        link = f"[`{function}`]({functions[function]}.qmd#{function})" if function else f"[{called}](autograd.qmd#Tensor.{method})"
        others = [called if function else "", f"`{sign}`" if sign else ""]
        lines.append(f"| {link} | {f'`{torch}`' if torch else 'none'} | {', '.join(filter(None, others))} |")
    return "\n".join(lines)
