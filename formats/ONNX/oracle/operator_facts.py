"""Writes what each version of each ONNX operator takes, for the dialect's lifting and lowering.

    python operator_facts.py > ../Codec/OperatorFacts.generated.swift

Needs the `onnx` package, whose newest operator set becomes the newest one we know.
"""

import collections
import urllib.parse

import onnx
from onnx import AttributeProto, TensorProto, defs, helper

KINDS = {
    AttributeProto.FLOAT: "f", AttributeProto.INT: "i", AttributeProto.STRING: "s",
    AttributeProto.TENSOR: "t", AttributeProto.GRAPH: "g", AttributeProto.SPARSE_TENSOR: "p",
    AttributeProto.TYPE_PROTO: "y", AttributeProto.FLOATS: "F", AttributeProto.INTS: "I",
    AttributeProto.STRINGS: "S", AttributeProto.TENSORS: "T", AttributeProto.GRAPHS: "G",
    AttributeProto.SPARSE_TENSORS: "P", AttributeProto.TYPE_PROTOS: "Y",
}


ELEMENTS = {
    name.lower(): code for name, code in TensorProto.DataType.items() if name != "UNDEFINED"
}


def text(value):
    return urllib.parse.quote(value if isinstance(value, bytes) else str(value), safe="+")


def default(attribute):
    proto = attribute.default_value
    if proto is None or proto.type == AttributeProto.UNDEFINED:
        return ""
    value = helper.get_attribute_value(proto)
    if isinstance(value, (list, tuple)):
        return "=" + ",".join(text(item) for item in value)
    if hasattr(value, "SerializeToString"):
        return ""
    return "=" + text(value)


def mask(parameter):
    """Bit n for tensors of element type n; bits 40 to 43 for other kinds of value."""
    bits = 0
    for name in parameter.types:
        kind, _, rest = name.partition("(")
        if kind == "tensor":
            bits |= 1 << ELEMENTS[rest.rstrip(")")]
        else:
            bits |= 1 << {"seq": 40, "optional": 41, "map": 42, "sparse_tensor": 43}[kind]
    return f"{bits:x}"


def masks(parameters):
    return "/".join(mask(each) for each in parameters) or "-"


def count(number):
    return "*" if number >= 2**31 - 1 else str(number)


def facts(schema):
    words = [
        f"{count(schema.min_input)}-{count(schema.max_input)}",
        f"{count(schema.min_output)}-{count(schema.max_output)}",
        masks(schema.inputs), masks(schema.outputs),
    ]
    for name, attribute in sorted(schema.attributes.items()):
        required = "!" if attribute.required else ""
        kind = KINDS[int(attribute.type.value)]
        words.append(f"{name}:{kind}{required}{default(attribute)}")
    return " ".join(words)


operators = collections.defaultdict(list)
for schema in defs.get_all_schemas_with_history():
    operators[(schema.domain, schema.name)].append(schema)

print("// Made by oracle/operator_facts.py from onnx", onnx.__version__ + ".")
print("// One operator: its name; then a line for each run of versions with equal facts: versions")
print("// (x = deprecated), inputs, outputs, their types as masks, attributes as name:kind, ! if\n// required, =default. Bit n of a mask: tensors of element type n; 40 to 43: sequence, optional,\n// map, sparse tensor.")
print("extension OperatorFacts {")
newest = {}
for (domain, _), schemas in operators.items():
    latest = max(schema.since_version for schema in schemas)
    newest[domain] = max(newest.get(domain, 0), latest)
newest[""] = defs.onnx_opset_version()
print("  static let newestVersions: [String: Int64] = [")
for domain, version in sorted(newest.items()):
    print(f'    "{domain}": {version},')
print("  ]")
print("  /// The oldest IR version that goes with each operator set version, by first version.")
print("  static let irVersions: [(operatorSet: Int64, ir: Int64)] = [")
previous = None
for (domain, version), ir in helper.OP_SET_ID_VERSION_MAP.items():
    if domain == "ai.onnx" and ir != previous:
        print(f"    ({version}, {ir}),")
        previous = ir
print("  ]")
print('  static let source = """')
for (domain, name) in sorted(operators):
    print(f"    {domain + ':' if domain else ''}{name}")
    runs = []
    for schema in sorted(operators[(domain, name)], key=lambda each: each.since_version):
        mark = f"{schema.since_version}{'x' if schema.deprecated else ''}"
        found = facts(schema)
        if runs and runs[-1][1] == found:
            runs[-1][0].append(mark)
        else:
            runs.append(([mark], found))
    for versions, found in runs:
        print(f"     {','.join(versions)} {found}")
print('    """')
print("}")
