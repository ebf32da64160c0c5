#!/usr/bin/env python3
"""Makes countries.tsv from the Unicode CLDR, whose data the PyPI package Babel (2.19.0) contains:

    pip install babel
    ./make_countries.py > countries.tsv
"""
import gzip
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

from babel import Locale

LANGUAGES = """
    bg ca cs da de el es et eu fi fr gl hr hu id is it ja ko lt lv nb nl pl pt ro ru sk sl sr sv tr uk zh
""".split()
# Minimum length of a name in Latin letters. Shorter names are words of other languages: Fas, Ý, Mỹ.
SHORTEST = 4


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M")).lower()


places = gzip.open(Path(__file__).with_name("places.tsv.gz"), "rt")
known = {code for code, latitude, *_ in (line.split("\t") for line in places) if not latitude}
english = {fold(name): code for code, name in Locale("en").territories.items()}
votes = defaultdict(lambda: defaultdict(int))
for language in LANGUAGES:
    for code, name in Locale(language).territories.items():
        if code in known:
            votes[fold(name)][code] += 1
names = defaultdict(list)
for name, codes in sorted(votes.items()):
    is_short = name.isascii() and len(name) < SHORTEST
    # Omit a name that is a country's English name, or that equally many languages use for two countries.
    best = sorted(codes.values(), reverse=True)
    code = max(codes, key=codes.get)
    is_torn = len(best) > 1 and best[0] == best[1]
    if not is_short and not is_torn and name not in english and not any(c in name for c in "\t\n"):
        names[code].append(name)
for code in sorted(names):
    sys.stdout.write("\t".join([code, *names[code]]) + "\n")
