"""The benchmark networks, written once and emitted by a builder: ONNX (onnx_builder.py) or TensorFlow (tensorflow_builder.py).

A builder gives the primitives conv, depthwise, batch_norm, activation, add, max_pool, mean, dense,
softmax, layer_norm, gelu and attention over values of its own kind. Padding is TensorFlow's SAME in both,
so that one set of weights is the same function in both and neither needs a separate padding operator.
"""

import zlib

import numpy as np

SEED = 20


class Weights:
    """Seeded weights by name: two builders that ask for the same name get the same numbers."""

    def random(self, name):
        return np.random.default_rng([SEED, zlib.crc32(name.encode())])

    def he(self, name, shape, fan_in, gain=2.0):
        """He-normal values; `gain` is 2 after a rectifier and 1 after a linear layer."""
        return (self.random(name).standard_normal(shape) * np.sqrt(gain / fan_in)).astype(np.float32)

    def bias(self, name, count, deviation=0.1):
        return (self.random(name).standard_normal(count) * deviation).astype(np.float32)

    def batch_norm(self, name, count, scale):
        """Scale, offset, mean and variance far enough from 1, 0, 0, 1 that leaving them unfolded shows."""
        rng = self.random(name)
        values = (scale * rng.uniform(0.6, 1.4, count), rng.normal(0, 0.2, count),
                  rng.normal(0, 0.2, count), rng.uniform(0.5, 1.5, count))
        return tuple(v.astype(np.float32) for v in values)


class Stack:
    """Counts layers, so that each has a name, and joins what always comes together."""

    def __init__(self, builder):
        self.builder = builder
        self.count = 0

    def name(self, kind):
        self.count += 1
        return f"{kind}_{self.count}"

    def conv(self, x, filters, kernel, stride=1, activation="relu", scale=1.0, gain=2.0):
        name = self.name("conv")
        x = self.builder.conv(x, name, filters, kernel, stride, gain)
        return self.builder.activation(self.builder.batch_norm(x, name + "_norm", scale), activation)

    def depthwise(self, x, stride=1, activation="relu"):
        name = self.name("depthwise")
        x = self.builder.depthwise(x, name, 3, stride)
        return self.builder.activation(self.builder.batch_norm(x, name + "_norm", 1.0), activation)

    def dense(self, x, units, gain=1.0):
        return self.builder.dense(x, self.name("dense"), units, gain)


def kws_ds_cnn(builder):
    """MLPerf Tiny keyword spotting: DS-CNN over 49 frames of 10 coefficients, 12 classes."""
    s = Stack(builder)
    x = s.conv(builder.input((49, 10, 1)), 64, (10, 4), 2)
    for _ in range(4):
        x = s.conv(s.depthwise(x), 64, 1)
    return builder.softmax(s.dense(builder.mean(x), 12))


def vww_mobilenet_v1_025(builder):
    """MLPerf Tiny visual wake words: MobileNetV1, width 0.25, 96x96 RGB, 2 classes."""
    s = Stack(builder)
    x = s.conv(builder.input((96, 96, 3)), 8, 3, 2)
    filters = 8
    for stride, filters in ((1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128), (1, 128), (1, 128),
                            (1, 128), (1, 128), (1, 128), (2, 256), (1, 256)):
        x = s.conv(s.depthwise(x, stride), filters, 1)
    return builder.softmax(s.dense(builder.mean(x), 2))


def mobilenet_v2(builder):
    """MobileNetV2, width 1.0, 224x224 RGB, 1000 classes, relu6."""
    s = Stack(builder)
    x = s.conv(builder.input((224, 224, 3)), 32, 3, 2, "relu6")
    channels = 32
    for expand, filters, count, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                          (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for index in range(count):
            stride = first if index == 0 else 1
            y = x if expand == 1 else s.conv(x, channels * expand, 1, 1, "relu6", gain=1.0)
            y = s.conv(s.depthwise(y, stride, "relu6"), filters, 1, 1, None, scale=0.6)
            x = builder.add(y, x) if stride == 1 and channels == filters else y
            channels = filters
    x = s.conv(x, 1280, 1, 1, "relu6", gain=1.0)
    return s.dense(builder.mean(x), 1000)


def resnet50(builder):
    """ResNet-50 with the stride in the 3x3 convolution, 224x224 RGB, 1000 classes."""
    s = Stack(builder)
    x = builder.max_pool(s.conv(builder.input((224, 224, 3)), 64, 7, 2), 3, 2)
    for stage, (filters, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for index in range(count):
            stride = 2 if index == 0 and stage > 0 else 1
            y = s.conv(s.conv(x, filters, 1), filters, 3, stride)
            y = s.conv(y, 4 * filters, 1, 1, None, scale=0.4)
            short = s.conv(x, 4 * filters, 1, stride, None) if index == 0 else x
            x = builder.activation(builder.add(y, short), "relu")
    return s.dense(builder.mean(x), 1000)


def bert_tiny(builder):
    """Two post-norm encoder layers over a sequence of 128 embeddings of 128, 2 heads, feed-forward 512, gelu."""
    s = Stack(builder)
    x = builder.layer_norm(builder.input((128, 128)), s.name("norm"))
    for _ in range(2):
        y = builder.attention(s.dense(x, 128), s.dense(x, 128), s.dense(x, 128), 2)
        x = builder.layer_norm(builder.add(s.dense(y, 128), x), s.name("norm"))
        y = s.dense(builder.gelu(s.dense(x, 512)), 128, gain=2.0)
        x = builder.layer_norm(builder.add(y, x), s.name("norm"))
    return x


def nothing(builder):
    """A rectifier over 8 numbers: what a call costs."""
    return builder.activation(builder.input((8,)), "relu")


NETWORKS = {f.__name__: f for f in (kws_ds_cnn, vww_mobilenet_v1_025, mobilenet_v2, resnet50, bert_tiny, nothing)}
