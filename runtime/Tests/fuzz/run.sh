#!/usr/bin/env bash
# Fuzzes the verifier and the kernels it guards.
#
#   runtime/Tests/fuzz/run.sh [SECONDS [CORPUS...]]
#
# Seeds are the files of the ABI tests, and whatever folders are named. Findings land in .build/fuzz.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runtime=$here/../..
out=$runtime/../.build/fuzz
seconds=${1:-60}
if [ $# -gt 0 ]; then shift; fi
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
abi=$here/../abi

mkdir -p "$out/corpus" "$out/seeds"
"$runtime/build.sh" --sanitize --out "$out"
archive=$(ls "$out"/*/lib/libwherry.a)
flags=(-std=gnu11 -g -O1 -I"$runtime/ABI" -I"$abi")
"$clang" "${flags[@]}" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
  "$here/verify_fuzzer.c" "$archive" -lm -o "$out/verify_fuzzer" 2>/dev/null
"$clang" "${flags[@]}" -fsanitize=address,undefined "$here/write_seeds.c" "$abi"/model_builder.c \
  "$abi"/sha256_reference.c "$abi"/sample_models.c -lm -o "$out/write_seeds" 2>/dev/null
"$out/write_seeds" "$out/seeds"
cd "$out"
exec ./verify_fuzzer -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 \
  corpus seeds "$@"
