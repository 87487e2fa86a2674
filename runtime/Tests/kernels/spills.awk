# Reads objdump -d --no-show-raw-insn of kernels and reports innermost loops of dot products that touch the
# stack: one spilled register of a tile costs several times its speed and no test sees it.
# Exits with 1 if there is one, or no loop at all.

function judge(first, last,    i, dots, stack) {
  for (i = first; i <= last; i++) {
    if (text[i] ~ /dpbusd|maddwd|[su]dot|smmla|mull|mlal/) dots++
    if (text[i] ~ /\(%[re][sb]p|\[sp/) stack++
  }
  if (dots < 4) return
  loops++
  if (stack) {
    printf "%s: %d of %d instructions of a loop with %d dot products use the stack\n",
      name, stack, last - first + 1, dots
    found = 1
  }
}

function finish_function(    i, j, target) {
  for (i = 1; i <= count; i++) {
    if (text[i] !~ /^(j[a-z]+|b\.?[a-z][a-z]|cbn?z|tbn?z) /) continue
    target = text[i]
    sub(/ *<.*/, "", target)
    sub(/.*[ ,]/, "", target)
    sub(/^0x/, "", target)
    if (!(target in place) || place[target] > i) continue
    for (j = place[target]; j < i; j++) if (j in ends) break
    ends[i] = 1
    if (j == i) judge(place[target], i)
  }
  count = 0
  split("", place)
  split("", ends)
}

/^[0-9a-f]+ <.*>:$/ {
  finish_function()
  name = $2
  gsub(/[<>:]/, "", name)
}

/^ +[0-9a-f]+:/ {
  address = $1
  sub(/:/, "", address)
  $1 = ""
  sub(/^ +/, "")
  gsub(/\t/, " ")
  text[++count] = $0
  place[address] = count
}

END {
  finish_function()
  printf "%d loops of dot products, %s\n", loops, found ? "some spilled" : "none touches the stack"
  exit found || !loops
}
