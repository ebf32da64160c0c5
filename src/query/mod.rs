//! Turns what a user writes (flags, dates in words, names of places, free text) into a query that the
//! store answers.

mod dates;
mod filters;
mod flags;
mod gazetteer;
mod grammar;
mod said;
mod vocabulary;

pub use dates::{DateSpan, Dates, Yearly, parse_span, today};
pub use filters::{AskedFilter, Near, Taken, When};
pub use flags::{FLAGS, Flag, Kind, parse_probability};
pub use gazetteer::{City, Gazetteer, Place};
pub use grammar::{Understood, understand};
