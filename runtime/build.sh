#!/usr/bin/env bash
# Builds the runtime library for boards: C kernels and the core as Embedded Swift.
#
#   runtime/build.sh [--target x86_64|aarch64|armv7|all] [--out DIR] [--sanitize]
#
# Writes DIR/<target>/include/wherry.h, lib/libwherry.a, lib/libwherry.so and lib/pkgconfig/wherry.pc;
# DIR is .build/runtime. The default target is this machine. --sanitize builds only the archive, with
# AddressSanitizer, UndefinedBehaviorSanitizer and coverage for libFuzzer.
#
# Needs swiftc (6.3 or newer) and its clang, GNU binutils, and for another processor Debian's cross
# compiler: gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf.
#
# Why not swiftc alone: its Embedded standard library exists for bare metal only, so the core is compiled
# to LLVM IR for a bare target and turned into an object by clang for Linux. Embedded Swift's own support
# functions must not meet those of an ordinary Swift process, so every symbol but wherry_* is made local.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernels=${WHERRY_KERNELS:-$here/Kernels}
out=$here/../.build/runtime
target=$(uname -m)
sanitize=no
jobs=$(getconf _NPROCESSORS_ONLN)

die() {
  echo "build.sh: $1" >&2
  exit "${2:-1}"
}

while [ $# -gt 0 ]; do
  case $1 in
    --target) target=${2:?--target needs a name} && shift 2 ;;
    --out) out=${2:?--out needs a folder} && shift 2 ;;
    --sanitize) sanitize=yes && shift ;;
    *) die "unknown option $1" 64 ;;
  esac
done
case $target in
  all) targets="x86_64 aarch64 armv7" ;;
  armv7l) targets=armv7 ;;
  *) targets=$target ;;
esac

mkdir -p "$out"
out=$(cd "$out" && pwd)
swiftc=$(command -v swiftc) || die "swiftc is not on the path" 69
clang=$(dirname "$(readlink -f "$swiftc")")/clang

# Sets swift_triple, swift_flags, c_flags, headers and prefix (of the GNU tools) for a target.
choose() {
  # On 32 bits the standard library's integer conversions mention arrays, which are gone after inlining.
  swift_flags=(-no-allocations)
  case $1 in
    x86_64)
      swift_triple=x86_64-unknown-linux-gnu
      c_flags=(--target=x86_64-linux-gnu)
      prefix=x86_64-linux-gnu-
      ;;
    aarch64)
      swift_triple=aarch64-none-none-elf
      c_flags=(--target=aarch64-linux-gnu -mno-outline-atomics -fomit-frame-pointer)
      prefix=aarch64-linux-gnu-
      ;;
    armv7)
      swift_triple=armv7-none-none-eabi
      swift_flags=()
      c_flags=(--target=armv7-linux-gnueabihf -mfloat-abi=hard -mfpu=neon)
      prefix=arm-linux-gnueabihf-
      ;;
    *) die "unknown target $1: x86_64, aarch64, armv7 or all" 64 ;;
  esac
  local tool
  for tool in gcc objcopy strip ar; do
    command -v "$prefix$tool" >/dev/null || die "$prefix$tool is not on the path" 69
  done
  headers=()
  if [ -d "/usr/${prefix%-}/include" ]; then headers=(-isystem "/usr/${prefix%-}/include"); fi
  # A board's flash counts; hot loops are unrolled by hand or by pragma and keep their speed.
  optimize=-Os
  if [ "$1" = x86_64 ]; then optimize=-O2; fi
  c_flags+=(-fPIC -fvisibility=hidden -ffunction-sections -fdata-sections)
}

# The core as one object: $1 = working folder.
compile_core() {
  "$swiftc" "${swift_flags[@]}" -module-name WherryCore -swift-version 6 -warnings-as-errors -wmo -parse-as-library -Osize \
    -enable-experimental-feature Embedded -target "$swift_triple" -Xfrontend -disable-stack-protector \
    -Xcc -ffreestanding -Xcc "-fmodule-map-file=$here/ABI/module.modulemap" \
    -Xcc "-fmodule-map-file=$here/Kernels/include/module.modulemap" \
    -emit-ir -o "$1/core.ll" "$here"/Core/*.swift
  # The ABI is exported, the rest hidden; sanitizers instrument only functions that carry the attribute.
  sed -i -e '/@wherry_/ s/ protected / /' -e 's/ protected / hidden /' \
    -e 's/"frame-pointer"="[a-z-]*"/"frame-pointer"="none"/' "$1/core.ll"
  if [ $sanitize = yes ]; then
    sed -i -e 's/^attributes #[0-9]* = { /&sanitize_address /' "$1/core.ll"
  fi
  # LLVM 21 loses the register of a thrown error across a tail call on 32-bit ARM.
  if [ "$swift_triple" = armv7-none-none-eabi ]; then
    sed -i -e 's/^attributes #[0-9]* = { /&"disable-tail-calls"="true" /' \
      -e 's/\btail call /call /' "$1/core.ll"
  fi
  "$clang" "${c_flags[@]}" "${extra[@]}" -Os -Wno-override-module -c "$1/core.ll" -o "$1/core.o"
}

# Every kernel as an object: $1 = working folder.
compile_kernels() {
  local file name pids=() pid
  while IFS= read -r file; do
    name=${file#"$kernels"/}
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    "$clang" "${c_flags[@]}" "${headers[@]}" "${extra[@]}" -std=gnu11 "$optimize" -ffp-contract=off -fno-math-errno \
      -Wall -Wextra -Werror -I "$here/Kernels/include" -c "$file" -o "$1/${name//\//-}.o" &
    pids+=($!)
  done < <(find "$kernels" -name '*.c' | sort)
  for pid in "${pids[@]}"; do wait "$pid" || die "a kernel does not compile"; done
}

# The shared library, and one object of everything reachable from the ABI, all else local or gone:
# $1 = working folder, $2 = where to. All files are optimized together, which only lld can; GNU ld would
# also pad the file to 64 KB pages.
link_shared() {
  echo '{ global: wherry_*; local: *; };' >"$1/exports.map"
  "${prefix}gcc" -fuse-ld=lld -B "$(dirname "$clang")" -shared -nostartfiles -static-libgcc -o "$2/libwherry.so.0" "$1"/*.o \
    -Wl,-soname,libwherry.so.0 -Wl,--version-script="$1/exports.map" -Wl,--gc-sections -Wl,--icf=all \
    -Wl,--plugin-opt=obj-path="$1/wherry.o" \
    -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -lm
  "${prefix}strip" --strip-unneeded -R .comment "$2/libwherry.so.0"
  ln -sf libwherry.so.0 "$2/libwherry.so"
  "${prefix}objcopy" --localize-hidden --strip-unneeded "$1/wherry.o"
}

write_pkg_config() {
  local version
  version=$(sed -n 's/^#define WHERRY_VERSION 0x\([0-9a-f]*\)u.*/\1/p' "$here/ABI/wherry.h")
  cat >"$1/wherry.pc" <<END
prefix=\${pcfiledir}/../..
libdir=\${prefix}/lib
Name: wherry
Description: Runs Wherry models: verified at open, no allocation after
Version: $((16#$version >> 16)).$((16#$version >> 8 & 255)).$((16#$version & 255))
Cflags: -I\${prefix}/include
Libs: -L\${libdir} -lwherry
Libs.private: -lm -lpthread
END
}

build() {
  choose "$1"
  local root=$out/$1
  extra=(-flto=full -fno-asynchronous-unwind-tables -fno-unwind-tables)
  if [ $sanitize = yes ]; then
    extra=(-g -fno-sanitize-recover=all -fsanitize=address,undefined,fuzzer-no-link)
  fi
  mkdir -p "$root/include" "$root/lib/pkgconfig"
  rm -rf "$root/objects"
  mkdir "$root/objects"
  compile_core "$root/objects"
  compile_kernels "$root/objects"
  rm -f "$root/lib/libwherry.a"
  if [ $sanitize = yes ]; then
    "${prefix}ar" rcsD "$root/lib/libwherry.a" "$root/objects"/*.o
  else
    link_shared "$root/objects" "$root/lib"
    "${prefix}ar" rcsD "$root/lib/libwherry.a" "$root/objects/wherry.o"
  fi
  cp "$here/ABI/wherry.h" "$root/include/"
  write_pkg_config "$root/lib/pkgconfig"
  report "$1" "$root"
}

report() {
  local shared=-
  [ $sanitize = yes ] || shared=$(stat -L -c %s "$2/lib/libwherry.so")
  printf '%-8s libwherry.so %s bytes stripped: %s\n' "$1" "$shared" "$2"
}

for one in $targets; do build "$one"; done
