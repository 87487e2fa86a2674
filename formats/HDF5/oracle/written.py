"""Writes Keras files with Wherry and opens them in real Keras.

    python written.py write WHERRY FOLDER OUT    converts the files of fixtures/generators/keras_grid.py
    python written.py open FOLDER OUT tf_keras|keras    opens what was written and compares its outputs

Each file takes these ways; what a way writes stands in OUT/<way>/<framework>/<name>.<ending>:

    same      .h5 to .h5, .keras to .keras
    native    to a native file and back
    other     .h5 to .keras, .keras to .h5
    onnx      to ONNX, without what says that it was Keras, and from there to .h5 and .keras

`write` compares every data set of the first two ways bit by bit, and every attribute and text. `open`
compares the outputs with those that the generator stored: within 1e-6 of the output's largest value for
the first three ways and 1e-5 for the last, more for what computes in float16. A way that Wherry refuses
by name, or that ends in the graph layout, is counted, not an error; the names are printed. So are files
whose originals the framework can't open itself, or from which it gets the same other outputs. What Wherry
says that one framework alone reads is opened there.
"""

import argparse
import collections
import concurrent.futures
import io
import json
import os
import pathlib
import subprocess
import zipfile

import numpy as np

WAYS = ("same", "native", "other", "onnx")


def convert(wherry, source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    result = subprocess.run([wherry, "convert", str(source), str(target)], capture_output=True, text=True)
    if result.returncode < 0 or result.returncode in (70, 132, 133, 139):
        raise SystemExit(f"{source} -> {target}: status {result.returncode}\n{result.stderr[-2000:]}")
    if result.returncode == 0:
        said = result.stdout + result.stderr
        readers = ["keras"] if "Keras 2 does not read" in said else []
        readers += ["tf_keras"] if "which Keras 3 may not read" in said else []
        readers_beside(target).write_text(" ".join(readers))
    return None if result.returncode == 0 else (result.stderr or result.stdout).strip()


def readers_beside(path):
    """A text beside a file: the framework that alone reads it, as was printed."""
    return path.with_name(path.name + ".readers")


def graph_layout(path):
    """Why a file that was written is none of Keras, if so."""
    import h5py

    if path.suffix != ".h5":
        return None
    with h5py.File(path) as file:
        return "in the graph layout" if file.attrs.get("format") == "wherry-graph" else None


def forget(path):
    """Leaves only the graph."""
    import onnx

    model = onnx.load(path)
    del model.metadata_props[:]
    del model.training_info[:]
    onnx.save(model, path)


def contents(path):
    """Every text, attribute and data set of a file, by place."""
    import h5py

    found = {}

    def walk(group, prefix):
        for name, value in group.attrs.items():
            if isinstance(value, np.ndarray):
                value = [v.decode() if isinstance(v, bytes) else v for v in value.tolist()]
            elif isinstance(value, bytes):
                value = value.decode()
            found[f"{prefix}{group.name}@{name}"] = value
        for name, item in group.items():
            if isinstance(item, h5py.Group):
                walk(item, prefix)
            else:
                data = item[()]
                if data.dtype == object:
                    data = np.array([v for v in data.reshape(-1)], dtype="S")
                found[f"{prefix}{item.name}"] = (str(data.dtype), data.shape, data.tobytes())

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("model.weights.h5"):
                    with h5py.File(io.BytesIO(archive.read(name)), "r") as file:
                        walk(file, f"{name}:")
                elif not name.endswith("/"):
                    found[name] = archive.read(name)
    else:
        with h5py.File(path, "r") as file:
            walk(file, "")
    return found


def write(wherry, folder, out, names, ways):
    counts, refused, failed = collections.Counter(), collections.defaultdict(list), []

    def travel(source):
        framework, ending = source.parent.name, source.suffix
        label = f"{framework}/{source.name}"
        for way in ways:
            other = {".h5": ".keras", ".keras": ".h5"}[ending]
            targets = {
                "same": [out / way / framework / source.name],
                "native": [out / way / framework / source.name],
                "other": [out / way / framework / (source.stem + other)],
                "onnx": [out / way / framework / (source.stem + e) for e in (".h5", ".keras")],
            }[way]
            if way == "onnx" and ending == ".keras" and source.with_suffix(".h5").exists():
                continue
            start, error = source, None
            if way in ("native", "onnx"):
                start = out / way / framework / (source.name + {"native": ".wherry", "onnx": ".onnx"}[way])
                error = convert(wherry, source, start)
                if way == "onnx" and not error:
                    forget(start)
            for target in targets:
                problem = error or convert(wherry, start, target) or graph_layout(target)
                if problem:
                    refused[way].append((label, problem))
                    target.unlink(missing_ok=True)
                    continue
                counts[way] += 1
                if way in ("same", "native"):
                    before, after = contents(source), contents(target)
                    gone = [k for k in before if k not in after]
                    new = [k for k in after if k not in before]
                    changed = [k for k in before if k in after and before[k] != after[k]]
                    if gone or new or changed:
                        failed.append(f"{way} {label}: gone {gone[:3]}, new {new[:3]}, changed {changed[:3]}")

    sources = sorted([*folder.glob("*keras/*.h5"), *folder.glob("*keras/*.keras")])
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(travel, [s for s in sources if not names or s.stem in names]))
    for line in failed:
        print(line)
    for way in ways:
        print(f"{way}: {counts[way]} written, {len(refused[way])} refused")
        for label, problem in refused[way]:
            print(f"  {label}: {' / '.join(problem.splitlines())[:300]}")
    print(f"{len(failed)} differ from their originals")
    return len(failed)


def open_all(folder, out, framework, names, ways):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import warnings

    warnings.simplefilter("ignore")
    import tensorflow as tf

    if framework == "tf_keras":
        import tf_keras as keras
    else:
        import keras
    counts, failed, unopened = collections.Counter(), [], []
    for way in ways:
        for path in sorted(out.glob(f"{way}/*/*")):
            if path.suffix not in (".h5", ".keras") or names and path.stem not in names:
                continue
            # What ONNX's graph or Keras 2's file became is for both; the rest is for the framework that made it.
            readers = readers_beside(path).read_text().split()
            is_for_both = way == "onnx" or way == "other" and path.parent.name == "tf_keras" and path.suffix == ".keras"
            if framework not in readers if readers else not is_for_both and path.parent.name != framework:
                continue
            golden = folder / path.parent.name / (path.stem + ".npz")
            arrays = np.load(golden)
            given = [arrays[k] for k in arrays.files if k.startswith("in:")]
            given = [tf.constant(v.astype(str)) if v.dtype.kind == "U" else v for v in given]
            expected = [arrays[f"out:{i}"] for i in range(sum(k.startswith("out:") for k in arrays.files))]
            bound = max(1e-5 if way == "onnx" else 1e-6, float(arrays["bound"]) if float(arrays["bound"]) > 1e-5 else 0)
            label = f"{way} {path.parent.name}/{path.name}"

            def run(file):
                keras.backend.clear_session()
                model = keras.models.load_model(file, compile=False)
                return tf.nest.flatten(model(given if len(given) > 1 else given[0], training=False))

            actual = []
            try:
                actual = run(path)
                error = None if len(actual) == len(expected) else f"{len(actual)} outputs"
                for index, (a, e) in enumerate(zip(actual, expected)):
                    a = np.asarray(a)
                    scale = max(np.abs(e).max(initial=0), 1e-6)
                    if a.shape != e.shape:
                        error = f"output {index}: shape {a.shape}, not {e.shape}"
                    else:
                        worst = float(np.abs(a.astype("float64") - e.astype("float64")).max(initial=0) / scale)
                        if not worst <= bound:
                            error = f"output {index} differs by {worst:.2g}"
            except Exception as problem:  # noqa: BLE001 - what went wrong is the result
                error = f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
            if error and way != "onnx":
                # The framework may not open its own file, or get something else from it than it saved.
                try:
                    again = run(folder / path.parent.name / path.name)
                except Exception:  # noqa: BLE001 - only whether the framework opens its own file counts
                    again = None
                if again is None or len(again) == len(actual) and all(map(np.array_equal, actual, again)):
                    unopened.append(label)
                    print(f"{label}: like its original: {error}", flush=True)
                    continue
            if error:
                failed.append(label)
                print(f"{label}: {error}", flush=True)
            else:
                counts[way, path.suffix] += 1
    for (way, ending), count in sorted(counts.items()):
        print(f"{framework} {keras.__version__}, {way} {ending}: {count} equal")
    print(f"{len(unopened)} like their originals, which the framework can't open or reads otherwise; {len(failed)} failed")
    return len(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("write", "open"))
    parser.add_argument("rest", nargs=3)
    parser.add_argument("--only", action="append")
    parser.add_argument("--way", action="append", choices=WAYS)
    options = parser.parse_args()
    ways = options.way or WAYS
    if options.step == "write":
        wherry, folder, out = options.rest
        failed = write(wherry, pathlib.Path(folder), pathlib.Path(out), options.only, ways)
    else:
        folder, out, framework = options.rest
        failed = open_all(pathlib.Path(folder), pathlib.Path(out), framework, options.only, ways)
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
