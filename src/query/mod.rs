//! Turns what a user writes (flags, dates in words, names of places, free text) into a query that the
//! store answers.

mod areas;
mod common_words;
mod dates;
mod describe;
mod filters;
mod flags;
mod gazetteer;
mod grammar;
mod index_lookup;
mod map_places;
mod people;
mod vocabulary;
mod without_effect;

pub use areas::Area;
pub use dates::{DateSpan, Dates, Yearly, now, parse_span};
pub use filters::{Defaults, Near, UserDate, UserDates, UserFilter};
pub use flags::{FLAGS, Flag, Kind, parse_probability};
pub use gazetteer::{City, Gazetteer, Place};
pub use grammar::{GivenFlags, Replaced, Understood, understand};
pub use index_lookup::IndexLookup;
pub use map_places::MapPlace;
pub use people::People;
