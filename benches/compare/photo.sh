#!/usr/bin/env bash
# Compares the CPU seconds of fer-index for one large JPEG (decode, detect, crop, classify) with those
# of djpeg (libjpeg-turbo) for decoding the same file in full. The two alternate, on one thread each.
#
#     benches/compare/photo.sh PHOTO.jpg [photos per round] [rounds]
#
# In a round, fer-index classifies the photo the given number of times in one process. The time of a
# process that only fails to open a missing file (start-up and loading the weights) is subtracted.
set -euo pipefail
photo=$1 count=${2:-10} rounds=${3:-5}
program=${FER_INDEX:-target/release/fer-index}
mapfile -t photos < <(yes "$photo" | head -n "$count")

cpu() { # prints the user + system seconds of a command
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>&1 || true; } 2>&1 | awk '{ print $1 + $2 }'
}
decode_all() { for p in "${photos[@]}"; do djpeg "$p"; done; }

for ((round = 0; round < rounds; round++)); do
    start=$(cpu "$program" classify /nonexistent.jpg)
    ours=$(cpu "$program" classify "${photos[@]}")
    djpeg=$(cpu decode_all)
    awk -v o="$ours" -v s="$start" -v d="$djpeg" -v n="$count" 'BEGIN {
        printf "fer-index %.1f ms per photo, djpeg %.1f ms, ratio %.2f (start-up %.1f ms)\n",
            1000 * (o - s) / n, 1000 * d / n, (o - s) / d, 1000 * s }'
done
