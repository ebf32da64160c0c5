"""Times the whole command `query --emotion happy --limit 20`, process start included.

    python3 benches/compare/query.py target/release/fer-index INDEX.db [RUNS]
"""

import subprocess
import sys
import time

binary, index = sys.argv[1:3]
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 300
command = [binary, "--database", index, "query", "--emotion", "happy", "--limit", "20"]
times = []
for _ in range(runs):
    started = time.perf_counter()
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    times.append(1000 * (time.perf_counter() - started))
    assert answer.count(b"\n") == 20
times.sort()
print(f"median {times[runs // 2]:.1f} ms, p99 {times[(runs - 1) * 99 // 100]:.1f} ms")
