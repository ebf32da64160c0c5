#!/usr/bin/env bash
# toml_edit edits TOML and keeps its form. It has two types for a parsed document: DocumentMut, and the read-only
# Document, which alone knows the place of each value in the text. Both can be turned into a string. For DocumentMut
# that is the document; for Document it is only the part before the first section, without the document's comments:
# Document has no Display, and is dereferenced to its root Table, whose Display prints the table's own values. No error
# or warning tells the difference, so a program that changes the type, say in order to name a line in its messages,
# and goes on to write the string, removes the sections from its user's file.
#
# Nor does DocumentMut return the text that was parsed: it writes `\r\n` as `\n`, but not within multi-line strings, so
# that a file with the line ends of Windows comes back with both kinds. The crate's documentation lists what is not
# preserved, and neither of the two is in the list.
#
# Seen with toml_edit 0.25.20:
#   read    "# mine\r\na = 1\r\n[b] # yours\r\nc = 2\r\nd = \"\"\"x\r\ny\"\"\"\r\n"
#   mut     "# mine\na = 1\n[b] # yours\nc = 2\nd = \"\"\"x\r\ny\"\"\"\n"
#   const   "a = 1\n"
#
# Needs cargo; changes nothing outside of a temporary folder but cargo's cache of packages.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CARGO_TARGET_DIR="$folder/target"

mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "documents"
version = "0.0.0"
edition = "2021"

[dependencies]
toml_edit = "=0.25.20"
TOML
cat > src/main.rs <<'RUST'
use toml_edit::{Document, DocumentMut};

fn main() {
    let text = "# mine\r\na = 1\r\n[b] # yours\r\nc = 2\r\nd = \"\"\"x\r\ny\"\"\"\r\n";
    let editable: DocumentMut = text.parse().unwrap();
    let read_only = Document::parse(text).unwrap();
    assert_eq!(read_only["b"]["c"].as_integer(), Some(2)); // the section was read
    println!("read    {text:?}");
    println!("mut     {:?}", editable.to_string());
    println!("const   {:?}", read_only.to_string());
    assert_eq!(read_only.to_string(), "a = 1\n");
    assert_eq!(
        editable.to_string(),
        "# mine\na = 1\n[b] # yours\nc = 2\nd = \"\"\"x\r\ny\"\"\"\n"
    );
}
RUST
cargo run --quiet
