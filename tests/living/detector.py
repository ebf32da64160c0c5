"""A detector program (docs/detector-protocol.md) whose only face is the magenta square of a test photo.

It appends a line to the file that its argument names for each photo, so that a test can count them. Turning a photo
turns what it finds, which no real detector does exactly.
"""

import json
import sys


def magenta(pixels, width):
    places = [
        (place % width, place // width)
        for place in range(len(pixels) // 3)
        if pixels[3 * place] > 200 and pixels[3 * place + 1] < 60 and pixels[3 * place + 2] > 200
    ]
    if not places:
        return []
    left, top = min(x for x, _ in places), min(y for _, y in places)
    right, bottom = max(x for x, _ in places) + 1, max(y for _, y in places) + 1
    return [{"box": [left, top, right - left, bottom - top], "score": 0.9}]


def answer(line):
    print(json.dumps(line), flush=True)


answer({"fer_index_detector": 1, "model": "magenta 1"})
for line in sys.stdin.buffer:
    request = json.loads(line)
    pixels = sys.stdin.buffer.read(request["bytes"])
    with open(sys.argv[1], "a", encoding="ascii") as log:
        log.write("photo\n")
    answer({"faces": magenta(pixels, request["width"])})
