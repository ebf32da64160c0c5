//! Decodes HEIC and AVIF, which share one container (HEIF).
//!
//! heic-rs reads the container, decodes HEVC and converts colours; [`av1`] decodes AV1. Rotation and
//! mirroring are properties of the container and are applied here; the EXIF orientation only repeats them
//! and is ignored (ISO/IEC 23008-12).

use std::borrow::Cow;
use std::ops::ControlFlow;

use heic_rs::boxes::BoxIter;
use heic_rs::context::Context;
use heic_rs::ftyp::FileType;
use heic_rs::hevc::{self, Rows};
use heic_rs::meta::iref::RefKind;
use heic_rs::props::ItemProps;
use heic_rs::{
    Brand, Error, Grid, Image, MatrixCoefficients, Nclx, PixelLayout, Range, color, meta, metadata,
    transform,
};
use image::{RgbImage, RgbaImage};

use super::heif_derived::{self, Derived};
use super::heif_grid::{Canvas, Tile};
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
    let decoder = ItemDecoder { task, context };
    let image = decoder.picture(primary, PixelLayout::Rgb8, MAX_DERIVATIONS)?;
    let (width, height) = (image.width, image.height);
    match image.layout {
        PixelLayout::Rgba8 => RgbaImage::from_raw(width, height, image.data)
            .map(|pixels| common_formats::opaque(pixels.into())),
        _ => RgbImage::from_raw(width, height, image.data),
    }
    .ok_or_else(|| task.damaged("the picture has another size than stated"))
}

/// Longest chain of pictures of which each is derived from the next. The canvases of all overlays in the chain are in
/// memory at once.
pub(super) const MAX_DERIVATIONS: u32 = 3;

/// The container's description of colours that are not sRGB.
pub(super) enum Colours {
    Icc(Vec<u8>),
    DisplayP3,
}

/// The description of the colours of the primary picture; `None` if they are sRGB or high dynamic range, which are
/// shown as they are.
pub(super) fn colours(bytes: &[u8]) -> Option<Colours> {
    let context = open(bytes).ok()?;
    let primary = context.meta.primary;
    // Older phones describe the colours of the tiles only.
    let tiles = context.meta.targets(primary, RefKind::Dimg);
    let described = |item: &u32| described(&context.props(*item).ok()?);
    described(&primary).or_else(|| described(tiles.first()?))
}

fn described(props: &ItemProps<'_>) -> Option<Colours> {
    /// The primaries of Display P3 and, below, the transfer curves close to that of sRGB (ISO/IEC 23091-2).
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

/// Whether a file contains a film.
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

/// The matrix by which samples become colours (ITU-T H.273, table 4).
fn usable_matrix(matrix: MatrixCoefficients) -> Result<MatrixCoefficients, Error> {
    match matrix {
        // The former as other readers assume; the latter differs by less than a hundredth.
        MatrixCoefficients::Unspecified | MatrixCoefficients::Other(4) => {
            Ok(MatrixCoefficients::Bt601)
        }
        // Derived from the primaries: BT.709 is as good as any, for those that photos have.
        MatrixCoefficients::Other(12) => Ok(MatrixCoefficients::Bt709),
        MatrixCoefficients::Other(8) => Err(Error::Unsupported("colours as YCgCo")),
        MatrixCoefficients::Other(_) => Err(Error::Unsupported("its colour matrix")),
        known => Ok(known),
    }
}

/// Receives rows of a tile as they are decoded, with the description of their colours.
type Sink<'s> = &'s mut dyn FnMut(&Tile, &Rows<'_>, Nclx) -> Result<(), Error>;

impl ItemDecoder<'_> {
    /// Decodes a picture and applies its transforms. The picture may be derived from others, and these in turn, in
    /// chains of at most `derivations`. Its transparency is kept if `layout` has an alpha channel; otherwise the
    /// picture is blended onto white.
    fn picture(&self, item: u32, layout: PixelLayout, derivations: u32) -> Result<Image, Skip> {
        self.task.check_time()?;
        let explain = |error| explain(self.task, error);
        let props = self.context.props(item).map_err(explain)?;
        let derived = Derived::of(&self.context, item).map_err(explain)?;
        if derived.is_some() && derivations == 0 {
            return Err(self.task.unsupported("a long chain of derived pictures"));
        }
        let image = match derived {
            None => return self.in_parts(item, &props, layout),
            Some(Derived::Same(source)) => self.picture(source, layout, derivations - 1)?,
            Some(Derived::Overlay(overlay)) => {
                self.task.check_size(overlay.width, overlay.height)?;
                let mut canvas = overlay.canvas();
                for layer in &overlay.layers {
                    let layout = PixelLayout::Rgba8;
                    let picture = self.picture(layer.item, layout, derivations - 1)?;
                    layer.draw(picture, &mut canvas).map_err(explain)?;
                }
                heif_derived::finished(canvas)
            }
        };
        transform::apply_all(image, &props.transforms).map_err(explain)
    }

    /// Decodes a coded picture or a grid and applies its transforms. Only some rows of its samples are in memory at a
    /// time.
    fn in_parts(
        &self,
        item: u32,
        props: &ItemProps<'_>,
        layout: PixelLayout,
    ) -> Result<Image, Skip> {
        let explain = |error| explain(self.task, error);
        let (width, height) = self.context.coded_size(item, props).map_err(explain)?;
        self.task.check_size(width, height)?;
        let alpha = self.context.alpha_item(item).map_err(explain)?;
        let layout = alpha.map_or(PixelLayout::Rgb8, |_| layout);
        // The memory of AV1 planes is released while they become pixels, so decoding the planes of the opacity
        // beforehand keeps the memory that this decoding takes from being added to that of the pixels.
        let opacity = match alpha {
            Some(alpha) => self.planes(alpha)?,
            None => None,
        };
        let mut canvas = None;
        self.parts(item, props, None, &mut |tile, rows, mut nclx| {
            nclx.matrix = usable_matrix(nclx.matrix)?;
            let canvas = match &mut canvas {
                Some(canvas) => canvas,
                none => none.insert(Canvas::new(tile.whole(), &props.transforms, layout)?),
            };
            let samples = color::convert_rows(rows, nclx, layout)?;
            canvas.add(tile, samples, rows.top + rows.new.start)
        })?;
        let mut canvas = canvas.ok_or_else(|| self.task.damaged("a picture in it is empty"))?;
        if let Some(alpha) = alpha {
            canvas.is_premultiplied = is_premultiplied(&self.context, item, alpha);
            self.add_alpha(alpha, opacity, &mut canvas)?;
        }
        Ok(canvas.picture)
    }

    /// Decodes the transparency of a picture, unless `planes` has it already, and applies it. It is ignored if its size
    /// differs from that of the picture.
    fn add_alpha(
        &self,
        alpha: u32,
        planes: Option<av1::Planes>,
        canvas: &mut Canvas<'_>,
    ) -> Result<(), Skip> {
        let full_range = Nclx {
            range: Range::Full,
            ..Nclx::default()
        };
        let props = self.context.props(alpha);
        let props = props.map_err(|error| explain(self.task, error))?;
        self.parts(alpha, &props, planes, &mut |tile, rows, _| {
            if tile.whole() != canvas.untransformed {
                return Ok(());
            }
            let samples = color::convert_rows(rows, full_range, PixelLayout::Gray8)?;
            canvas.add_opacity(tile, samples, rows.top + rows.new.start)
        })
    }

    /// Decodes a coded picture, or the tiles of a grid, and passes their rows to `sink` as they are decoded. `planes`
    /// are those of a coded picture that has been decoded already.
    fn parts(
        &self,
        item: u32,
        props: &ItemProps<'_>,
        planes: Option<av1::Planes>,
        sink: Sink<'_>,
    ) -> Result<(), Skip> {
        let explain = |error| explain(self.task, error);
        let Some((grid, tiles)) = self.context.grid(item).map_err(explain)? else {
            return self.coded(item, planes, &mut |rows, nclx| {
                let size = (rows.frame.width, rows.height);
                let grid = Grid {
                    rows: 1,
                    columns: 1,
                    output_width: size.0,
                    output_height: size.1,
                };
                let index = 0;
                sink(&Tile { grid, index, size }, rows, nclx)
            });
        };
        self.task
            .check_size(grid.output_width, grid.output_height)?;
        let mut all = None;
        for (index, tile) in (0..).zip(tiles) {
            self.coded(tile, None, &mut |rows, nclx| {
                let size = (rows.frame.width, rows.height);
                if *all.get_or_insert(size) != size {
                    return Err(Error::Malformed("grid tiles are not all the same size"));
                }
                let tile = Tile { grid, index, size };
                if !tile.covers() {
                    return Err(Error::Malformed(
                        "grid tiles do not cover the declared output size",
                    ));
                }
                sink(&tile, rows, props.nclx.unwrap_or(nclx))
            })?;
        }
        Ok(())
    }

    /// The planes of a picture that is coded in AV1; `None` if it is coded otherwise.
    fn planes(&self, item: u32) -> Result<Option<av1::Planes>, Skip> {
        if self.codec(item) != *b"av01" {
            return Ok(None);
        }
        let props = self.context.props(item);
        let props = props.map_err(|error| explain(self.task, error))?;
        let data = self.coded_data(item, &props)?;
        self.av1(data).map(Some)
    }

    fn av1(&self, data: Cow<'_, [u8]>) -> Result<av1::Planes, Skip> {
        av1::decode(data.into_owned(), self.task.limits.max_pixels)
            .map_err(|error| self.task.damaged(format!("AV1: {error}")))
    }

    /// The type of an item.
    fn codec(&self, item: u32) -> [u8; 4] {
        let info = self.context.meta.item(item);
        info.map(|info| info.item_type).unwrap_or_default()
    }

    /// The data of a coded picture. Checks the deadline and the stated size first.
    fn coded_data(&self, item: u32, props: &ItemProps<'_>) -> Result<Cow<'_, [u8]>, Skip> {
        self.task.check_time()?;
        if props
            .ispe
            .is_some_and(|size| area(size.width, size.height) > self.task.limits.max_pixels)
        {
            return Err(too_large(self.task));
        }
        let data = self.context.item_data(item);
        let data = data.map_err(|error| explain(self.task, error))?;
        if data.is_empty() {
            return Err(self.task.damaged("a picture in it has no data"));
        }
        Ok(data)
    }

    /// Decodes one coded picture, unless `planes` has it already, and passes its rows to `sink` with the description of
    /// their colours. Checks the deadline before each part.
    fn coded(
        &self,
        item: u32,
        planes: Option<av1::Planes>,
        sink: &mut dyn FnMut(&Rows<'_>, Nclx) -> Result<(), Error>,
    ) -> Result<(), Skip> {
        let explain = |error| explain(self.task, error);
        let props = self.context.props(item).map_err(explain)?;
        let mut part = |rows: &Rows<'_>, nclx| {
            self.task.check_time()?;
            sink(rows, props.nclx.unwrap_or(nclx)).map_err(explain)
        };
        if let Some(planes) = planes {
            let nclx = planes.nclx;
            return planes.rows(|rows| part(rows, nclx));
        }
        let data = self.coded_data(item, &props)?;
        match &self.codec(item) {
            b"hvc1" | b"hev1" => {
                let mut stopped = None;
                let max_pixels = self.task.limits.max_pixels;
                let decoded = hevc(&props, &data, max_pixels, &mut |rows, nclx| match part(
                    rows, nclx,
                ) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(skip) => {
                        stopped = Some(skip);
                        ControlFlow::Break(())
                    }
                });
                match stopped {
                    Some(skip) => Err(skip),
                    None => decoded.map_err(explain),
                }
            }
            b"av01" => {
                let planes = self.av1(data)?;
                let nclx = planes.nclx;
                planes.rows(|rows| part(rows, nclx))
            }
            other => {
                let name = String::from_utf8_lossy(other);
                Err(self.task.unsupported(format!("pictures of type {name:?}")))
            }
        }
    }
}

/// Whether the colours of a picture have been multiplied by its opacity (ISO/IEC 23008-12:2022, 6.10.1.1).
pub(super) fn is_premultiplied(context: &Context<'_>, item: u32, alpha: u32) -> bool {
    let mut references = context.meta.refs.iter();
    references.any(|reference| {
        reference.kind == RefKind::Other(*b"prem")
            && reference.from == item
            && reference.to.contains(&alpha)
    })
}

/// Decodes a picture in HEVC, and passes its rows to `sink` with the bitstream's description of their colours.
fn hevc(
    props: &ItemProps<'_>,
    data: &[u8],
    max_pixels: u64,
    sink: &mut dyn FnMut(&Rows<'_>, Nclx) -> ControlFlow<()>,
) -> Result<(), Error> {
    let config = props.hvcc.as_ref().ok_or(Error::MissingBox("hvcC"))?;
    let parameters = config.parameter_sets();
    // The decoder allocates memory for the size in the bitstream, not for that in the container.
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
    hevc::decode_rows(&parameters, &config.split_nals(data)?, &mut |rows| {
        sink(rows, nclx)
    })
}

/// A type of NAL unit (ITU-T H.265, table 7-1).
const SEQUENCE_PARAMETER_SET: u8 = 33;

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests;
