"""Reads files of the graph layout with h5py alone and compares them with the ONNX files they were made from.

Usage: WHERRY_GRAPH_OUT=FOLDER swift test --filter GraphLayoutTests
       python graph_layout.py SUITES FOLDER

Weights must have the same values, inputs and outputs the same names; where the reader did not lift the nodes to a newer
operator set, operators, their inputs and outputs and their attributes must be the same too.
"""

import pathlib
import sys

import h5py
import numpy as np
import onnx
from onnx import numpy_helper


def items(group, name):
    if name not in group:
        return []
    return [group[name][str(index)] for index in range(len(group[name]))]


def tensor(dataset):
    value = dataset[()]
    if "element" in dataset.attrs:
        return None
    if isinstance(value, bytes) or dataset.dtype.kind == "O":
        value = np.asarray(value, dtype=object)
    if "shape" in dataset.attrs:
        value = np.reshape(value, dataset.attrs["shape"])
    return np.asarray(value)


def same(ours, theirs):
    if ours is None:
        return True
    theirs = np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind == "O":
        texts = [x if isinstance(x, bytes) else bytes(x) if isinstance(x, np.ndarray) else x.encode() for x in ours.flat]
        return texts == [x if isinstance(x, bytes) else str(x).encode() for x in theirs.flat]
    if theirs.dtype.name == "bfloat16":
        theirs = theirs.astype(np.float32)
    if ours.dtype.kind in "fc":
        return np.array_equal(ours.astype(np.complex128), theirs.astype(np.complex128), equal_nan=True)
    return np.array_equal(ours, theirs)


def plain(value):
    """An attribute as ONNX's Python gives it."""
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        return value.tobytes()
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, np.ndarray):
        return [x.encode() if isinstance(x, str) else x for x in value.tolist()]
    return value.item() if hasattr(value, "item") else value


def differences(path, original):
    model = onnx.load(original)
    found = []
    with h5py.File(path, "r") as file:
        assert file.attrs["format"] == "wherry-graph"
        graph = file["graph"]
        theirs = {w.name: w for w in model.graph.initializer}
        ours = {w.attrs.get("name", ""): w for w in items(graph, "initializers")}
        if set(theirs) - set(ours):
            found.append(f"initializers {set(theirs) - set(ours)} are missing")
        for name in set(theirs) & set(ours):
            if not same(tensor(ours[name]), numpy_helper.to_array(theirs[name])):
                found.append(f"initializer {name} differs")
        for part, values in [("inputs", model.graph.input), ("outputs", model.graph.output)]:
            if [v.attrs.get("name", "") for v in items(graph, part)] != [v.name for v in values]:
                found.append(f"{part} differ")
        nodes = items(graph, "nodes")
        ours = [(n.attrs["op"], list(n.attrs.get("inputs", [])), list(n.attrs.get("outputs", []))) for n in nodes]
        if ours != [(n.op_type, list(n.input), list(n.output)) for n in model.graph.node]:
            return found, False
        for ours, theirs in zip(nodes, model.graph.node):
            settings = ours["attributes"].attrs if "attributes" in ours else {}
            for attribute in theirs.attribute:
                value = onnx.helper.get_attribute_value(attribute)
                if attribute.name in settings and plain(settings[attribute.name]) != value:
                    found.append(f"attribute {attribute.name} of {theirs.name}: {settings[attribute.name]}, {value}")
    return found, True


def main():
    suites, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = failed = compared = 0
    for path in sorted(folder.glob("*.h5")):
        suite, name = path.name.removesuffix(".h5").split("-", 1)
        found, whole = differences(path, suites / suite / name.replace("%", "/"))
        files, compared, failed = files + 1, compared + whole, failed + bool(found)
        for line in found[:3]:
            print(f"{path.name}: {line}")
    print(f"{files} files, {compared} of them node by node, {failed} differ")
    sys.exit(1 if failed or not files else 0)


main()
