"""Reading beside h5py: the same files of 100 MB, taking turns, the minimum of many, in processor time.

Usage: python compare.py make FILE                writes the data sets
       python compare.py EXECUTABLE FILE ROUNDS [DATASET ...]     (the executable is what build.sh prints)
       python compare.py EXECUTABLE FILE peak DATASET ...         each data set in a file of its own: peak memory over file
"""

import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np


def make(path):
    """Weights as training leaves them: 100 MB of float32, which deflate makes little smaller."""
    weights = (np.random.default_rng(1).standard_normal((100, 512, 512)) * 0.05).astype("f4")
    rounded = weights.astype("f2").astype("f4")
    with h5py.File(path, "w") as file:
        file["contiguous"] = weights
        file.create_dataset("swapped", data=weights.astype(">f4"))
        file.create_dataset("chunked", data=weights, chunks=(1, 128, 512))
        file.create_dataset("cut", data=weights, chunks=(7, 100, 100))
        file.create_dataset("gzip", data=weights, chunks=(1, 128, 512), compression="gzip")
        file.create_dataset("gzip-easy", data=rounded, chunks=(1, 128, 512), compression="gzip")
        file.create_dataset("gzip-shuffle", data=weights, chunks=(1, 512, 512), compression="gzip", shuffle=True)
        file.create_dataset("gzip-guessed", data=weights, compression="gzip")
        file.create_dataset("lzf", data=weights, chunks=(1, 512, 512), compression="lzf", shuffle=True)


def least(count, body):
    best = float("inf")
    for _ in range(count):
        start = time.process_time()
        body()
        best = min(best, time.process_time() - start)
    return best


def peak(executable, source, name):
    """Prints the peak memory of reading a data set and adding it up, over the size of a file that holds it alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{name}.h5"
        with h5py.File(source) as file, h5py.File(path, "w") as alone:
            file.copy(name, alone)
        process = subprocess.Popen([executable], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        process.stdin.write(f"sum 1 {path} {name}\n")
        process.stdin.close()
        _, _, usage = os.wait4(process.pid, 0)
        size = os.path.getsize(path)
        print(f"{name:14} {usage.ru_maxrss * 1.024e-3:8.1f} MB {usage.ru_maxrss * 1024 / size:6.2f}", flush=True)


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2])
        return
    if sys.argv[3] == "peak":
        for name in sys.argv[4:]:
            peak(sys.argv[1], sys.argv[2], name)
        return
    path, rounds = sys.argv[2], int(sys.argv[3])
    executable = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(command):
        executable.stdin.write(command + "\n")
        executable.stdin.flush()
        return float(executable.stdout.readline())

    def read(name, add):
        with h5py.File(path, "r") as file:
            values = file[name][()]
        return values.view("u8").sum() if add else values

    with h5py.File(path, "r") as file:
        names = sys.argv[4:] or list(file)
    print(f"{'data set':14} {'':5} {'ours':>8} {'h5py':>8} {'ratio':>6}  (ms)")
    for name in names:
        for word in ["read", "sum"]:
            ours = theirs = float("inf")
            for _ in range(rounds):
                ours = min(ours, ask(f"{word} 1 {path} {name}"))
                theirs = min(theirs, least(1, lambda: read(name, word == "sum")))
            print(f"{name:14} {word:5} {ours * 1e3:8.1f} {theirs * 1e3:8.1f} {theirs / ours:6.2f}", flush=True)
    executable.stdin.close()


main()
