//! Encodes pictures for the terminal's protocol.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

use super::super::stdout::Stdout;
use super::{Protocol, Screen, sixel};

/// Most rows of text that a picture covers.
const ROWS: u32 = 8;

/// Most bytes of base64 in a chunk of kitty's protocol.
const CHUNK: usize = 4096;

/// Encodes pictures for a terminal that supports them.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Pictures(Screen);

impl Pictures {
    /// `None` if standard output is not a terminal that supports pictures.
    pub fn new() -> Option<Self> {
        if !Stdout::is_terminal() || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return None;
        }
        super::query::query().map(Self)
    }

    /// Largest width and height of a picture in pixels.
    pub const fn room(self) -> (u32, u32) {
        (3 * ROWS * self.0.row, ROWS * self.0.row)
    }

    /// The bytes that show a picture of at most [`Pictures::room`] and leave the cursor below it.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    pub fn text(self, picture: &RgbImage) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        match self.0.protocol {
            Protocol::Kitty => kitty(&mut text, picture, self.rows(picture))?,
            Protocol::Iterm => iterm(&mut text, picture, self.rows(picture))?,
            Protocol::Sixel => sixel::encode(&mut text, picture)?,
        }
        text.push(b'\n');
        Ok(text)
    }

    /// Height of a picture in rows. Pictures are not enlarged.
    fn rows(self, picture: &RgbImage) -> u32 {
        picture.height().div_ceil(self.0.row).clamp(1, ROWS)
    }
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: a PNG in chunks; `q=2` suppresses replies.
fn kitty(text: &mut Vec<u8>, picture: &RgbImage, rows: u32) -> io::Result<()> {
    let data = STANDARD.encode(png(picture)?);
    let chunks = data.as_bytes().chunks(CHUNK);
    let last = chunks.len() - 1;
    for (index, chunk) in chunks.enumerate() {
        let first = if index == 0 {
            format!("a=T,f=100,q=2,r={rows},")
        } else {
            String::new()
        };
        write!(text, "\x1b_G{first}m={};", u8::from(index < last))?;
        text.extend_from_slice(chunk);
        text.extend_from_slice(b"\x1b\\");
    }
    Ok(())
}

/// <https://iterm2.com/documentation-images.html>.
fn iterm(text: &mut Vec<u8>, picture: &RgbImage, rows: u32) -> io::Result<()> {
    let png = png(picture)?;
    let (size, data) = (png.len(), STANDARD.encode(&png));
    write!(
        text,
        "\x1b]1337;File=inline=1;size={size};height={rows};preserveAspectRatio=1:{data}\x07"
    )
}

fn png(picture: &RgbImage) -> io::Result<Vec<u8>> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Sub);
    picture
        .write_with_encoder(encoder)
        .map_err(io::Error::other)?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x * 7) as u8, (y * 5) as u8, 90])
        })
    }

    fn shown(protocol: Protocol, picture: &RgbImage) -> Vec<u8> {
        let screen = Screen { protocol, row: 20 };
        Pictures(screen).text(picture).unwrap()
    }

    #[test]
    fn kitty_gets_a_png_in_chunks() {
        let picture = picture(200, 130);
        let text = String::from_utf8(shown(Protocol::Kitty, &picture)).unwrap();
        let chunks: Vec<&str> = text.trim_end().split_terminator("\x1b\\").collect();
        let mut data = String::new();
        for (index, chunk) in chunks.iter().enumerate() {
            let (keys, part) = chunk
                .strip_prefix("\x1b_G")
                .unwrap()
                .split_once(';')
                .unwrap();
            let first = if index == 0 { "a=T,f=100,q=2,r=7," } else { "" };
            let more = u8::from(index + 1 < chunks.len());
            assert_eq!(keys, format!("{first}m={more}"));
            assert!(part.len() <= CHUNK && (more == 0 || part.len() % 4 == 0));
            data.push_str(part);
        }
        let png = STANDARD.decode(data).unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().into_rgb8(), picture);
    }

    #[test]
    fn iterm_gets_a_file() {
        let picture = picture(30, 20);
        let text = String::from_utf8(shown(Protocol::Iterm, &picture)).unwrap();
        let (head, data) = text
            .trim_end()
            .trim_end_matches('\x07')
            .split_once(':')
            .unwrap();
        let png = STANDARD.decode(data).unwrap();
        let size = png.len();
        assert_eq!(
            head,
            format!("\x1b]1337;File=inline=1;size={size};height=1;preserveAspectRatio=1")
        );
        assert_eq!(image::load_from_memory(&png).unwrap().into_rgb8(), picture);
    }
}
