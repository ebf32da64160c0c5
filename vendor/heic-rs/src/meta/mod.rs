//! The `meta` box: the catalogue that makes a HEIF file navigable.

pub mod iinf;
pub mod iloc;
pub mod iprp;
pub mod iref;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::boxes::BoxIter;
use crate::error::{Error, Result};
use iinf::ItemInfo;
use iloc::{Construction, ItemLocation};
use iprp::Properties;
use iref::{ItemReference, RefKind};

/// How deep a chain of item-offset constructions may go before this crate
/// assumes the file is trying to make it loop forever.
const MAX_ITEM_DEPTH: u32 = 8;

/// Work, in bytes, that reading one extent costs in addition to copying it.
const EXTENT_COST: usize = 64;

/// Work, in bytes, that one item may cost in addition to eight times the bytes of the file, which
/// the deepest allowed chain of items copies.
const ITEM_COST: usize = 1 << 22;

/// Everything the `meta` box told us, borrowed from the file.
#[derive(Debug, Clone)]
pub struct Meta<'a> {
    /// The `hdlr` handler type. A still image file says `pict`.
    pub handler: [u8; 4],
    /// The item the file wants shown, from `pitm`.
    pub primary: u32,
    /// The item catalogue from `iinf`.
    pub items: Vec<ItemInfo<'a>>,
    /// The relationships from `iref`.
    pub refs: Vec<ItemReference>,
    /// The byte locations from `iloc`.
    pub locations: Vec<ItemLocation>,
    /// The properties from `iprp`.
    pub props: Properties<'a>,
    /// The `idat` payload, for items constructed from it.
    pub idat: Option<&'a [u8]>,
    /// The index of each item in `items`.
    item_index: BTreeMap<u32, usize>,
    /// The index of each item in `locations`.
    location_index: BTreeMap<u32, usize>,
    /// The index in `refs` of the first reference of each kind from each item.
    ref_index: BTreeMap<(u32, RefKind), usize>,
}

/// The index of the first entry with each key.
fn index<K: Ord>(
    keys: impl DoubleEndedIterator<Item = K> + ExactSizeIterator,
) -> BTreeMap<K, usize> {
    keys.enumerate().rev().map(|(at, key)| (key, at)).collect()
}

/// Parse the top-level `meta` box of a HEIF file.
pub fn parse(file: &[u8]) -> Result<Meta<'_>> {
    let meta = BoxIter::new(file).require(b"meta", "meta")?;
    // `meta` is a FullBox, so its four leading bytes are version and flags.
    let mut r = meta.reader();
    let _ = r.full_box("meta")?;
    let body = r.rest();

    let mut handler = *b"    ";
    let mut primary = None;
    let mut items = Vec::new();
    let mut refs = Vec::new();
    let mut locations = Vec::new();
    let mut props = Properties::empty();
    let mut idat = None;

    for child in BoxIter::new(body) {
        let child = child?;
        match &child.boxtype {
            b"hdlr" => handler = iinf::parse_hdlr(&child)?,
            b"pitm" => primary = Some(iinf::parse_pitm(&child)?),
            b"iinf" => items = iinf::parse(&child)?,
            b"iref" => refs = iref::parse(&child)?,
            b"iloc" => locations = iloc::parse(&child)?,
            b"iprp" => props = iprp::parse(&child)?,
            b"idat" => idat = Some(child.payload),
            _ => {}
        }
    }

    if &handler != b"pict" {
        return Err(Error::Unsupported(
            "the meta handler is not `pict`; this is not a still-image HEIF file",
        ));
    }
    // A file with one item and no `pitm` is unambiguous; anything else is not.
    let primary = match primary {
        Some(p) => p,
        None if items.len() == 1 => items[0].id,
        None => return Err(Error::MissingBox("pitm")),
    };
    Ok(Meta {
        item_index: index(items.iter().map(|item: &ItemInfo<'_>| item.id)),
        location_index: index(locations.iter().map(|location: &ItemLocation| location.id)),
        ref_index: index(
            refs.iter()
                .map(|each: &ItemReference| (each.from, each.kind)),
        ),
        handler,
        primary,
        items,
        refs,
        locations,
        props,
        idat,
    })
}

impl<'a> Meta<'a> {
    /// The catalogue entry for one item.
    pub fn item(&self, id: u32) -> Option<&ItemInfo<'a>> {
        self.items.get(*self.item_index.get(&id)?)
    }

    /// The catalogue entry for the primary item.
    pub fn primary_item(&self) -> Result<&ItemInfo<'a>> {
        self.item(self.primary)
            .ok_or(Error::MissingItem(self.primary))
    }

    /// The location entry for one item.
    pub fn location(&self, id: u32) -> Option<&ItemLocation> {
        self.locations.get(*self.location_index.get(&id)?)
    }

    /// The targets of the first reference of this kind from one item.
    pub fn targets(&self, from: u32, kind: RefKind) -> &[u32] {
        let first = self.ref_index.get(&(from, kind));
        first.map_or(&[], |at| &self.refs[*at].to)
    }

    /// Reassemble one item's bytes.
    ///
    /// An item stored as a single contiguous extent is returned borrowed; only
    /// a genuinely fragmented item is copied into a fresh buffer.
    pub fn item_data(&self, file: &'a [u8], id: u32) -> Result<Cow<'a, [u8]>> {
        let depth = MAX_ITEM_DEPTH as usize;
        let mut left = file.len().saturating_mul(depth).saturating_add(ITEM_COST);
        self.item_data_at(file, id, 0, &mut left)
    }

    /// `left` is the remaining work. Without this limit, items made of items whose extents are
    /// empty or mostly omitted would multiply the time at each level.
    fn item_data_at(
        &self,
        file: &'a [u8],
        id: u32,
        depth: u32,
        left: &mut usize,
    ) -> Result<Cow<'a, [u8]>> {
        if depth > MAX_ITEM_DEPTH {
            return Err(Error::CyclicDerivation(id));
        }
        let loc = self.location(id).ok_or(Error::MissingItem(id))?;
        if loc.extents.is_empty() {
            return Err(Error::Malformed("item location lists no extents"));
        }
        if loc.extents.len() == 1 {
            let e = loc.extents[0];
            return self.extent_bytes(file, loc, &e, depth, left);
        }
        let mut out = Vec::new();
        for e in &loc.extents {
            let part = self.extent_bytes(file, loc, e, depth, left)?;
            // An item is assembled from the file's own bytes, so one larger than the file that
            // holds it is a file repeating itself. Unchecked, items built from items (construction
            // method 2), several extents apiece and eight deep, multiplied at every level: 690
            // bytes found by the `probe` fuzz target asked for gigabytes (0.1.2).
            if out.len().saturating_add(part.len()) > file.len() {
                return Err(Error::Malformed(
                    "item data is larger than the file that holds it",
                ));
            }
            pay(left, part.len())?;
            out.extend_from_slice(&part);
        }
        Ok(Cow::Owned(out))
    }

    fn extent_bytes(
        &self,
        file: &'a [u8],
        loc: &ItemLocation,
        e: &iloc::Extent,
        depth: u32,
        left: &mut usize,
    ) -> Result<Cow<'a, [u8]>> {
        pay(left, EXTENT_COST)?;
        match loc.construction {
            Construction::File => {
                let start = loc.base_offset.checked_add(e.offset);
                Ok(Cow::Borrowed(slice_at(
                    file,
                    start,
                    e.length,
                    "item extent in file",
                )?))
            }
            Construction::Idat => {
                let idat = self.idat.ok_or(Error::MissingBox("idat"))?;
                let start = loc.base_offset.checked_add(e.offset);
                Ok(Cow::Borrowed(slice_at(
                    idat,
                    start,
                    e.length,
                    "item extent in idat",
                )?))
            }
            Construction::Item => {
                let source = u32::try_from(e.index)
                    .map_err(|_| Error::Malformed("iloc extent index is not an item id"))?;
                if source == loc.id {
                    return Err(Error::CyclicDerivation(loc.id));
                }
                let base = self.item_data_at(file, source, depth + 1, left)?;
                let start = loc.base_offset.checked_add(e.offset);
                let part = slice_at(&base, start, e.length, "item extent in item")?;
                pay(left, part.len())?;
                Ok(Cow::Owned(part.to_vec()))
            }
        }
    }
}

/// Subtract the cost of a step from the remaining work.
fn pay(left: &mut usize, cost: usize) -> Result<()> {
    *left = left
        .checked_sub(cost)
        .ok_or(Error::Malformed("item data repeat parts of the file"))?;
    Ok(())
}

/// Take `length` bytes from `data` at `start`, where a length of zero means
/// "everything that is left".
fn slice_at<'b>(
    data: &'b [u8],
    start: Option<u64>,
    length: u64,
    what: &'static str,
) -> Result<&'b [u8]> {
    let start = start.ok_or(Error::Malformed("item offset overflows"))?;
    let start = usize::try_from(start).map_err(|_| Error::Truncated(what))?;
    if start > data.len() {
        return Err(Error::Truncated(what));
    }
    let rest = &data[start..];
    if length == 0 {
        return Ok(rest);
    }
    let length = usize::try_from(length).map_err(|_| Error::Truncated(what))?;
    if length > rest.len() {
        return Err(Error::Truncated(what));
    }
    Ok(&rest[..length])
}
