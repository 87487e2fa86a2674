"""Quantized models through the C program on every processor and instruction set: the same bytes.

    python same_bytes.py WHERRY_COMMAND [MODEL.onnx ...]

Quantizes the bundled digits network and, where the suites are, the real models below; models given as
arguments are taken as they are. Needs `runtime/build.sh --target all`, Debian's cross compilers and
qemu-user. Scalar kernels on x86-64 are the definition; everything else must equal them.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from run import COMPILERS, LIBRARIES, ROOT, SUITES, build

MODELS = [
    "mlcommons+tiny_results_v1.2/closed/kai_jiang/code/ic/LC236R5E176_BOARD_V2.0/models/pretrainedResnet.onnx",
    "microsoft+onnxruntime-inference-examples/c_cxx/MNIST/mnist.onnx",
    "kraiskil+onnx2c/test/velardo/lesson14.onnx",
]
AVX2, AVX512, AVX_VNNI, AVX512_VNNI = 1 << 0, 1 << 1, 1 << 2, 1 << 3
X86 = {"every set": [], "two threads": ["--threads", "2"], "no AVX-512": ["--forbid", str(AVX512 | AVX512_VNNI)],
       "no VNNI": ["--forbid", str(AVX512_VNNI | AVX_VNNI)], "scalar": ["--scalar"],
       "AVX2 alone": ["--forbid", str(AVX512 | AVX512_VNNI | AVX_VNNI)],
       "SSE2": ["--forbid", str(AVX2 | AVX512 | AVX512_VNNI | AVX_VNNI)]}
ARM64 = ["cortex-a53", "cortex-a72", "cortex-a76", "max"]


def inputs_of(model, seed):
    """Seeded inputs of a model, as the runtime takes them."""
    import onnx
    graph = onnx.load(model).graph
    rng = np.random.default_rng(seed)
    constants = {i.name for i in graph.initializer}
    values = []
    for value in graph.input:
        if value.name in constants:
            continue
        kind = value.type.tensor_type
        shape = [d.dim_value if d.dim_value > 0 else 1 for d in kind.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if np.issubdtype(dtype, np.floating):
            values.append((rng.standard_normal(shape) * 2).astype(dtype))
        else:
            info = np.iinfo(dtype)
            values.append(rng.integers(max(info.min, -128), min(info.max, 255) + 1, shape).astype(dtype))
    return values


def quantized(command, folder):
    """Native files of quantized real models."""
    sources = [ROOT / "fixtures/models/digits_cnn.onnx"]
    if SUITES.is_dir():
        sources += [SUITES / "models" / name for name in MODELS]
    for index, source in enumerate(sources):
        samples = f"{folder}/samples.npy"
        np.save(samples, np.concatenate([inputs_of(source, seed)[0] for seed in range(8)]))
        target = f"{folder}/quantized{index}.onnx"
        subprocess.run([command, "quantize", str(source), target, "--calibrate", samples], check=True,
                       capture_output=True)
        yield source.stem, target


def main():
    command, *given = sys.argv[1:]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        runners = {t: build(t, folder) for t in COMPILERS if (LIBRARIES / t).is_dir()}
        ways = [("x86_64", name, [*runners["x86_64"], *options]) for name, options in X86.items()]
        if "aarch64" in runners:
            qemu, *rest = runners["aarch64"]
            ways += [("aarch64", cpu, [qemu, "-cpu", cpu, *rest]) for cpu in ARM64]
        if "armv7" in runners:
            ways.append(("armv7", "NEON", runners["armv7"]))
        for name, model in [*quantized(command, folder), *((pathlib.Path(g).stem, g) for g in given)]:
            native = f"{folder}/model.wherry"
            subprocess.run([command, "convert", model, native, "--plan-only"], check=True)
            files = []
            for i, value in enumerate(inputs_of(model, 99)):
                files.append(f"{folder}/in{i}.raw")
                np.ascontiguousarray(value).tofile(files[-1])
            results = {}
            for target, way, runner in ways:
                for old in pathlib.Path(folder).glob("out.*.raw"):
                    old.unlink()
                subprocess.run([*runner, native, f"{folder}/out", *files], check=True)
                outputs = sorted(pathlib.Path(folder).glob("out.*.raw"))
                results[target, way] = b"".join(o.read_bytes() for o in outputs)
            expected = results["x86_64", "scalar"]
            different = [f"{t} {w}" for (t, w), r in results.items() if r != expected]
            ok = bool(expected) and not different
            passed, failed = passed + ok, failed + (not ok)
            print(f"{'ok  ' if ok else 'FAIL'} {name}: {len(results)} ways" + (f", different: {different}" if different else ""))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
