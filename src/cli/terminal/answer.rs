//! What a terminal says of itself.

use super::{Protocol, Screen};

/// Asked in this order, since every terminal answers the last and answers come in order: kitty's
/// graphics query with a picture of one pixel, the name (XTVERSION), the size of a cell, and the
/// primary device attributes (DA1).
pub(super) const QUESTIONS: &[u8] =
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[16t\x1b[c";

/// Rows of terminals that do not tell how high theirs are.
const ROW: u32 = 20;

/// Those that show inline images as iTerm2 does, by the beginning of their names.
const LIKE_ITERM: [&str; 2] = ["iTerm2", "WezTerm"];

/// Whether the last question was answered.
pub(super) fn is_whole(answer: &[u8]) -> bool {
    attributes(answer).is_some()
}

/// The screen that answered so; `None` where it shows no pictures.
pub(super) fn screen(answer: &[u8]) -> Option<Screen> {
    let name = between(answer, b"\x1bP>|", b"\x1b\\").unwrap_or_default();
    let protocol =
        if between(answer, b"\x1b_G", b"\x1b\\").is_some_and(|told| told.ends_with(";OK")) {
            Protocol::Kitty
        } else if LIKE_ITERM.iter().any(|like| name.starts_with(like)) {
            Protocol::Iterm
        } else if attributes(answer)?
            .split(';')
            .any(|attribute| attribute == "4")
        {
            Protocol::Sixel
        } else {
            return None;
        };
    Some(Screen {
        protocol,
        row: row(answer).unwrap_or(ROW),
    })
}

fn attributes(answer: &[u8]) -> Option<&str> {
    between(answer, b"\x1b[?", b"c")
}

/// The height out of `CSI 6 ; height ; width t`.
fn row(answer: &[u8]) -> Option<u32> {
    let (height, _) = between(answer, b"\x1b[6;", b"t")?.split_once(';')?;
    let height = height.parse().ok()?;
    (4..=200).contains(&height).then_some(height)
}

fn between<'a>(answer: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a str> {
    let find = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|seen| seen == part);
    let rest = &answer[find(answer, start)? + start.len()..];
    str::from_utf8(&rest[..find(rest, end)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_known_by_their_answers() {
        let told = |answer: &str| screen(answer.as_bytes()).map(|s| (s.protocol, s.row));
        for (answer, expected) in [
            (
                "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.46.2)\x1b\\\x1b[6;34;17t\x1b[?62;52c",
                Some((Protocol::Kitty, 34)),
            ),
            (
                "\x1bP>|iTerm2 3.6.9\x1b\\\x1b[6;28;12t\x1b[?64;1;2;4;6;17c",
                Some((Protocol::Iterm, 28)),
            ),
            (
                "\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1bP>|foot(1.22.3)\x1b\\\x1b[?62;4;22;28;29c",
                Some((Protocol::Sixel, ROW)),
            ),
            ("\x1bP>|VTE(8000)\x1b\\\x1b[?65;1;9c", None),
            ("\x1b[?6c", None),
            // A four that is no attribute of its own.
            ("\x1b[?64;14c", None),
            ("", None),
        ] {
            assert_eq!(told(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn the_attributes_end_the_answer() {
        assert!(is_whole(b"\x1bP>|foot\x1b\\\x1b[?62;4c"));
        assert!(!is_whole(b"\x1bP>|tick\x1b\\\x1b[?62;4"));
        assert!(!is_whole(b""));
    }
}
