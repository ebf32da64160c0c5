"""Reads the coded picture of a HEIC or AVIF, and writes files of several pictures, which the encoders at hand do not."""


def box(kind, *parts):
    content = b"".join(parts)
    return (8 + len(content)).to_bytes(4, "big") + kind.encode() + content


def full(kind, version, flags, *parts):
    return box(kind, bytes([version]), flags.to_bytes(3, "big"), *parts)


def number(value, size=2):
    return value.to_bytes(size, "big", signed=value < 0)


def boxes(data):
    """The kind and the content of each box."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8].decode(), data[at + 8 : at + size]
        at += size


class Coded:
    """The coded picture of a file: the type of its item, its data, and the boxes of its properties."""

    def __init__(self, path):
        file = path.read_bytes()
        meta = dict(boxes(dict(boxes(file))["meta"][4:]))
        self.properties = {
            kind: box(kind, content)
            for kind, content in boxes(dict(boxes(meta["iprp"]))["ipco"])
            if kind in ("hvcC", "av1C", "ispe", "pixi", "colr", "clap")
        }
        self.kind = "hvc1" if "hvcC" in self.properties else "av01"
        first = meta["iloc"]
        version, sizes = first[0], first[4:6]
        offset_size, length_size, base_size = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
        at = 4 + 2 + 2 + 2 + (2 if version else 0) + 2
        base = int.from_bytes(first[at : at + base_size], "big")
        at += base_size + 2
        offset = base + int.from_bytes(first[at : at + offset_size], "big")
        at += offset_size
        length = int.from_bytes(first[at : at + length_size], "big")
        self.data = file[offset : offset + length]


class File:
    """A file of several items."""

    def __init__(self, brand):
        self.brand = brand
        self.items, self.references, self.groups = [], [], []

    def add(self, kind, data=None, properties=(), references=(), content_type=None, hidden=False):
        """Adds an item, and returns its number; `references` are pairs of a kind and the items that this one names."""
        self.items.append((kind, data, list(properties), content_type, hidden))
        item = len(self.items)
        self.references += [(reference, item, to) for reference, to in references]
        return item

    def coded(self, coded, *more, **options):
        """Adds a coded picture with its properties and these."""
        return self.add(coded.kind, coded.data, [*coded.properties.values(), *more], **options)

    def bytes(self, primary):
        properties, associations = [], b""
        for item, (_, _, own, _, _) in enumerate(self.items, 1):
            places = b""
            for each in own:
                if each not in properties:
                    properties.append(each)
                is_essential = each[4:8] in (b"hvcC", b"av1C", b"irot", b"imir", b"clap")
                places += bytes([properties.index(each) + 1 | is_essential << 7])
            associations += number(item) + bytes([len(own)]) + places
        infos = b"".join(
            full("infe", 2, int(hidden), number(item) + number(0), kind.encode(), b"\0", (content_type or b"") + b"\0" * bool(content_type))
            for item, (kind, _, _, content_type, hidden) in enumerate(self.items, 1)
        )
        references = b"".join(
            box(kind, number(item), number(len(to)), *map(number, to)) for kind, item, to in self.references
        )
        stored = [(item, each[1]) for item, each in enumerate(self.items, 1) if each[1] is not None]

        def meta(start):
            places, at = b"", start
            for item, data in stored:
                places += number(item) + number(0) + number(1) + number(at, 4) + number(len(data), 4)
                at += len(data)
            return full(
                "meta", 0, 0,
                full("hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
                full("pitm", 0, 0, number(primary)),
                full("iinf", 0, 0, number(len(self.items)), infos),
                full("iref", 0, 0, references) if references else b"",
                box("iprp", box("ipco", *properties), full("ipma", 0, 0, number(len(self.items), 4), associations)),
                full("iloc", 0, 0, b"\x44\x00", number(len(stored)), places),
                box("grpl", *self.groups) if self.groups else b"",
            )  # fmt: skip

        head = box("ftyp", self.brand.encode(), bytes(4), b"mif1", self.brand.encode())
        start = len(head) + len(meta(0)) + 8
        return head + meta(start) + box("mdat", *(data for _, data in stored))


def size(width, height):
    return full("ispe", 0, 0, number(width, 4), number(height, 4))


def rotation(quarters):
    return box("irot", bytes([quarters]))


def mirroring(axis):
    return box("imir", bytes([axis]))


def auxiliary(name):
    return full("auxC", 0, 0, name.encode() + b"\0")


def profile(icc):
    return box("colr", b"prof", icc)


def overlay(colour, width, height, places):
    """The data of an `iovl` item: a colour of four 16-bit numbers, the size, and the place of each picture."""
    return b"\0\0" + b"".join(map(number, [*colour, width, height])) + b"".join(number(x) + number(y) for x, y in places)
