#!/bin/sh
# Builds the benchmark in the folder named by the first argument from the package's sources, module by
# module and optimized as a release build is, and prints the path of the executable.
set -eu
name=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/.build/benchmarks/$name
mkdir -p "$out"
flags="-O -wmo -swift-version 6 -enable-upcoming-feature ExistentialAny
  -enable-upcoming-feature MemberImportVisibility -I $out -I $root/Sources/CZlib"

module() {
  # shellcheck disable=SC2086,SC2046
  swiftc $flags -parse-as-library -emit-module -emit-module-path "$out/$1.swiftmodule" \
    -module-name "$1" -c -o "$out/$1.o" $(find "$root/$2" -name '*.swift')
}

module WherryBytes Sources/WherryBytes
case $name in
  HDF5) module WherryHDF5 Sources/WherryHDF5 ;;
  *)
    module WherryGraph Sources/WherryGraph
    module WherryOperators Sources/WherryOperators
    module WherryJSON formats/JSON/Codec
    ;;
esac
# shellcheck disable=SC2086
swiftc $flags "$root/Tests/Benchmarks/$name"/*.swift "$out"/*.o -o "$out/$name"
echo "$out/$name"
