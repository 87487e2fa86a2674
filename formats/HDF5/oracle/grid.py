"""Compares Wherry with Keras over the files of fixtures/generators/keras_grid.py.

    python grid.py WHERRY FOLDER [--engine reference|runtime|onnxruntime ...] [--ending h5|keras] [--only NAME]

WHERRY is the command; FOLDER the generator's. Every file is run on its stored inputs; the largest
difference from Keras's own outputs, relative to the output's largest value, must be within the stored
bound: 1e-5, and more for the few that compute in float16. All three engines take part; what the
runtime refuses by name, having no kernel for it, is counted.
Prints one line a file that fails and the counts.
"""

import argparse
import collections
import pathlib
import subprocess
import tempfile

import numpy as np

ENGINES = ("reference", "runtime", "onnxruntime")


def outputs(wherry, file, inputs, engine, work):
    for old in work.glob("*.npy"):
        old.unlink()
    arguments = [wherry, "run", str(file), "-o", str(work), "--engine", engine]
    for name, array in inputs.items():
        path = work / f"{name.replace('/', '_')}.in.npy"
        np.save(path, array)
        arguments += ["-i", f"{name}={path}"]
    result = subprocess.run(arguments, capture_output=True, text=True)
    if result.returncode != 0:
        return None, (result.stderr or result.stdout).strip()
    names = [line.rsplit(": ", 1)[0].strip() for line in inspect(wherry, file).split("outputs\n")[1].split("\n\n")[0].splitlines()]
    arrays = {}
    for path in work.glob("*.npy"):
        if not path.name.endswith(".in.npy"):
            arrays[path.stem] = np.load(path)
    return [arrays.get(name, arrays.get(name.replace(":", "_").replace("/", "_"))) for name in names], None


def converted(wherry, file, inputs, work):
    """The outputs of ONNX Runtime on the model converted to ONNX."""
    import onnx
    import onnxruntime

    path = work / "model.onnx"
    result = subprocess.run([wherry, "convert", str(file), str(path)], capture_output=True, text=True)
    if result.returncode != 0:
        return None, (result.stderr or result.stdout).strip()
    try:
        onnx.checker.check_model(str(path), full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        given = {k: v.astype(object) if v.dtype.kind == "U" else v for k, v in inputs.items()}
        return session.run(None, given), None
    except Exception as error:  # noqa: BLE001 - what went wrong is the result
        return None, str(error).splitlines()[0][:300]


def inspect(wherry, file):
    return subprocess.run([wherry, "inspect", str(file)], capture_output=True, text=True).stdout


def difference(actual, expected, bound):
    if actual is None:
        return "no output"
    if actual.shape != expected.shape:
        return f"shape {actual.shape}, not {expected.shape}"
    scale = max(np.abs(expected).max(initial=0), 1e-6)
    worst = float(np.abs(actual.astype("float64") - expected.astype("float64")).max(initial=0) / scale)
    return None if worst <= bound else f"differs by {worst:.2g}"


def problem(wherry, file, arrays, engine, work):
    """What is wrong with a file's outputs, if anything."""
    inputs = {k[3:]: arrays[k] for k in arrays.files if k.startswith("in:")}
    expected = [arrays[f"out:{i}"] for i in range(sum(k.startswith("out:") for k in arrays.files))]
    if engine == "onnxruntime":
        actual, error = converted(wherry, file, inputs, work)
    else:
        actual, error = outputs(wherry, file, inputs, engine, work)
    if error:
        return error
    if len(actual) != len(expected):
        return f"{len(actual)} outputs, not {len(expected)}"
    found = [difference(a, e, float(arrays["bound"])) for a, e in zip(actual, expected)]
    return "; ".join(f"output {i}: {f}" for i, f in enumerate(found) if f) or None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wherry")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--ending", action="append")
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    passed, refused, failed = collections.Counter(), collections.Counter(), 0
    files = [
        (golden, golden.with_suffix(f".{ending}"))
        for golden in sorted(options.folder.glob("*/*.npz"))
        for ending in options.ending or ["h5", "keras"]
        if not options.only or golden.stem in options.only
    ]
    with tempfile.TemporaryDirectory() as name:
        for golden, file in files:
            if not file.exists():
                continue
            arrays = np.load(golden)
            for engine in options.engine or ENGINES:
                key = (engine, golden.parent.name, file.suffix)
                error = problem(options.wherry, file, arrays, engine, pathlib.Path(name))
                if error is None:
                    passed[key] += 1
                elif engine == "runtime" and "no plan: " in error:
                    refused[error.split("no plan: ")[-1]] += 1
                else:
                    failed += 1
                    print(f"{engine} {golden.parent.name}/{file.name}: {error}", flush=True)
    for (engine, framework, ending), count in sorted(passed.items()):
        print(f"{engine} {framework} {ending}: {count} equal")
    for reason, count in sorted(refused.items()):
        print(f"runtime refuses {count}: {reason}")
    print(f"{failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
