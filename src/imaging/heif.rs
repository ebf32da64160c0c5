//! Decodes HEIC and AVIF, which share one container (HEIF).
//!
//! heic-rs reads the container, decodes HEVC and converts colours; [`av1`] decodes AV1. Rotation and
//! mirroring are properties of the container and are applied here; the EXIF orientation only repeats them
//! and is ignored (ISO/IEC 23008-12).

use heic_rs::boxes::BoxIter;
use heic_rs::context::Context;
use heic_rs::ftyp::FileType;
use heic_rs::hevc::{self, Frame};
use heic_rs::meta::iref::{RefKind, targets};
use heic_rs::props::ItemProps;
use heic_rs::{
    Brand, Error, Image, MatrixCoefficients, Nclx, PixelLayout, color, grid, meta, metadata,
    transform,
};
use image::{RgbImage, RgbaImage};

use super::heif_derived::{self, Derived};
use super::heif_grid::Canvas;
use super::limits::Task;
use super::{Blocks, av1, common_formats, hevc_colour};
use crate::error::{Skip, SkipReason};

/// The EXIF block and the XMP packet of the primary picture.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    let context = open(task.bytes).map_err(|error| explain(task, error))?;
    let item = context.meta.primary;
    Ok(Blocks {
        exif: exif(&context, item),
        xmp: xmp(&context, item),
    })
}

/// Decodes the primary picture.
pub(super) fn pixels(task: &Task<'_>) -> Result<RgbImage, Skip> {
    let context = open(task.bytes).map_err(|error| explain(task, error))?;
    let primary = context.meta.primary;
    let image = ItemDecoder { task, context }.picture(primary, MOST_DERIVATIONS)?;
    let (width, height) = (image.width, image.height);
    match image.layout {
        PixelLayout::Rgba8 => RgbaImage::from_raw(width, height, image.data)
            .map(|pixels| common_formats::on_white(pixels.into())),
        _ => RgbImage::from_raw(width, height, image.data),
    }
    .ok_or_else(|| task.damaged("the picture has another size than stated"))
}

/// How many pictures may be derived one from the other; the canvas of each overlay among them is in memory.
pub(super) const MOST_DERIVATIONS: u32 = 3;

/// How the container describes the colours of a picture that are not those of sRGB.
pub(super) enum Colours {
    Icc(Vec<u8>),
    DisplayP3,
}

/// The description of the colours of the primary picture; `None` if they are those of sRGB, or of a screen of high
/// dynamic range.
pub(super) fn colours(bytes: &[u8]) -> Option<Colours> {
    let context = open(bytes).ok()?;
    let primary = context.meta.primary;
    // Older phones describe the tiles alone.
    let tiles = targets(&context.meta.refs, primary, RefKind::Dimg);
    let described = |item: &u32| described(&context.props(*item).ok()?);
    described(&primary).or_else(|| described(tiles.first()?))
}

fn described(props: &ItemProps<'_>) -> Option<Colours> {
    /// Of Display P3 (ISO/IEC 23091-2): its primaries, and the transfer curves that are close to that of sRGB.
    const P3: u16 = 12;
    const LIKE_SRGB: [u16; 4] = [1, 2, 6, 13];
    if let Some(icc) = props.icc {
        return Some(Colours::Icc(icc.to_vec()));
    }
    let nclx = props.nclx?;
    (nclx.primaries == P3 && LIKE_SRGB.contains(&nclx.transfer)).then_some(Colours::DisplayP3)
}

/// Reads the container of a file.
pub(super) fn open(bytes: &[u8]) -> Result<Context<'_>, Error> {
    Ok(Context {
        file: bytes,
        // Not `Context::open`, which reads the brands only to reject AVIF.
        ftyp: FileType {
            major: Brand::Mif1,
            effective: Brand::Mif1,
            minor_version: 0,
            compatible_count: 0,
        },
        meta: meta::parse(bytes)?,
    })
}

/// The EXIF block of an item.
fn exif(context: &Context<'_>, item: u32) -> Option<Vec<u8>> {
    let data = context.item_data(context.exif_item(item)?).ok()?;
    metadata::exif_tiff(&data).ok().map(<[u8]>::to_vec)
}

/// The XMP packet of an item.
fn xmp(context: &Context<'_>, item: u32) -> Option<Vec<u8>> {
    let data = context.item_data(context.xmp_item(item)?).ok()?;
    Some(data.into_owned())
}

/// Converts samples to RGB, with transparency if there is an alpha plane.
fn converted(frame: &Frame, alpha: Option<&Frame>, mut nclx: Nclx) -> Result<Image, Error> {
    if nclx.matrix == MatrixCoefficients::Unspecified {
        nclx.matrix = MatrixCoefficients::Bt601; // as other readers assume
    }
    let layout = match alpha {
        Some(_) => PixelLayout::Rgba8,
        None => PixelLayout::Rgb8,
    };
    color::convert(frame, alpha, nclx, layout, u64::MAX, Some(1))
}

fn explain(task: &Task<'_>, error: Error) -> Skip {
    match error {
        Error::MissingBox("meta") if has_film(task.bytes) => {
            task.unsupported("a film without a still picture")
        }
        Error::Unsupported(what) => task.unsupported(what),
        Error::PixelLimit { .. } => too_large(task),
        Error::Truncated(_) => task.damaged("its data end before the picture is complete"),
        error => task.damaged(error),
    }
}

/// Whether there is a film in a file.
fn has_film(bytes: &[u8]) -> bool {
    BoxIter::new(bytes)
        .flatten()
        .any(|part| &part.boxtype == b"moov")
}

fn too_large(task: &Task<'_>) -> Skip {
    Skip::new(
        SkipReason::TooLarge,
        format!(
            "the tiles of this {} have more pixels than allowed",
            task.format
        ),
    )
}

/// Decodes the items of one file.
struct ItemDecoder<'a> {
    task: &'a Task<'a>,
    context: Context<'a>,
}

impl ItemDecoder<'_> {
    /// Decodes a picture, which may be derived from others that may be derived in turn, up to `derivations` times; applies
    /// its transforms.
    fn picture(&self, item: u32, derivations: u32) -> Result<Image, Skip> {
        self.task.check_time()?;
        let explain = |error| explain(self.task, error);
        let props = self.context.props(item).map_err(explain)?;
        let derived = Derived::of(&self.context, item).map_err(explain)?;
        if derived.is_some() && derivations == 0 {
            return Err(self.task.unsupported("a long chain of derived pictures"));
        }
        let image = match derived {
            None => match self.in_tiles(item, &props)? {
                Some(picture) => return Ok(picture),
                None => self.shown(item, &props)?,
            },
            Some(Derived::Same(source)) => self.picture(source, derivations - 1)?,
            Some(Derived::Overlay(overlay)) => {
                self.task.check_size(overlay.width, overlay.height)?;
                let mut canvas = overlay.canvas();
                for layer in &overlay.layers {
                    let picture = self.picture(layer.item, derivations - 1)?;
                    layer.draw(picture, &mut canvas).map_err(explain)?;
                }
                heif_derived::finished(canvas)
            }
        };
        transform::apply_all(image, &props.transforms).map_err(explain)
    }

    /// Decodes a grid tile by tile, and applies its transforms; `None` for any other picture, and for one with
    /// transparency or a crop.
    fn in_tiles(&self, item: u32, props: &ItemProps<'_>) -> Result<Option<Image>, Skip> {
        let explain = |error| explain(self.task, error);
        let Some((grid, tiles)) = self.context.grid(item).map_err(explain)? else {
            return Ok(None);
        };
        self.task
            .check_size(grid.output_width, grid.output_height)?;
        if self.context.alpha_item(item).map_err(explain)?.is_some() {
            return Ok(None);
        }
        let Some(mut canvas) = Canvas::new(grid, &props.transforms) else {
            return Ok(None);
        };
        for tile in tiles {
            let (frame, nclx) = self.coded(tile, self.task.limits.max_pixels)?;
            let nclx = props.nclx.unwrap_or(nclx);
            let added = converted(&frame, None, nclx).and_then(|tile| canvas.add(tile));
            added.map_err(explain)?;
        }
        canvas.finished().map(Some).map_err(explain)
    }

    /// Decodes a coded picture or a grid, with its transparency, before its transforms.
    fn shown(&self, item: u32, props: &ItemProps<'_>) -> Result<Image, Skip> {
        let explain = |error| explain(self.task, error);
        let (width, height) = self.context.coded_size(item, props).map_err(explain)?;
        self.task.check_size(width, height)?;
        let (frame, nclx) = self.item(item)?;
        let alpha = self.alpha(item, &frame)?;
        converted(&frame, alpha.as_ref(), nclx).map_err(explain)
    }

    /// Decodes a coded picture, or the tiles of a grid; checks the deadline before each of them.
    fn item(&self, item: u32) -> Result<(Frame, Nclx), Skip> {
        let explain = |error| explain(self.task, error);
        let props = self.context.props(item).map_err(explain)?;
        let Some((grid, tiles)) = self.context.grid(item).map_err(explain)? else {
            return self.coded(item, self.task.limits.max_pixels);
        };
        // All tiles are in memory at once, and those of the last column and row may extend beyond the edge.
        let mut pixels_left = 2 * self.task.limits.max_pixels;
        let mut frames = Vec::with_capacity(tiles.len());
        let mut nclx = None;
        for tile in tiles {
            let (frame, tile_nclx) = self.coded(tile, pixels_left)?;
            pixels_left = pixels_left.saturating_sub(area(frame.width, frame.height));
            nclx.get_or_insert(tile_nclx);
            frames.push(frame);
        }
        let frame = grid::compose(&grid, &frames, self.task.limits.max_pixels).map_err(explain)?;
        Ok((frame, props.nclx.or(nclx).unwrap_or_default()))
    }

    /// Decodes one coded picture of at most `max_pixels`.
    fn coded(&self, item: u32, max_pixels: u64) -> Result<(Frame, Nclx), Skip> {
        self.task.check_time()?;
        let explain = |error| explain(self.task, error);
        let info = self.context.meta.item(item);
        let codec = info.map(|info| info.item_type).unwrap_or_default();
        let props = self.context.props(item).map_err(explain)?;
        if props
            .ispe
            .is_some_and(|size| area(size.width, size.height) > max_pixels)
        {
            return Err(too_large(self.task));
        }
        let data = self.context.item_data(item).map_err(explain)?;
        if data.is_empty() {
            return Err(self.task.damaged("a picture in it has no data"));
        }
        let (frame, nclx) = match &codec {
            b"hvc1" | b"hev1" => hevc_frame(&props, &data, max_pixels).map_err(explain)?,
            b"av01" => av1::decode(data.into_owned(), max_pixels)
                .map_err(|error| self.task.damaged(format!("AV1: {error}")))?,
            other => {
                let name = String::from_utf8_lossy(other);
                return Err(self.task.unsupported(format!("pictures of type {name:?}")));
            }
        };
        frame.validate().map_err(explain)?;
        Ok((frame, props.nclx.unwrap_or(nclx)))
    }

    /// The alpha plane of an item; `None` without one or if its size differs from the item's.
    fn alpha(&self, item: u32, frame: &Frame) -> Result<Option<Frame>, Skip> {
        let explain = |error| explain(self.task, error);
        let Some(alpha) = self.context.alpha_item(item).map_err(explain)? else {
            return Ok(None);
        };
        let (alpha, _) = self.item(alpha)?;
        let fits = (alpha.width, alpha.height) == (frame.width, frame.height);
        Ok(fits.then_some(alpha))
    }
}

fn hevc_frame(props: &ItemProps<'_>, data: &[u8], max_pixels: u64) -> Result<(Frame, Nclx), Error> {
    let config = props.hvcc.as_ref().ok_or(Error::MissingBox("hvcC"))?;
    let parameters = config.parameter_sets();
    // The decoder allocates by the size in the bitstream, not by that in the container.
    let info = hevc::probe(&parameters)?;
    let pixels = area(info.width, info.height);
    if pixels > max_pixels {
        return Err(Error::PixelLimit { pixels, max_pixels });
    }
    let nclx = parameters
        .iter()
        .find(|nal| {
            nal.first()
                .is_some_and(|head| (head >> 1) & 0x3f == SEQUENCE_PARAMETER_SET)
        })
        .map(|nal| hevc_colour::of_parameter_set(nal))
        .unwrap_or_default();
    let frame = hevc::decode_still(&parameters, &config.split_nals(data)?)?;
    Ok((frame, nclx))
}

/// A type of NAL unit (ITU-T H.265, table 7-1).
const SEQUENCE_PARAMETER_SET: u8 = 33;

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}
