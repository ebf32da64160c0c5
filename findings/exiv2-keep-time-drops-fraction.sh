#!/usr/bin/env bash
# `exiv2 -k` promises to keep the time of a file that it changes. It keeps whole seconds only: on a file system that
# stores fractions, the modification time after the change is another one, up to a second earlier. A program that
# takes an equal modification time for "nobody changed this since" sees a change, and one that compares "is it
# newer" sees none.
#
# Seen with exiv2 0.27.6-1 of Debian 12, in the file system of the temporary folder:
#   before: 1563102000.750000000
#   after:  1563102000.000000000
#
# Needs apt-get, dpkg-deb and python3 on Debian 12, amd64 or arm64; changes nothing outside of a temporary folder.
set -euo pipefail

version=0.27.6-1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -qq "exiv2=$version" "libexiv2-27=$version"
for package in ./*.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$PWD/root" -name 'libexiv2.so.27' | head -1)")
export LD_LIBRARY_PATH

# A grey JPEG of 8 × 8 pixels.
base64 -d > photo.jpg <<'JPEG'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ
EBD/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z
JPEG

time_of() { python3 -c 'import os, sys; ns = os.stat(sys.argv[1]).st_mtime_ns; print(f"{ns // 10**9}.{ns % 10**9:09}")' "$1"; }

touch -d @1563102000.75 photo.jpg
before=$(time_of photo.jpg)
root/usr/bin/exiv2 -k -M "set Exif.Image.ImageDescription Ascii harbour" photo.jpg
after=$(time_of photo.jpg)
root/usr/bin/exiv2 -pt photo.jpg | grep -q harbour
echo "before: $before"
echo "after:  $after"

if [ "$before" != 1563102000.750000000 ]; then
    echo "the file system of $folder stores no fractions of a second; set TMPDIR to one that does" >&2
    exit 2
fi
[ "$after" = 1563102000.000000000 ]
