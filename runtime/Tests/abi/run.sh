#!/usr/bin/env bash
# Builds the library and its ABI tests for this machine, sanitized for this machine, and for both ARMs
# where a cross compiler and qemu are present, and runs them. The last line is "N passed, M failed".
#
#   runtime/Tests/abi/run.sh [--out DIR]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runtime=$here/../..
out=$runtime/../.build/runtime
if [ "${1:-}" = --out ]; then out=$2; fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
host=$(uname -m)
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
sources=("$here"/*.c)
flags=(-std=gnu11 -g -O1 -Wall -Wextra -Werror -pthread)
passed=0
failed=0

# $1 = what; the rest is the command, whose last line counts.
count() {
  local name=$1 line
  shift
  line=$("$@" 2>"$out/abi-test.log" | tail -n 1) || true
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    line="did not finish"
    failed=$((failed + 1))
  fi
  echo "$name: $line"
  if [[ $line != *" 0 failed" ]]; then cat "$out/abi-test.log"; fi
}

# $1 = what, $2 = expected, $3 = actual.
same() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
    echo "$1: as promised"
  else
    failed=$((failed + 1))
    printf '%s: differs\n--- promised\n%s\n--- found\n%s\n' "$1" "$2" "$3"
  fi
}

# What the shared library of a target exports, needs, and must not call.
inspect() {
  local library=$out/$1/lib/libwherry.so undefined
  same "$1 exports" \
    "$(sed -n 's/^WHERRY_API .*[ *]\(wherry_[a-z_]*\)(.*/\1/p' "$runtime/ABI/wherry.h" | sort)" \
    "$(readelf --dyn-syms -W "$library" | awk '$7 ~ /^[0-9]+$/ { print $8 }' | sort)"
  same "$1 needs" "libc.so.6 libm.so.6" \
    "$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | xargs)"
  undefined=$(readelf --dyn-syms -W "$library" | awk '$7 == "UND" { print $8 }')
  same "$1 never allocates or ends the process" "" \
    "$(grep -E '^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|mmap|brk|abort|exit|printf)@' \
      <<<"$undefined" || true)"
}

# $1 = target, $2 = compiler, $3 = emulator and its arguments, or nothing.
run_target() {
  local lib=$out/$1/lib emulator=() mutations=100000
  read -ra emulator <<<"$3"
  if [ -n "$3" ]; then mutations=10000; fi
  "$runtime/build.sh" --target "$1" --out "$out"
  inspect "$1"
  "$2" "${flags[@]}" -I"$out/$1/include" -I"$runtime/ABI" "${sources[@]}" "$lib/libwherry.a" -lm \
    -o "$out/$1/abi-static"
  "$2" "${flags[@]}" -I"$out/$1/include" -I"$runtime/ABI" "${sources[@]}" -L"$lib" -lwherry \
    -Wl,-rpath,"$lib" -o "$out/$1/abi-shared"
  count "$1 archive" "${emulator[@]}" "$out/$1/abi-static" --mutations "$mutations"
  count "$1 shared library" "${emulator[@]}" "$out/$1/abi-shared" --mutations "$mutations"
  run_examples "$@"
}

# The stripped library on AArch64, with everything in it.
measure() {
  local size
  size=$(stat -L -c %s "$out/aarch64/lib/libwherry.so")
  same "aarch64 is at most 128 KB" yes "$([ "$size" -le 131072 ] && echo yes || echo "$size bytes")"
}

# $1 = target, $2 = compiler, $3 = emulator and its arguments: two sessions of run_raw give z = x W + b.
run_examples() {
  local folder=$out/$1/examples emulator=()
  read -ra emulator <<<"$3"
  mkdir -p "$folder"
  gcc -std=gnu11 -I"$runtime/ABI" -I"$here" "$here/../fuzz/write_seeds.c" "$here/model_builder.c" \
    "$here/sample_models.c" "$here/sha256_reference.c" -lm -o "$folder/write_seeds"
  "$folder/write_seeds" "$folder"
  make -s -C "$runtime/examples" CC="$2" STATIC=1 OUT="$folder" \
    MODEL="$folder/two_operations.wherry" PKG_CONFIG_PATH="$out/$1/lib/pkgconfig"
  printf '\0\0\200\77\0\0\0\300\0\0\100\100\0\0\200\300\0\0\240\100' >"$folder/x.raw" # 1 -2 3 -4 5
  "${emulator[@]}" "$folder/run_raw" --sessions 2 "$folder/two_operations.wherry" "$folder/y" \
    "$folder/x.raw"
  same "$1 run_raw" "9.5 2.5 18" "$(od -An -f "$folder/y.0.raw" | xargs)"
  same "$1 minimal" "2 zébra 18" \
    "$("${emulator[@]}" "$folder/minimal" "$folder/two_operations.wherry" <"$folder/x.raw" 2>/dev/null)"
  same "$1 sensor_loop" "9.5 2.5 18" "$(echo 1 -2 3 -4 5 | "${emulator[@]}" "$folder/sensor_loop")"
}

run_sanitized() {
  "$runtime/build.sh" --sanitize --out "$out/sanitized"
  "$clang" "${flags[@]}" -fsanitize=address,undefined -fno-sanitize-recover=all -DSANITIZED \
    -I"$runtime/ABI" "${sources[@]}" "$out/sanitized/$host/lib/libwherry.a" -lm \
    -o "$out/sanitized/abi" 2>"$out/abi-link.log" || { cat "$out/abi-link.log" && exit 1; }
  count "$host sanitized" "$out/sanitized/abi"
}

run_target "$host" gcc ""
run_sanitized
for arm in "aarch64 aarch64-linux-gnu" "armv7 arm-linux-gnueabihf"; do
  read -r target triple <<<"$arm"
  emulator=qemu-${target/armv7/arm}
  if [ "$target" = "$host" ]; then continue; fi
  if command -v "$triple-gcc" >/dev/null && command -v "$emulator" >/dev/null; then
    run_target "$target" "$triple-gcc" "$emulator -L /usr/$triple"
    if [ "$target" = aarch64 ]; then measure; fi
  else
    echo "$target: skipped, needs $triple-gcc and $emulator"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
