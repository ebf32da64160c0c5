"""Times whole `query` commands on a large index, including the start of the process: without a filter, with each
filter, and with every pair of filters.

    python3 benches/compare/query.py target/release/fer-index INDEX.db

`examples/big_index.rs` makes the index.
"""

import itertools
import subprocess
import sys
import time

PLAIN = ["query", "--emotion", "happy", "--limit", "20"]
PICTURES = "/home/someone/Pictures"
FILTERS = [
    "--emotion sad", "--min-score 0.9", "--who most", "--who all", "--faces 1", "--faces 5", "--faces 2..",
    "--since 2018-07-01 --until 2019-06-30", "--since 2018-07-01 --until 2018-07-01",
    f"--under {PICTURES}/2004/02%00001", f"--under {PICTURES}", "--album trip%003",
    "--near 48.137,11.575 --within 5", "--near 48.137,11.575 --within 25", "--near=-49,123 --within 50",
    "--away", "--camera pixel", "--camera dsc", "--text birthday", "--text family",
    "--text pictures", "--person anna", "--person number123", "--near germany", "--near europe", "--min-detection 0.95", "--min-face-size 300", "--one-per-burst", "--order date",
    "--order random --seed 1", "--offset 20",
]


def run(binary, index, filters, times):
    """The times in ms, ascending, and the number of photos found."""
    flags = [flag.replace("%", " ") for part in filters for flag in part.split()]
    command = [binary, "--quiet", "--database", index, *PLAIN, *flags]
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        answer = subprocess.run(command, stdout=subprocess.PIPE)
        taken.append(1000 * (time.perf_counter() - started))
        assert answer.returncode in (0, 1), command
    return sorted(taken), answer.stdout.count(b"\n")


def main():
    binary, index = sys.argv[1:3]
    taken, _ = run(binary, index, [], 200)
    print(f"plain: median {taken[100]:.1f} ms, p99 {taken[197]:.1f} ms")
    taken, _ = run(binary, index, ["--near australia"], 20)
    print(f"with a place by name: median {taken[10]:.1f} ms")
    names = {part.split()[0].split("=")[0] for part in FILTERS}
    pairs = [pair for pair in itertools.combinations(FILTERS, 2)
             if not any(sum(name in part.split() or part.startswith(name + "=") for part in pair) > 1
                        for name in names - {"--emotion"})]
    rows = []
    for filters in [(one,) for one in FILTERS] + pairs:
        taken, found = run(binary, index, filters, 5)
        rows.append((taken[2], taken[-1], found, " ".join(filters)))
    rows.sort(reverse=True)
    over = sum(median > 50 for median, *_ in rows)
    print(f"{len(FILTERS)} filters and {len(pairs)} pairs, {over} of them over 50 ms in the median of 5")
    for median, worst, found, name in rows[:15]:
        print(f"| `{name}` | {found} | {median:.1f} | {worst:.1f} |")


main()
