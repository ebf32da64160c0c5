//! HEIC and AVIF: the coded pictures that the primary picture consists of, with the properties that the
//! decoder uses, among them those that crop, rotate and mirror it.

use heic_rs::Range;
use heic_rs::context::Context;
use heic_rs::props::{ItemProps, Transform};

use super::Parts;
use crate::imaging::heif::{MAX_DERIVATIONS, is_premultiplied, open};
use crate::imaging::heif_derived::Derived;

pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    let context = open(bytes).ok()?;
    add_item(parts, &context, context.meta.primary, MAX_DERIVATIONS)
}

/// Adds a picture, and those from which it is derived.
fn add_item(parts: &mut Parts, context: &Context<'_>, item: u32, derivations: u32) -> Option<()> {
    let Some(derived) = Derived::of(context, item).ok()? else {
        return add_with_alpha(parts, context, item);
    };
    add_properties(parts, &context.props(item).ok()?)?;
    // An item that only applies other transforms (`iden`) has no data.
    let data = context.item_data(item).unwrap_or_default();
    parts.add(&context.meta.item(item)?.item_type, &data)?;
    for source in derived.sources() {
        add_item(parts, context, source, derivations.checked_sub(1)?)?;
    }
    Some(())
}

/// Adds a coded picture or a grid, with its transparency.
fn add_with_alpha(parts: &mut Parts, context: &Context<'_>, item: u32) -> Option<()> {
    add_without_alpha(parts, context, item)?;
    if let Some(alpha) = context.alpha_item(item).ok()? {
        parts.add(b"alpha", b"")?;
        if is_premultiplied(context, item, alpha) {
            parts.add(b"prem", b"")?;
        }
        add_without_alpha(parts, context, alpha)?;
    }
    Some(())
}

/// Adds a coded picture, or a grid with its tiles.
fn add_without_alpha(parts: &mut Parts, context: &Context<'_>, item: u32) -> Option<()> {
    add_coded(parts, context, item)?;
    let tiles = context.grid(item).ok()?.map(|(_, tiles)| tiles);
    for tile in tiles.unwrap_or_default() {
        add_coded(parts, context, tile)?;
    }
    Some(())
}

/// Adds the data and the properties of one item.
fn add_coded(parts: &mut Parts, context: &Context<'_>, item: u32) -> Option<()> {
    let kind = context.meta.item(item)?.item_type;
    add_properties(parts, &context.props(item).ok()?)?;
    parts.add(&kind, &context.item_data(item).ok()?)
}

fn add_properties(parts: &mut Parts, props: &ItemProps<'_>) -> Option<()> {
    if let Some(config) = &props.hvcc {
        parts.add_numbers(b"hvcC", &[u64::from(config.length_size)])?;
        for set in config.parameter_sets() {
            parts.add(b"parameter set", set)?;
        }
    }
    if let Some(size) = props.ispe {
        parts.add_numbers(b"ispe", &[size.width.into(), size.height.into()])?;
    }
    if let Some(nclx) = &props.nclx {
        let is_full = u64::from(nclx.range == Range::Full);
        parts.add_numbers(b"nclx", &[nclx.matrix_code.into(), is_full])?;
    }
    for transform in &props.transforms {
        match transform {
            Transform::Rotate(rotation) => parts.add_numbers(b"irot", &[*rotation as u64])?,
            // The name differs from `imir`, which hashes used while the decoder mirrored about the other axis.
            Transform::Mirror(mirror) => parts.add_numbers(b"mirror", &[*mirror as u64])?,
            Transform::Crop(clap) => {
                // The offsets are signed; their bits identify them as well.
                let numbers = [
                    clap.width.0,
                    clap.width.1,
                    clap.height.0,
                    clap.height.1,
                    clap.horiz_off.0.cast_unsigned(),
                    clap.horiz_off.1,
                    clap.vert_off.0.cast_unsigned(),
                    clap.vert_off.1,
                ];
                parts.add_numbers(b"clap", &numbers.map(u64::from))?;
            }
        }
    }
    Some(())
}
