//! Pictures in the terminal: detects which graphics protocol it supports, and encodes pictures for it.

mod picture;
#[cfg(unix)]
mod query;
#[cfg(unix)]
mod reply;
mod sixel;
#[cfg(not(unix))]
mod query {
    /// Terminals are not queried on this platform.
    pub(super) fn query() -> Option<super::Screen> {
        None
    }
}

pub(super) use picture::Pictures;

/// A graphics protocol of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// kitty's graphics protocol; Ghostty and Konsole too.
    Kitty,
    /// The inline images of iTerm2 and `WezTerm`.
    Iterm,
    /// DEC's SIXEL: foot, mintty, Windows Terminal, xterm, tmux and others.
    Sixel,
}

/// A terminal that supports pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Screen {
    protocol: Protocol,
    /// Height of a row in pixels.
    row: u32,
}
