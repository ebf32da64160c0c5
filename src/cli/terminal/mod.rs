//! Pictures in the terminal: whether it shows any, and in which language it is told.

#[cfg(unix)]
mod answer;
#[cfg(unix)]
mod ask;
mod picture;
mod sixel;
#[cfg(not(unix))]
mod ask {
    /// No terminal is asked here.
    pub(super) fn ask() -> Option<super::Screen> {
        None
    }
}

pub(super) use picture::Pictures;

/// How a terminal is given a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// kitty's graphics protocol; Ghostty and Konsole too.
    Kitty,
    /// The inline images of iTerm2 and `WezTerm`.
    Iterm,
    /// DEC's SIXEL: foot, mintty, Windows Terminal, xterm, tmux and others.
    Sixel,
}

/// A terminal that shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Screen {
    protocol: Protocol,
    /// Height of a row in pixels.
    row: u32,
}
