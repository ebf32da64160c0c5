#!/usr/bin/env bash
# Compares the CPU seconds of a whole `fer-index index` of some JPEGs (read, hash, decode, find, read faces, store)
# with those of djpeg (libjpeg-turbo) for decoding the same files in full. The two alternate, on one thread each.
#
#     benches/compare/index.sh ROUNDS PHOTO.jpg...
#
# Prints the ratio of each round and the median, after subtracting what indexing an empty folder takes. Several
# programs can be compared in the same rounds: FER_INDEX="old/fer-index new/fer-index".
set -euo pipefail
rounds=$1
shift
read -ra programs <<<"${FER_INDEX:-target/release/fer-index}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/photos" "$work/empty"
cp -- "$@" "$work/photos"

cpu() { # prints the user + system seconds of a command
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}
decode_all() { for photo in "$work"/photos/*; do djpeg "$photo"; done; }
index() {
    rm -f "$work"/index.sqlite3*
    RAYON_NUM_THREADS=1 cpu "$1" --threads 1 --database "$work/index.sqlite3" index "$work/$2"
}

for ((round = 0; round < rounds; round++)); do
    djpeg=$(cpu decode_all)
    for program in "${programs[@]}"; do
        start=$(index "$program" empty)
        ours=$(index "$program" photos)
        awk -v p="$program" -v o="$ours" -v s="$start" -v d="$djpeg" -v n="$#" 'BEGIN {
            printf "%s: %.1f ms per photo, djpeg %.1f ms, ratio %.2f\n",
                p, 1000 * (o - s) / n, 1000 * d / n, (o - s) / d }'
    done
done | tee "$work/rounds"
for program in "${programs[@]}"; do
    grep -F "$program: " "$work/rounds" | sed 's/.*ratio //' | sort -n |
        awk -v p="$program" '{ a[NR] = $1 } END { print p ": median ratio " a[int((NR + 1) / 2)] }'
done
