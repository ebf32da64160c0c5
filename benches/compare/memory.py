#!/usr/bin/env python3
"""Prints the peak memory of a command and the processes that it starts, in MB.

    benches/compare/memory.py target/release/fer-index --threads 2 --database /tmp/i.sqlite3 index FOLDER

All processes together: the largest sum of their PSS (resident memory, of which each shared page counts once) in samples
as dense as the kernel gives them; and for each process the largest resident size by the kernel's own count, with the
largest part of it that is neither a file's nor shared. Linux only.
"""

import pathlib
import subprocess
import sys

PROC = pathlib.Path("/proc")


def family(root: int) -> list[int]:
    """The process and all that descend from it."""
    found = [root]
    for pid in found:
        for task in (PROC / str(pid) / "task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def fields(path: pathlib.Path) -> dict[str, int]:
    """The lines `Name: 123 kB` of a file, in bytes."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines if line[-1] == "kB"}


def main() -> None:
    command = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    together, samples = 0, 0
    largest: dict[int, tuple[int, int]] = {}
    while command.poll() is None:
        total = 0
        for pid in family(command.pid) if (PROC / str(command.pid)).exists() else []:
            try:
                total += fields(PROC / str(pid) / "smaps_rollup")["Pss"]
                status = fields(PROC / str(pid) / "status")
                now = status["VmHWM"], status["RssAnon"]
            except (OSError, KeyError):
                continue  # it has ended
            largest[pid] = tuple(map(max, now, largest.get(pid, now)))
        together, samples = max(together, total), samples + 1
    print(f"all processes together: {together / 1e6:.1f} MB ({samples} samples)")
    for pid, (resident, private) in sorted(largest.items()):
        print(f"process {pid}: {resident / 1e6:.1f} MB, of which {private / 1e6:.1f} MB its own")
    sys.exit(command.returncode)


if __name__ == "__main__":
    try:
        main()
    except (OSError, FileNotFoundError) as error:
        sys.exit(f"memory.py: {error}")
