"""Whole models by others through the C program, natively and under emulation, against their goldens.

    python run.py WHERRY_COMMAND [x86_64] [aarch64] [armv7]

Needs the suites (WHERRY_SUITES or ../shared/suites), `runtime/build.sh --target all`, Debian's cross
compilers and qemu-user. Every output must be within 1e-5 of the largest golden value, and all
processors must agree on the result of every model within the same bound. The last line counts.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUITES = pathlib.Path(os.environ.get("WHERRY_SUITES", ROOT / "../shared/suites"))
LIBRARIES = ROOT / ".build" / "runtime"
MODELS = [
    "mlcommons+tiny_results_v1.2/closed/kai_jiang/code/ic/LC236R5E176_BOARD_V2.0/models/pretrainedResnet.onnx",
    "microsoft+onnxruntime-inference-examples/c_cxx/MNIST/mnist.onnx",
    "Linzaer+Ultra-Light-Fast-Generic-Face-Detector-1MB/models/onnx/version-slim-320_simplified.onnx",
    "microsoft+onnxruntime-extensions/test/data/ppp_vision/pytorch_super_resolution.onnx",
    "breizhn+DTLN/pretrained_model/model_1.onnx",
    "breizhn+DTLN/pretrained_model/model_2.onnx",
    "kraiskil+onnx2c/test/velardo/lesson14.onnx",
    "kraiskil+onnx2c/test/velardo/lesson9.onnx",
    "kraiskil+onnx2c/test/mnist/pytorch.onnx",
    "kraiskil+onnx2c/test/tfl_helloworld/model.onnx",
]
COMPILERS = {
    "x86_64": (["cc"], []),
    "aarch64": (["aarch64-linux-gnu-gcc"], ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
    "armv7": (["arm-linux-gnueabihf-gcc"], ["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"]),
}


def build(target, folder):
    """The C runner for one processor, and the command that starts it."""
    compiler, emulator = COMPILERS[target]
    program = f"{folder}/run_raw-{target}"
    base = LIBRARIES / target
    subprocess.run(
        [*compiler, "-O2", "-pthread", "-o", program, str(ROOT / "runtime/examples/run_raw.c"), f"-I{base}/include",
         str(base / "lib/libwherry.a"), "-lm"], check=True)
    return [*emulator, program]


def sample(golden, index):
    """Inputs in file order and outputs in file order of one golden sample."""
    pick = lambda kind: [golden[n] for n in golden.files if n.startswith(f"{kind}{index}:")]
    return pick("in"), pick("out")


def main():
    command, *targets = sys.argv[1:]
    if not SUITES.is_dir():
        print("skipped: no suites")
        return 0
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        runners = {target: build(target, folder) for target in targets or COMPILERS}
        for name in MODELS:
            native = f"{folder}/model.wherry"
            subprocess.run([command, "convert", str(SUITES / "models" / name), native, "--plan-only"], check=True)
            golden = np.load(SUITES / "goldens_onnx" / (name.replace("/", "__") + ".npz"))
            inputs, outputs = sample(golden, 0)
            files = []
            for i, value in enumerate(inputs):
                files.append(f"{folder}/in{i}.raw")
                np.ascontiguousarray(value).tofile(files[-1])
            for target, runner in runners.items():
                threads = ["--sessions", "2", "--threads", "2"] if target == "x86_64" else []
                subprocess.run([*runner, *threads, native, f"{folder}/out", *files], check=True, capture_output=True)
                worst = 0.0
                for i, expected in enumerate(outputs):
                    actual = np.fromfile(f"{folder}/out.{i}.raw", expected.dtype).reshape(expected.shape)
                    worst = max(worst, float(np.abs(actual - expected).max() / np.abs(expected).max()))
                ok = worst <= 1e-5
                passed, failed = passed + ok, failed + (not ok)
                print(f"{'ok  ' if ok else 'FAIL'} {target:8} {worst:.1e} {name.split('/')[-3]}/{name.split('/')[-1]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
