#!/usr/bin/env bash
# Builds and runs the kernel tests: natively, under sanitizers, and for both ARMs under qemu-user where
# the cross toolchains are present.  runtime/Tests/kernels/run.sh [native|sanitize|aarch64|armv7|spills|bench …]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernels=$here/../../Kernels
out=$here/../../../.build/kernel-tests
clang=${CLANG:-clang}
link=()
flags=(-std=gnu11 -ffp-contract=off -fno-math-errno -fvisibility=hidden -Wall -Wextra -Werror)
# Where there is no AVX-VNNI its variants are tested with AVX-512's encoding of the same instruction.
if grep -qs avx512_vnni /proc/cpuinfo; then flags+=(-DWH_EVEX_VNNI); fi
mapfile -t sources < <(find "$kernels" -name '*.c' | sort)
mapfile -t tests < <(find "$here" -name '*.c' ! -name 'bench*.c' | sort)

# build NAME compiler and flags… : objects of kernels and tests into one program.
build() {
  local name=$1 pairs=() objects=() file object
  shift
  mkdir -p "$out/$name"
  for file in "${sources[@]}" "${tests[@]}"; do
    object=$out/$name/$(basename "$(dirname "$file")")-$(basename "$file").o
    objects+=("$object")
    pairs+=("$object" "$file")
  done
  printf '%s\0' "${pairs[@]}" | xargs -0 -n 2 -P "$(nproc)" "$@" "${flags[@]}" -c -o
  "$@" "${link[@]}" "${objects[@]}" -lm -o "$out/$name/tests"
}

native() {
  build native "$clang" -O2
  "$out/native/tests"
}

sanitize() {
  local link=(-fuse-ld=lld) # binutils' gold warns of symbols of this clang's AddressSanitizer
  build sanitize "$clang" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
  "$out/sanitize/tests"
}

# cross NAME TRIPLE QEMU "CPU …" flags… : runs the tests as each of these processors.
cross() {
  local name=$1 triple=$2 qemu=$3 cpus=$4
  shift 4
  if ! command -v "$triple-gcc" "$qemu" >/dev/null; then
    echo "$name: no $triple-gcc or $qemu, skipped"
    return
  fi
  build "$name" "$clang" -O2 "--target=$triple" "$@"
  xargs -n 1 -P "$(nproc)" bash -c '
    said=$("$0" -cpu "$3" -L "$1" "$2" 2>&1) && passed=0 || passed=1
    printf "%s: %s\n" "$3" "$said"
    exit $passed' "$qemu" "/usr/$triple" "$out/$name/tests" <<<"${cpus// /$'\n'}"
}

# spills_of OBJDUMP compiler and flags… : no loop of dot products may touch the stack.
spills_of() {
  local objdump=$1 file failed=0
  shift
  for file in "$kernels"/int8_conv/q{tile,gemv}_*.c; do
    "$@" "${flags[@]}" -c "$file" -o "$out/spills.o"
    "$objdump" -d --no-show-raw-insn "$out/spills.o" >"$out/spills.s"
    # A variant of another processor is an empty object.
    grep -qE 'dpbusd|maddwd|[su]dot|smmla|mlal|mull' "$out/spills.s" || continue
    echo -n "$(basename "$file"): "
    awk -f "$here/spills.awk" "$out/spills.s" || failed=1
  done
  return $failed
}

spills() {
  local failed=0
  mkdir -p "$out"
  spills_of objdump "$clang" -O2 || failed=1
  if command -v aarch64-linux-gnu-objdump >/dev/null; then
    spills_of aarch64-linux-gnu-objdump "$clang" -Os --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include ||
      failed=1
  fi
  return $failed
}

bench() {
  local program
  spills || true # it has said where
  mkdir -p "$out"
  for program in "$here"/bench*.c; do
    "$clang" -O2 "${flags[@]}" "${sources[@]}" "$program" -lm -o "$out/bench"
    "$out/bench"
  done
}

[ $# -gt 0 ] || set -- native sanitize aarch64 armv7
for step in "$@"; do
  echo "== $step"
  case $step in
    native | sanitize | spills | bench) "$step" ;;
    aarch64) cross aarch64 aarch64-linux-gnu qemu-aarch64 "cortex-a53 cortex-a72 cortex-a76 max" ;;
    armv7) cross armv7 arm-linux-gnueabihf qemu-arm "cortex-a7 max" -march=armv7-a -mfpu=neon -mfloat-abi=hard ;;
    *) echo "run.sh: unknown step $step" >&2 && exit 64 ;;
  esac
done
