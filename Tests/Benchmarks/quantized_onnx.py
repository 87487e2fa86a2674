"""Static int8 quantization of a float ONNX model by ONNX Runtime, in every form its peers may prefer."""

import os
import tempfile

import onnxruntime
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic,
                                      quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

import eight_bit_ends

# ending: format, activations, only these operators (all that can be when None)
FORMS = {"qdq_u8": (QuantFormat.QDQ, QuantType.QUInt8, None),
         "qdq_s8": (QuantFormat.QDQ, QuantType.QInt8, None),
         "qop_u8": (QuantFormat.QOperator, QuantType.QUInt8, None)}
PRODUCTS = ["MatMul", "Gemm"]
TRANSFORMER_FORMS = {"qdq_u8_products": (QuantFormat.QDQ, QuantType.QUInt8, PRODUCTS)}


class Reader(CalibrationDataReader):
    def __init__(self, name, samples):
        self.feeds = iter([{name: samples[i:i + 1]} for i in range(len(samples))])

    def get_next(self):
        return next(self.feeds, None)


def quantize(source, samples, stem, transformer=False):
    """Writes stem.FORM.onnx for every form, and for QDQ stem.FORM_io.onnx with 8-bit input and output."""
    name = onnxruntime.InferenceSession(source).get_inputs()[0].name
    with tempfile.TemporaryDirectory() as folder:
        prepared = os.path.join(folder, "prepared.onnx")
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        for ending, (form, activations, operators) in (FORMS | (TRANSFORMER_FORMS if transformer else {})).items():
            quantize_static(prepared, f"{stem}.{ending}.onnx", Reader(name, samples), quant_format=form,
                            op_types_to_quantize=operators, per_channel=True, activation_type=activations,
                            weight_type=QuantType.QInt8)
            if form == QuantFormat.QDQ and operators is None:
                eight_bit_ends.strip(f"{stem}.{ending}.onnx", f"{stem}.{ending}_io.onnx")
        if transformer:
            quantize_dynamic(prepared, f"{stem}.dynamic.onnx", per_channel=True, weight_type=QuantType.QInt8)
