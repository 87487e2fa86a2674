"""What h5py finds in HDF5 files, one line a thing: links, types, shapes and digests of the values.

Usage: python digests.py FILE ...              prints the lines of each file
       python digests.py --compare suite SUITES/hdf5 OUT   compares the suites' files, and
       python digests.py --compare written OUT OUT         compares the files that we wrote,
       with the lines that `WHERRY_HDF5_OUT=OUT swift test --filter WherryHDF5Tests` put into the folder OUT

Needs h5py. The comparison exits with 1 when a file that h5py opens was not read, when fewer than 97 %
of the values agree, or when one that differs is not refused as an unsupported feature by name.
"""

import functools
import hashlib
import os
import pathlib
import re
import resource
import struct
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5r, h5s, h5t

MOST_BYTES = 1 << 26  # larger data sets are compared by type and shape only

# What h5py gets wrong: the file, the thing and why.
H5PY_ERRORS = {
    ("pyfive/tests/attr_datatypes.hdf5", "/@vlen_uint64"): "big-endian elements, not swapped",
}


def quoted(name):
    """A name with everything but plain characters as %XX."""
    if isinstance(name, str):
        name = name.encode("utf-8", "surrogateescape")
    return "".join(chr(c) if 0x21 <= c < 0x7F and c != 0x25 else f"%{c:02X}" for c in name)


def bits(tid):
    order = {h5t.ORDER_LE: "<", h5t.ORDER_BE: ">", h5t.ORDER_VAX: "v"}.get(tid.get_order(), "?")
    return f"{tid.get_size()}{order}o{tid.get_offset()}p{tid.get_precision()}"


def bitfield(tid):
    """As `bits`; h5py gives a bit field no such methods, so its encoded form is read."""
    order, _, _, size, offset, precision = struct.unpack_from("<BBBIHH", tid.encode(), 3)
    return f"{size}{'>' if order & 1 else '<'}o{offset}p{precision}"


def describe(tid):
    """The type as text, in the same form as the Swift dump."""
    kind = tid.get_class()
    if kind == h5t.INTEGER:
        return f"i{bits(tid)}{'u' if tid.get_sign() == h5t.SGN_NONE else 's'}"
    if kind == h5t.FLOAT:
        sign, epos, esize, mpos, msize = tid.get_fields()
        norm = {h5t.NORM_IMPLIED: "i", h5t.NORM_MSBSET: "s", h5t.NORM_NONE: "n"}[tid.get_norm()]
        return f"f{bits(tid)}({sign},{epos},{esize},{mpos},{msize},{tid.get_ebias()}){norm}"
    if kind == h5t.TIME:
        return f"t{tid.get_size()}"
    if kind == h5t.STRING:
        size = "*" if tid.is_variable_str() else tid.get_size()
        return f"s{size}p{int(tid.get_strpad())}c{int(tid.get_cset())}"
    if kind == h5t.BITFIELD:
        return f"b{bitfield(tid)}"
    if kind == h5t.OPAQUE:
        return f"o{tid.get_size()}:{quoted(tid.get_tag())}"
    if kind == h5t.COMPOUND:
        if tid.detect_class(h5t.VLEN) or "s*" in str([describe(tid.get_member_type(i)) for i in range(tid.get_nmembers())]):
            # In memory libhdf5's pointers have another size than in the file.
            return "c{" + ";".join(
                f"{quoted(tid.get_member_name(i))}:{describe(tid.get_member_type(i))}"
                for i in range(tid.get_nmembers())) + "}"
        members = ";".join(
            f"{quoted(tid.get_member_name(i))}:{tid.get_member_offset(i)}:{describe(tid.get_member_type(i))}"
            for i in range(tid.get_nmembers()))
        return f"c{tid.get_size()}{{{members}}}"
    if kind == h5t.REFERENCE:
        return f"r{'o' if tid == h5t.STD_REF_OBJ else 'r' if tid == h5t.STD_REF_DSETREG else '?'}"
    if kind == h5t.ENUM:
        cases = ";".join(
            f"{quoted(tid.get_member_name(i))}={tid.get_member_value(i)}" for i in range(tid.get_nmembers()))
        return f"e({describe(tid.get_super())}){{{cases}}}"
    if kind == h5t.VLEN:
        return f"v({describe(tid.get_super())})"
    if kind == h5t.ARRAY:
        return f"a{list(tid.get_array_dims())}({describe(tid.get_super())})".replace(" ", "")
    if int(kind) == 11:
        return f"x({describe(tid.get_super())})"
    raise TypeError(f"type class {kind}")


def text(value):
    if value is None or (isinstance(value, (int, float)) and value == 0):
        value = b""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    return struct.pack("<I", len(value)) + bytes(value)


def grouped(parts, size):
    return [b"".join(parts[i:i + size]) for i in range(0, len(parts), size)]


def region(ref, file):
    if not ref:
        return struct.pack("<Q", 0)
    dataset = h5r.dereference(ref, file.id)
    space = h5r.get_region(ref, file.id)
    head = struct.pack("<Q", h5o.get_info(dataset).addr)
    kind = space.get_select_type()
    if kind == h5s.SEL_POINTS:
        return head + b"p" + np.asarray(space.get_select_elem_pointlist(), "<u8").tobytes()
    if kind == h5s.SEL_HYPERSLABS:
        blocks = np.asarray(space.get_select_hyper_blocklist(), "<u8")
        return head + b"b" + b"".join(sorted(block.tobytes() for block in blocks))
    return head + (b"a" if kind == h5s.SEL_ALL else b"n")


def elements(values, tid, file):
    """One byte string an element; `values` is a flat array of them."""
    kind = tid.get_class()
    if kind == h5t.ENUM:
        return elements(values, tid.get_super(), file)
    if kind == h5t.BITFIELD and values.dtype.kind == "V":
        order, shift, precision = re.fullmatch(r"\d+(.)o(\d+)p(\d+)", bitfield(tid)).groups()
        whole = [int.from_bytes(value.tobytes(), "big" if order == ">" else "little") for value in values]
        return [struct.pack("<Q", number >> int(shift) & (1 << int(precision)) - 1) for number in whole]
    if kind in (h5t.INTEGER, h5t.BITFIELD):
        signed = kind == h5t.INTEGER and tid.get_sign() == h5t.SGN_2
        raw = values.astype("<i8" if signed else "<u8").tobytes()
        return [raw[i:i + 8] for i in range(0, len(raw), 8)]
    if kind == h5t.FLOAT:
        with np.errstate(all="ignore"):
            doubles = values.astype("<f8")
        doubles[np.isnan(doubles)] = np.nan
        raw = doubles.tobytes()
        return [raw[i:i + 8] for i in range(0, len(raw), 8)]
    if kind == h5t.STRING:
        return [text(value) for value in values]
    if kind == h5t.OPAQUE:
        size = tid.get_size()
        return [struct.pack("<I", size) + value.tobytes().ljust(size, b"\0") for value in values]
    if kind == h5t.COMPOUND:
        if values.dtype.kind == "c":
            columns = [values.real, values.imag]
        else:
            columns = [values[name] for name in values.dtype.names]
        parts = [elements(np.ascontiguousarray(column).reshape(len(values), *column.shape[1:]),
                          tid.get_member_type(i), file) for i, column in enumerate(columns)]
        return [b"".join(row) for row in zip(*parts)]
    if int(kind) == 11:
        parts = [elements(column, tid.get_super(), file) for column in (values.real, values.imag)]
        return [b"".join(row) for row in zip(*parts)]
    if kind == h5t.ARRAY:
        dims = tid.get_array_dims()
        size = int(np.prod(dims))
        base = tid.get_super()
        flat = values.reshape((len(values) * size,) + values.shape[1 + len(dims):])
        return grouped(elements(flat, base, file), size)
    if kind == h5t.VLEN:
        base = tid.get_super()
        return [struct.pack("<I", len(value)) + b"".join(elements(np.asarray(value), base, file))
                if value is not None and not (np.isscalar(value) and value == 0) else struct.pack("<I", 0)
                for value in values]
    if kind == h5t.REFERENCE:
        if tid == h5t.STD_REF_OBJ:
            return [struct.pack("<Q", h5o.get_info(h5r.dereference(value, file.id)).addr if value else 0)
                    for value in values]
        return [region(value, file) for value in values]
    raise TypeError(f"type class {kind}")


def digest(read, tid, space, file):
    if space.get_simple_extent_type() == h5s.NULL:
        return hashlib.sha256(b"").hexdigest()[:32]
    shape = space.get_simple_extent_dims()
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if count * tid.get_size() > MOST_BYTES:
        return "large"
    values = read()
    values = np.asarray(values) if not isinstance(values, np.ndarray) else values
    inner = values.shape[len(shape):] if tid.get_class() == h5t.ARRAY else ()
    if values.dtype.kind == "O" and values.shape != shape and tid.get_class() in (h5t.VLEN, h5t.STRING, h5t.REFERENCE):
        boxed = np.empty(1, object)
        boxed[0] = values[()] if values.shape == () else values
        values = boxed
    elif tid.get_class() == h5t.VLEN and values.dtype.kind != "O":
        boxed = np.empty(1, object)
        boxed[0] = values
        values = boxed
    values = values.reshape((count,) + tuple(inner))
    return hashlib.sha256(b"".join(elements(values, tid, file))).hexdigest()[:32]


def raw(identifier, tid, space):
    """The elements of an opaque type or bit field as the file holds them; h5py converts neither."""
    values = np.empty(space.get_simple_extent_dims(), f"V{tid.get_size()}")
    if isinstance(identifier, h5a.AttrID):
        identifier.read(values, mtype=tid)
    else:
        identifier.read(h5s.ALL, h5s.ALL, values, mtype=tid)
    return values


def extents(space):
    if space.get_simple_extent_type() == h5s.NULL:
        return "null"
    limits = [("*" if m == h5s.UNLIMITED else m) for m in space.get_simple_extent_dims(True)]
    return ",".join(f"{n}/{m}" for n, m in zip(space.get_simple_extent_dims(), limits)) or "scalar"


def line(kind, path, identifier, read, file):
    tid, space = identifier.get_type(), identifier.get_space()
    try:
        form = describe(tid)
    except Exception as error:  # whatever h5py can't do is no case
        return f"{kind} {path} unreadable {type(error).__name__}"
    if tid.get_class() in (h5t.OPAQUE, h5t.BITFIELD):
        read = functools.partial(raw, identifier, tid, space)
    try:
        value = digest(read, tid, space, file)
    except Exception as error:
        return f"{kind} {path} {form} {extents(space)} unreadable {type(error).__name__}: {error}".split("\n")[0]
    return f"{kind} {path} {form} {extents(space)} {value}"


def attributes(obj, path, file):
    names = sorted(h5a.open(obj.id, index=i).name for i in range(h5a.get_num_attrs(obj.id)))
    for name in names:
        attribute = h5a.open(obj.id, name)
        full = f"{path}@{quoted(name)}"
        yield line("attribute", full, attribute, lambda name=name: obj.attrs[name], file)


def walk(group, path, seen, file):
    for name in sorted(group.id):
        inner = f"{path}/{quoted(name)}"
        info = group.id.links.get_info(name)
        if info.type == h5l.TYPE_SOFT:
            yield f"soft {inner} {quoted(group.id.links.get_val(name))}"
        elif info.type == h5l.TYPE_EXTERNAL:
            where, what = group.id.links.get_val(name)
            yield f"external {inner} {quoted(where)} {quoted(what)}"
        elif info.type != h5l.TYPE_HARD:
            yield f"user-defined {inner}"
        else:
            try:
                address = h5o.get_info(group.id, name).addr if hasattr(h5o, "get_info") else info.u
                if address in seen:
                    yield f"again {inner}"
                    continue
                seen.add(address)
                obj = group[name]
            except Exception as error:
                yield f"object {inner} unreadable {type(error).__name__}"
                continue
            yield from lines(obj, inner, seen, file)


def lines(obj, path, seen, file):
    if isinstance(obj, h5py.Dataset):
        yield line("dataset", path, obj.id, lambda: obj[()], file)
    elif isinstance(obj, h5py.Datatype):
        try:
            yield f"type {path} {describe(obj.id)}"
        except Exception as error:
            yield f"type {path} unreadable {type(error).__name__}"
    else:
        yield f"group {path or '/'}"
    yield from attributes(obj, path or "/", file)
    if isinstance(obj, h5py.Group):
        yield from walk(obj, path, seen, file)


def dump(path):
    """All lines of a file; a damaged one may end them early."""
    found = []
    with h5py.File(path, "r", locking=False) as file:
        try:
            for text in lines(file, "", {h5o.get_info(file.id).addr}, file):
                found.append(text)
        except RuntimeError as error:
            found.append(f"rest unreadable {error}".split("\n")[0])
    return found


def dump_apart(path):
    """`dump` in a process of its own, because damaged files can end libhdf5; None when h5py can't open it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        with os.fdopen(write, "w") as pipe:
            try:
                h5py.File(path, "r", locking=False).close()
                pipe.write("opened\n")
                pipe.flush()
                for text in dump(path):
                    pipe.write(text + "\n")
            except OSError:
                pass
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        found = pipe.read().split("\n")
    _, status = os.waitpid(child, 0)
    if status != 0:
        print(f"{path}: h5py ended with status {status}")
    return [text for text in found[1:] if text] if found[0] == "opened" else None


def key(text):
    return " ".join(text.split(" ")[:2])


def compare(group, root, out):
    total = {}
    failed = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.suffix in (".ddl", ".txt"):
            continue
        theirs = dump_apart(path)
        if theirs is None:
            continue
        name = str(path.relative_to(root))
        ours_file = out / f"{group}-{name.replace('/', '%')}.txt"
        row = total.setdefault(str(path.parent.relative_to(root)), [0, 0, 0, 0, 0])
        row[0] += 1
        ours = ours_file.read_text().split("\n") if ours_file.exists() else []
        if not ours or ours[0].startswith("refused"):
            failed.append(f"{name}: not read: {ours[:1]}")
            continue
        row[1] += 1
        found = {key(text): text for text in ours if text}
        for text in theirs:
            if " unreadable " in text or (name, text.split(" ")[1]) in H5PY_ERRORS:
                continue
            mine = found.get(key(text))
            isValue = text.startswith(("dataset", "attribute"))
            row[2] += isValue
            if mine == text:
                row[3] += isValue
            elif mine is not None and " unsupported: " in mine:
                row[4] += isValue
            else:
                failed.append(f"{name}: {text[:300]}\n    {(mine or 'nothing')[:300]}")
    for line in failed:
        print(line)
    columns = [sum(row[i] for row in total.values()) for i in range(5)]
    for name, row in sorted(total.items()) + [("all", columns)]:
        print(f"{name}: {row[1]} of {row[0]} files; {row[3]} of {row[2]} values identical, "
              f"{row[4]} unsupported by name")
    sys.exit(1 if failed or columns[3] < 0.97 * columns[2] or not columns[2] else 0)


if __name__ == "__main__":
    h5py._errors.silence_errors()
    if sys.argv[1:2] == ["--compare"]:
        compare(sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
    for name in sys.argv[1:]:
        print("\n".join(dump(name)))
