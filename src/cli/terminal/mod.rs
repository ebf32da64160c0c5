//! Pictures in the terminal: whether it shows any, and in which language it is told.

mod answer;
#[cfg(unix)]
mod ask;
mod picture;

pub(super) use picture::Pictures;

/// How a terminal is given a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// kitty's graphics protocol; Ghostty and Konsole too.
    Kitty,
    /// iTerm2's inline images; WezTerm too.
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
