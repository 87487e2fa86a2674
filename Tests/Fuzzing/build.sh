#!/bin/sh
# Builds a fuzz target, or with PLAIN=1 a program without sanitizers, from the package's sources.
#
#   Tests/Fuzzing/build.sh ONNXFuzz            -> .build-fuzz/ONNXFuzz
#   SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 .build-fuzz/ONNXFuzz -max_len=65536 CORPUS_FOLDER
#
# SwiftPM has no way to instrument only our own modules, so they are compiled here one by one.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
target=$1
out=$root/.build-fuzz${PLAIN:+-plain}
mkdir -p "$out"
flags="-swift-version 6 -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility"
includes="-I $out -I $root/Sources/CZlib -I $root/Sources/CProtobufC -I $root/formats/ONNX/Schema -I $root/runtime/ABI -I $root/runtime/Kernels/include"
if [ -n "${PLAIN:-}" ]; then
  sanitize="" csanitize=""
else
  sanitize="-sanitize=fuzzer,address" csanitize="-fsanitize=address,fuzzer-no-link"
fi

# The C module of the schema, for Swift.
cat > "$out/module.modulemap" <<MAP
module CONNXSchema { header "$root/formats/ONNX/Schema/onnx.pb-c.h" export * }
MAP
clang -O1 $csanitize -c "$root/formats/ONNX/Schema/onnx.pb-c.c" -o "$out/onnx.pb-c.o"

objects="$out/onnx.pb-c.o"
case $target in
  HDF5Fuzz|KerasFuzz) ;;  # run nothing
  *)
    for source in $(find "$root/runtime/Kernels" -name '*.c'); do
      object=$out/$(basename "$source").o
      [ "$object" -nt "$source" ] || clang -O1 -std=gnu11 $csanitize -c "$source" -o "$object"
      objects="$objects $object"
    done ;;
esac
compile() {
  module=$1; shift
  stamp="$out/$module.o"
  if [ -n "$(find "$@" "$0" -newer "$stamp" 2>/dev/null || echo missing)" ]; then
    # shellcheck disable=SC2086
    swiftc -O -wmo $flags $sanitize $includes -parse-as-library -module-name "$module" \
      -emit-module -emit-module-path "$out/$module.swiftmodule" -c -o "$stamp" "$@"
  fi
  objects="$objects $stamp"
}
sources() { find "$root/$1" -name '*.swift'; }
compile WherryBytes $(sources Sources/WherryBytes)
case $target in
  # Its target reaches behind the module's public face, to pass checksums.
  HDF5Fuzz) flags="$flags -enable-testing"; compile WherryHDF5 $(sources Sources/WherryHDF5) ;;
  KerasFuzz)
    compile WherryGraph $(sources Sources/WherryGraph)
    compile WherryOperators $(sources Sources/WherryOperators)
    compile WherryText $(sources Sources/WherryText)
    compile WherryHDF5 $(sources Sources/WherryHDF5)
    compile WherryZip $(sources Sources/WherryZip)
    compile WherryKeras $(sources formats/HDF5/Codec)
    ;;
  *)
    compile WherryGraph $(sources Sources/WherryGraph)
    compile WherryOperators $(sources Sources/WherryOperators)
    compile WherryPasses $(sources Sources/WherryPasses)
    compile WherryNative $(sources formats/Native/Codec)
    compile WherryONNX $(sources formats/ONNX/Codec)
    compile WherryJSON $(sources formats/JSON/Codec)
    ;;
esac
# shellcheck disable=SC2086
swiftc -O $flags $sanitize $includes -parse-as-library "$root/Tests/Fuzzing/$target.swift" $objects \
  -Xlinker -l:libprotobuf-c.a -lz -lm -o "$out/$target"
