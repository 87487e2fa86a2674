"""Emits a network of networks.py as TensorFlow functions and converts them to float and full-integer TFLite."""

import numpy as np
import tensorflow as tf

from networks import Weights


class TensorFlowBuilder:
    """Values are tensors with a batch of 1, channels last."""

    def __init__(self, value=None):
        self.weights = Weights()
        self.value = value

    def input(self, shape):
        self.input_shape = [1, *shape]
        return tf.zeros(self.input_shape) if self.value is None else self.value

    def conv(self, x, name, filters, kernel, stride, gain):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        channels = x.shape[-1]
        weights = self.weights.he(name, (filters, channels, *kernel), channels * kernel[0] * kernel[1], gain)
        return tf.nn.conv2d(x, weights.transpose(2, 3, 1, 0), stride, "SAME")

    def depthwise(self, x, name, kernel, stride):
        weights = self.weights.he(name, (x.shape[-1], 1, kernel, kernel), kernel * kernel)
        return tf.nn.depthwise_conv2d(x, weights.transpose(2, 3, 0, 1), [1, stride, stride, 1], "SAME")

    def batch_norm(self, x, name, scale):
        scale, offset, mean, variance = self.weights.batch_norm(name, x.shape[-1], scale)
        return tf.raw_ops.FusedBatchNormV3(x=x, scale=scale, offset=offset, mean=mean, variance=variance,
                                           epsilon=1e-3, is_training=False).y

    def activation(self, x, kind):
        return {None: lambda t: t, "relu": tf.nn.relu, "relu6": tf.nn.relu6}[kind](x)

    def add(self, a, b):
        return a + b

    def max_pool(self, x, kernel, stride):
        return tf.nn.max_pool2d(x, kernel, stride, "SAME")

    def mean(self, x):
        return tf.reduce_mean(x, [1, 2])

    def dense(self, x, name, units, gain):
        channels = x.shape[-1]
        kernel = self.weights.he(name, (units, channels), channels, gain).T
        bias = self.weights.bias(name + "_bias", units)
        rows = tf.reshape(x, [-1, channels])
        return tf.reshape(tf.nn.bias_add(tf.matmul(rows, kernel), bias), [*x.shape[:-1], units])

    def softmax(self, x):
        return tf.nn.softmax(x)

    def layer_norm(self, x, name):
        scale, offset, _, _ = self.weights.batch_norm(name, x.shape[-1], 1.0)
        mean = tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-5) * scale + offset

    def gelu(self, x):
        return tf.nn.gelu(x)

    def attention(self, q, k, v, heads):
        length, width = q.shape[1:]
        size = width // heads
        q, k, v = (tf.transpose(tf.reshape(t, [1, length, heads, size]), [0, 2, 1, 3]) for t in (q, k, v))
        scores = tf.nn.softmax(tf.matmul(q * np.float32(1 / np.sqrt(size)), k, transpose_b=True))
        mixed = tf.transpose(tf.matmul(scores, v), [0, 2, 1, 3])
        return tf.reshape(mixed, [1, length, width])


def channels_last(samples):
    return np.ascontiguousarray(samples.transpose(0, 2, 3, 1)) if samples.ndim == 4 else samples


def convert(function, shape, samples):
    """(float, int8) flat buffers of a function of one float tensor of `shape`."""
    concrete = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function()
    plain = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    integer = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    integer.optimizations = [tf.lite.Optimize.DEFAULT]
    integer.representative_dataset = lambda: ([samples[i:i + 1]] for i in range(len(samples)))
    integer.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    integer.inference_input_type = integer.inference_output_type = tf.int8
    return plain, integer.convert()


def emit(network, samples, stem):
    """Writes stem.float.tflite and stem.int8.tflite."""
    shape = [1, *channels_last(samples).shape[1:]]
    plain, integer = convert(lambda x: network(TensorFlowBuilder(x)), shape, channels_last(samples))
    for ending, flat in (("float", plain), ("int8", integer)):
        with open(f"{stem}.{ending}.tflite", "wb") as file:
            file.write(flat)
