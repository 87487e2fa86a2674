"""Real pictures of 32x32 for ResNet-8, out of files that Python packages bring along; none is committed.

    pip install --no-deps foolbox scikit-image scikit-learn && pip install pillow numpy

`crops` are square pieces of eight photographs of scikit-image and scikit-learn, of random place and size, scaled down. They
have the statistics of photographs but seldom show one of the ten things that the network tells apart, so it is unsure of
many of them. `cifar` are the first twenty test pictures of CIFAR-10, which foolbox has as examples, shifted by up to four pixels and
mirrored, as training did: the kind of input that the network is for, though of few things.
"""

import glob
import importlib.util
import os

import numpy as np
from PIL import Image

PHOTOGRAPHS = [("skimage", f"data/{name}") for name in
               ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "motorcycle_right.png")]
PHOTOGRAPHS += [("sklearn", f"datasets/images/{name}") for name in ("china.jpg", "flower.jpg")]
SIZE, LEAST, SHIFT = 32, 48, 4


def folder(package):
    """Where a package lies, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise SystemExit(f"{package} is not installed; see photographs.py")
    return found.submodule_search_locations[0]


def crops(count, seed=0):
    """[count, 3, 32, 32] in 0...255; plain surfaces are left out."""
    rng = np.random.default_rng(seed)
    images = [Image.open(os.path.join(folder(p), name)).convert("RGB") for p, name in PHOTOGRAPHS]
    chosen = []
    while len(chosen) < count:
        image = images[rng.integers(len(images))]
        side = int(np.exp(rng.uniform(np.log(LEAST), np.log(min(image.size)))))
        x, y = (rng.integers(0, extent - side + 1) for extent in image.size)
        piece = image.crop((x, y, x + side, y + side)).resize((SIZE, SIZE), Image.Resampling.BOX)
        pixels = np.asarray(piece, np.float32)
        if pixels.std() >= 16:
            chosen.append((pixels[:, ::-1] if rng.random() < 0.5 else pixels).transpose(2, 0, 1))
    return np.stack(chosen)


def cifar(count, seed=0):
    """Pictures [count, 3, 32, 32] in 0...255 and their labels."""
    rng = np.random.default_rng(seed)
    paths = sorted(glob.glob(os.path.join(folder("foolbox"), "data/cifar10_*.png")))
    chosen, labels = [], []
    for index in range(count):
        path = paths[index % len(paths)]
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
        padded = np.pad(pixels, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
        y, x = rng.integers(0, 2 * SHIFT + 1, 2)
        piece = padded[y:y + SIZE, x:x + SIZE]
        chosen.append((piece[:, ::-1] if rng.random() < 0.5 else piece).transpose(2, 0, 1))
        labels.append(int(path.removesuffix(".png").split("_")[-1]))
    return np.stack(chosen), np.array(labels)
