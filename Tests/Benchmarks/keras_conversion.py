"""Time and peak memory of converting Keras files from a cold start: a process a conversion.

    python keras_conversion.py make FOLDER [SUITES]          needs tensorflow-cpu and h5py
    python keras_conversion.py WHERRY_COMMAND FOLDER [ROUNDS [ENDING ...]]

`make` writes a ResNet-50 of 103 MB with seeded weights, the same file with its weights big-endian, in chunks, under
gzip, and under gzip and shuffle; and copies ResNet-8 of MLPerf Tiny from the suites.
"""

import os
import shutil
import sys
import tempfile

RESNET8 = "mlperf_tiny/benchmark/training/image_classification/trained_models/pretrainedResnet.h5"

STORED = {
    "swapped": None,
    "chunked": {"chunks": True},
    "gzip": {"chunks": True, "compression": "gzip"},
    "gzip-shuffle": {"chunks": True, "compression": "gzip", "shuffle": True},
}


def repack(source, target, how):
    """Copies a file with its weights stored in another way."""
    import h5py

    def copy(group, to):
        to.attrs.update(group.attrs)
        for name, member in group.items():
            if isinstance(member, h5py.Group):
                copy(member, to.create_group(name))
                continue
            values = member[()]
            if how is None and values.dtype.kind == "f":
                values = values.astype(values.dtype.newbyteorder(">"))
            kept = to.create_dataset(name, data=values, **(how if how and values.size > 64 else {}))
            kept.attrs.update(member.attrs)

    with h5py.File(source) as old, h5py.File(target, "w") as new:
        copy(old, new)


def make(folder, suites):
    os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")
    import keras

    os.makedirs(folder, exist_ok=True)
    plain = f"{folder}/resnet50-contiguous.h5"
    keras.utils.set_random_seed(7)
    keras.applications.ResNet50(weights=None).save(plain)
    for name, how in STORED.items():
        repack(plain, f"{folder}/resnet50-{name}.h5", how)
    if suites:
        shutil.copy(f"{suites}/{RESNET8}", f"{folder}/resnet8.h5")


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
        return
    from conversion import measure

    command, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    endings = sys.argv[4:] or ["onnx", "wherry", "keras", "h5"]
    plain = os.path.getsize(f"{folder}/resnet50-contiguous.h5")
    print(f"{'file':24} {'MB':>6} {'to':7} {'s':>7} {'cpu s':>7} {'peak MB':>8} {'/ file':>7} {'/ unpacked':>10}")
    with tempfile.TemporaryDirectory() as target:
        for name in sorted(os.listdir(folder)):
            size = os.path.getsize(f"{folder}/{name}")
            unpacked = plain if name.startswith("resnet50") else size
            for ending in endings:
                runs = [measure([command, "convert", f"{folder}/{name}", f"{target}/out.{ending}"])
                        for _ in range(rounds)]
                seconds, peak, processor = (min(values) for values in zip(*runs))
                peak = max(run[1] for run in runs)
                print(f"{name:24} {size / 1e6:6.1f} {ending:7} {seconds:7.3f} {processor:7.3f} {peak / 1e6:8.1f} "
                      f"{peak / size:7.2f} {peak / max(size, unpacked):10.2f}", flush=True)


if __name__ == "__main__":
    main()
