//! Reads the statements of all sources of a photo, and decides which of them counts for each fact.
//!
//! A photo has several sources: the metadata in its content, the sidecars beside each of its files, the names of these
//! files and of their folders, and the files' times. [`Statements`] has those of one source; [`resolve()`] decides
//! between sources. `docs/formats.md` lists the sources of each fact in the order in which they count.

mod boilerplate;
mod camera;
mod clock;
mod dates;
mod file_times;
mod names;
mod offsets;
mod picasa;
mod regions;
mod resolve;
mod statements;
mod takeout;
mod text;
mod xmp;

pub use camera::camera_name;
pub use clock::set_clock_forward;
pub use dates::{date_time, end_of_period, iptc_date, nanoseconds, utc_offset, xmp_date};
pub use picasa::{Contacts, PicasaFolder};
pub use regions::{Frame, Person, may_be_same_face, people};
pub use resolve::{FileOfPhoto, SourcesOfPhoto, of_content, resolve};
pub use statements::{
    AppliedTo, Block, Moment, PersonStatement, RegionKind, RegionStatement, Stated, StatedDate,
    Statements, VERSION,
};
pub use takeout::{FAVORITE, of_takeout};
pub use text::latin1_or_utf8;
pub use xmp::{stars_of_percent, statements as of_xmp};
