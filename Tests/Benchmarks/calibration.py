"""Seeded stand-ins for real inputs: nothing here is a data set, but the digits that the fixtures hold.

Pictures and spectrograms are noise with a power spectrum of 1/f, as natural images have, with gradients and
shapes over it where the range is a camera's; spectra and embeddings have a mean and deviation per channel.
"""

import os
import zlib

import numpy as np

SIZES = {"mobilenet_v2": 8, "resnet50": 8}


def pink(rng, count, height, width, channels):
    """Noise of power 1/f in space, correlated over channels: mean 0, deviation 1; [count, C, H, W]."""
    f = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    f[0, 0] = 1 / max(height, width)
    white = np.fft.rfft2(rng.standard_normal((count, channels + 1, height, width)))
    x = np.fft.irfft2(white / f, s=(height, width))
    x = x[:, :1] + 0.5 * x[:, 1:]
    x -= x.mean(axis=(1, 2, 3), keepdims=True)
    return (x / x.std(axis=(1, 2, 3), keepdims=True)).astype(np.float32)


def normalised(rng, count, height, width, channels):
    """What a network with inputs of mean 0 and deviation 1 gets, clipped as a camera clips."""
    return np.clip(pink(rng, count, height, width, channels), -2.5, 2.5)


def pictures(rng, count, size):
    """RGB pictures of 0...255: 1/f noise, a gradient and a few filled shapes; [count, 3, size, size]."""
    x = pink(rng, count, size, size, 3) * rng.uniform(15, 45, (count, 1, 1, 1))
    rows, columns = np.mgrid[0:size, 0:size] / size
    for i in range(count):
        a, b = rng.normal(0, 50, (2, 3, 1, 1))
        x[i] += rng.uniform(60, 190, (3, 1, 1)) + a * (rows - 0.5) + b * (columns - 0.5)
        for _ in range(rng.integers(1, 5)):
            cy, cx, ry, rx = rng.uniform(0.1, 0.9, 2).tolist() + rng.uniform(0.08, 0.4, 2).tolist()
            dy, dx = (rows - cy) / ry, (columns - cx) / rx
            inside = (dy * dy + dx * dx < 1) if rng.random() < 0.5 else (np.maximum(abs(dy), abs(dx)) < 1)
            x[i] = np.where(inside, rng.uniform(0, 255, (3, 1, 1)) + 0.3 * (x[i] - x[i].mean()), x[i])
    return np.clip(np.rint(x), 0, 255).astype(np.float32)


def spectra(rng, count):
    """Five frames of 128 log-mel energies in dB, as the anomaly detector of MLPerf Tiny gets; [count, 640]."""
    band = np.arange(128)
    mean = -40 + 31 * np.exp(-band / 60) - 38 * np.exp(-band / 1.5)
    loud = rng.normal(0, 2.5, (count, 1, 1))
    frames = mean + loud + rng.normal(0, 2, (count, 1, 128)) + 3.5 * pink(rng, count, 5, 128, 1)[:, 0]
    return np.clip(frames, -120, 50).reshape(count, 640).astype(np.float32)


def embeddings(rng, count):
    """128 tokens drawn from 1,000 with a position each, whose features differ in deviation; [count, 128, 128]."""
    table = rng.standard_normal((1000, 128)) * rng.uniform(0.5, 1.5, 128)
    position = 0.5 * rng.standard_normal((128, 128))
    tokens = np.minimum(rng.zipf(1.3, (count, 128)) - 1, 999)
    return (table[tokens] + position).astype(np.float32)


def digits():
    """Held-out digits and their labels: [359, 1, 8, 8] in 0...1."""
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/golden")
    images = np.fromfile(f"{golden}/digits_images.f32", np.float32).reshape(-1, 1, 8, 8)
    return images, np.fromfile(f"{golden}/digits_labels.u8", np.uint8)


def samples(name, count=None, seed=0):
    """Inputs of the named network in ONNX layout, batch first."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    count = count or SIZES.get(name, 100)
    return {"kws_ds_cnn": lambda: normalised(rng, count, 49, 10, 1),
            "vww_mobilenet_v1_025": lambda: normalised(rng, count, 96, 96, 3),
            "mobilenet_v2": lambda: normalised(rng, count, 224, 224, 3),
            "resnet50": lambda: normalised(rng, count, 224, 224, 3),
            "digits_cnn": lambda: digits()[0][:count],
            "nothing": lambda: rng.standard_normal((count, 8)).astype(np.float32),
            "bert_tiny": lambda: embeddings(rng, count),
            "ad": lambda: spectra(rng, count),
            "resnet8": lambda: pictures(rng, count, 32)}[name]()
