//! Pictures of HEIC and AVIF that are made of others in the same file (ISO/IEC 23008-12, 6.6.2): the same picture with
//! other transforms (`iden`), and an overlay of several on a canvas (`iovl`). Grids are decoded in `heif`, with the
//! coded pictures.

use heic_rs::context::Context;
use heic_rs::meta::iref::RefKind;
use heic_rs::{Error, Image, PixelLayout};
use image::{Pixel as _, RgbImage, Rgba, RgbaImage, imageops};

/// From which items a picture is made.
#[derive(Debug)]
pub(super) enum Derived {
    /// From one item, unchanged but for its transforms.
    Same(u32),
    /// From several items on a canvas.
    Overlay(Overlay),
}

/// Pictures on a canvas.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Red, green, blue and opacity of the canvas.
    colour: [u8; 4],
    /// From the lowest to the uppermost.
    pub(super) layers: Vec<Layer>,
}

/// A picture on a canvas.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) item: u32,
    /// The position of its upper left corner; it may be outside the canvas.
    x: i32,
    y: i32,
}

impl Derived {
    /// How an item is derived; `None` if it is coded or a grid.
    pub(super) fn of(context: &Context<'_>, item: u32) -> Result<Option<Self>, Error> {
        let info = context.meta.item(item).ok_or(Error::MissingItem(item))?;
        let sources = context.meta.targets(item, RefKind::Dimg);
        match &info.item_type {
            b"iden" => match sources {
                [source] => Ok(Some(Self::Same(*source))),
                _ => Err(Error::Malformed("an `iden` picture has one source")),
            },
            b"iovl" => {
                let data = context.item_data(item)?;
                Overlay::parse(&data, sources)
                    .map(|overlay| Some(Self::Overlay(overlay)))
                    .ok_or(Error::Malformed("an overlay has other data than stated"))
            }
            _ => Ok(None),
        }
    }

    /// The items from which it is made.
    pub(super) fn sources(&self) -> Vec<u32> {
        match self {
            Self::Same(source) => vec![*source],
            Self::Overlay(overlay) => overlay.layers.iter().map(|layer| layer.item).collect(),
        }
    }
}

impl Overlay {
    /// Reads the data of an `iovl` item: version, flags, four numbers for the colour of the canvas, its size, and the
    /// position of each source. Size and positions have 32 bits if the lowest flag is set, otherwise 16.
    fn parse(data: &[u8], sources: &[u32]) -> Option<Self> {
        let (&[0, flags], mut rest) = data.split_first_chunk()? else {
            return None;
        };
        let mut number = |is_long: bool| {
            if is_long {
                let (long, left) = rest.split_first_chunk()?;
                rest = left;
                Some(i32::from_be_bytes(*long))
            } else {
                let (short, left) = rest.split_first_chunk()?;
                rest = left;
                Some(i32::from(i16::from_be_bytes(*short)))
            }
        };
        let is_long = flags & 1 == 1;
        let mut colour = [0; 4];
        for part in &mut colour {
            *part = (number(false)? >> 8) as u8;
        }
        // Sizes are unsigned, so a size of 16 bits must not be extended with its sign.
        let side = |side: i32| {
            if is_long {
                side as u32
            } else {
                u32::from(side as u16)
            }
        };
        let (width, height) = (side(number(is_long)?), side(number(is_long)?));
        let layers = sources
            .iter()
            .map(|&item| {
                Some(Layer {
                    item,
                    x: number(is_long)?,
                    y: number(is_long)?,
                })
            })
            .collect::<Option<_>>()?;
        Some(Self {
            width,
            height,
            colour,
            layers,
        })
    }

    /// The canvas before anything is drawn.
    pub(super) fn canvas(&self) -> RgbaImage {
        RgbaImage::from_pixel(self.width, self.height, Rgba(self.colour))
    }
}

impl Layer {
    /// Draws the picture of this layer.
    pub(super) fn draw(&self, picture: Image, canvas: &mut RgbaImage) -> Result<(), Error> {
        let (width, height) = (picture.width, picture.height);
        let other_size = Error::Malformed("the picture has another size than stated");
        if picture.layout == PixelLayout::Rgba8 {
            let picture = RgbaImage::from_raw(width, height, picture.data).ok_or(other_size)?;
            imageops::overlay(canvas, &picture, self.x.into(), self.y.into());
            return Ok(());
        }
        let picture = RgbImage::from_raw(width, height, picture.data).ok_or(other_size)?;
        for (x, y, pixel) in picture.enumerate_pixels() {
            let (x, y) = (
                i64::from(x) + i64::from(self.x),
                i64::from(y) + i64::from(self.y),
            );
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && let Some(to) = canvas.get_pixel_mut_checked(x, y)
            {
                *to = pixel.to_rgba();
            }
        }
        Ok(())
    }
}

/// The canvas as a picture.
pub(super) fn finished(canvas: RgbaImage) -> Image {
    Image {
        width: canvas.width(),
        height: canvas.height(),
        data: canvas.into_raw(),
        layout: PixelLayout::Rgba8,
    }
}
