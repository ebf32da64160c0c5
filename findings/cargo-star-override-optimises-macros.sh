#!/usr/bin/env bash
# Cargo builds procedural macros and build scripts of the release profile without optimisation, since they run once.
# An override for all dependencies, `[profile.release.package."*"]`, is meant for what is linked into the program, but
# takes precedence over the profile's `build-override` and so applies to them as well. A program that writes
# `opt-level = 1` there, so that its dependencies build faster than with 3, has its derive macros and syn optimised
# instead, which costs more than it saves. An explicit `build-override` beside "*" changes nothing. Written as the
# level of the profile itself, with 3 for the packages that need it, the same value leaves the macros as they are.
#
# Seen with cargo 1.95.0 and the macro crate paste 1.0.15, in the options of rustc:
#   package "*" at 1:                       -C opt-level=1
#   package "*" at 1, build-override at 0:  -C opt-level=1
#   the profile at 1:                       no level
#
# Needs cargo; changes nothing outside of a temporary folder but cargo's cache of packages.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR="$folder/target"

mkdir src
echo 'paste::paste! { pub const [<PO INT>]: u8 = 1; }' > src/lib.rs

# The level at which rustc compiles the macro crate under this profile.
level_of_macro() {
    cat > Cargo.toml <<TOML
[package]
name = "point"
version = "0.0.0"
edition = "2021"

[dependencies]
paste = "=1.0.15"

$1
TOML
    rm -rf target
    cargo build --release -v 2> log
    grep -E -- '--crate-name paste ' log | grep -oE -- '-C opt-level=[0-9sz]' || echo "no level"
}

star=$(level_of_macro '[profile.release.package."*"]
opt-level = 1')
both=$(level_of_macro '[profile.release.package."*"]
opt-level = 1
[profile.release.build-override]
opt-level = 0')
profile=$(level_of_macro '[profile.release]
opt-level = 1')
echo "package \"*\" at 1:                       $star"
echo "package \"*\" at 1, build-override at 0:  $both"
echo "the profile at 1:                       $profile"

[ "$star" = "-C opt-level=1" ] && [ "$both" = "-C opt-level=1" ] && [ "$profile" = "no level" ]
