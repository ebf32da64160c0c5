//! What the sources of a photo say of it, before it is decided which of them counts.
//!
//! Several sources speak of one photo: the metadata in its content, the sidecars beside each of its files, the
//! names of these files and of their folders, and the files' times. [`Statements`] is what one source says;
//! `resolve` decides between them. `docs/formats.md` lists the sources of each fact in the order in which they
//! count.

mod statements;
mod takeout;

pub use statements::{
    AppliedTo, Block, Moment, PersonStatement, RegionKind, RegionStatement, Stated, StatedDate,
    Statements,
};
pub use takeout::{FAVORITE, of_takeout};
