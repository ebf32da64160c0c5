//! The queries to a terminal, and the interpretation of its replies.

use super::{Protocol, Screen};

/// The queries: kitty's graphics query with a picture of one pixel, the name (XTVERSION), the size of a cell, and the
/// primary device attributes (DA1). DA1 is last because every terminal replies to it and replies come in order.
pub(super) const QUERIES: &[u8] =
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[16t\x1b[c";

/// Height of a row in pixels, for terminals that do not report it.
const ROW: u32 = 20;

/// The terminals that support iTerm2's inline images, by the start of their names.
const LIKE_ITERM: [&str; 2] = ["iTerm2", "WezTerm"];

/// Whether the reply to the last query has arrived.
pub(super) fn is_complete(reply: &[u8]) -> bool {
    attributes(reply).is_some()
}

/// The screen that sent this reply; `None` if it does not support pictures.
pub(super) fn screen(reply: &[u8]) -> Option<Screen> {
    let name = between(reply, b"\x1bP>|", b"\x1b\\").unwrap_or_default();
    let protocol =
        if between(reply, b"\x1b_G", b"\x1b\\").is_some_and(|reply| reply.ends_with(";OK")) {
            Protocol::Kitty
        } else if LIKE_ITERM.iter().any(|like| name.starts_with(like)) {
            Protocol::Iterm
        } else if attributes(reply)?
            .split(';')
            .any(|attribute| attribute == "4")
        {
            Protocol::Sixel
        } else {
            return None;
        };
    Some(Screen {
        protocol,
        row: row(reply).unwrap_or(ROW),
    })
}

fn attributes(reply: &[u8]) -> Option<&str> {
    between(reply, b"\x1b[?", b"c")
}

/// The height of a row from `CSI 6 ; height ; width t`.
fn row(reply: &[u8]) -> Option<u32> {
    let (height, _) = between(reply, b"\x1b[6;", b"t")?.split_once(';')?;
    let height = height.parse().ok()?;
    (4..=200).contains(&height).then_some(height)
}

fn between<'a>(reply: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a str> {
    let find = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).position(|seen| seen == part);
    let rest = &reply[find(reply, start)? + start.len()..];
    str::from_utf8(&rest[..find(rest, end)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_recognised_from_replies() {
        let found = |reply: &str| screen(reply.as_bytes()).map(|s| (s.protocol, s.row));
        for (reply, expected) in [
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
            // A 4 within another attribute.
            ("\x1b[?64;14c", None),
            ("", None),
        ] {
            assert_eq!(found(reply), expected, "{reply:?}");
        }
    }

    #[test]
    fn a_reply_is_complete_with_the_attributes() {
        assert!(is_complete(b"\x1bP>|foot\x1b\\\x1b[?62;4c"));
        assert!(!is_complete(b"\x1bP>|tick\x1b\\\x1b[?62;4"));
        assert!(!is_complete(b""));
    }
}
