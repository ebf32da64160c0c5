//! Reads the beginning and the end of a period (`until the end of 2010`), days that do not exist (`31 june`), and
//! times that are only known to be long ago.

use jiff::civil::Date;

use super::super::super::dates::{is_month, month, parse_span, year};
use super::super::super::filters::UserDate;
use super::super::{Length, Reader};
use super::relative::day;

/// An end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

impl Reader<'_> {
    /// The edge that begins at a token, and its number of tokens: `the end of`, `beginning of`.
    pub(super) fn edge(&self, at: usize) -> Option<(Edge, usize)> {
        let article = usize::from(matches!(self.lower(at), "the" | "very"));
        let edge = match self.lower(at + article) {
            "end" | "ende" => Edge::End,
            "beginning" | "start" | "anfang" => Edge::Start,
            _ => return None,
        };
        let joined = usize::from(self.lower(at + article + 1) == "of");
        Some((edge, article + 1 + joined))
    }

    /// Reads an edge of a period after `since`, `until`, `before` or `after`. An edge elsewhere (`at the end of 2010`)
    /// is left out, as `late` is.
    pub(super) fn edge_of_span(&mut self, at: usize) -> Length {
        let bounds = ["since", "until", "before", "after"];
        let Some(bound) = bounds.into_iter().find(|bound| self.is(at, bound)) else {
            let (_, length) = self.edge(at)?;
            self.date(at + length)?;
            let word = at + usize::from(matches!(self.lower(at), "the" | "very"));
            self.leave_out(word, 1);
            return Some(length);
        };
        let (edge, length) = self.edge(at + 1)?;
        let start = at + 1 + length;
        let (text, of_date) = self.date(start)?;
        let span = parse_span(&text, self.now).ok()?;
        let (first, end) = (span.start.date(), span.end.date());
        let whole = UserDate { text, span };
        let before = |date: Date| date.yesterday().ok().map(day);
        let (since, until) = match (bound, edge) {
            ("since" | "after", Edge::Start) => (Some(whole), None),
            ("since", Edge::End) => (before(end), None),
            ("after", Edge::End) => (Some(day(end)), None),
            ("until", Edge::Start) => (None, Some(day(first))),
            (_, Edge::Start) => (None, before(first)),
            (_, Edge::End) => (None, Some(whole)),
        };
        let filter = &mut self.understood.filter;
        filter.since = since.or(filter.since.take());
        filter.until = until.or(filter.until.take());
        Some(length + 1 + of_date)
    }

    /// Leaves out a day that exists in no year, or not in the year that is named: `31 june`, `february 29 2019`.
    pub(super) fn no_such_day(&mut self, at: usize) -> Length {
        let number = |at: usize| {
            let figures = self.lower(at).trim_end_matches(char::is_alphabetic);
            figures
                .parse::<i8>()
                .ok()
                .filter(|day| (29..=31).contains(day))
        };
        let named = |at: usize| {
            let meanings = self.token(at)?.meanings();
            meanings
                .iter()
                .find(|meaning| is_month(meaning))
                .and_then(|name| month(name))
        };
        let joined = usize::from(self.lower(at + 1) == "of" || self.lower(at + 1) == "the");
        let next = at + 1 + joined;
        let (month, day) = match (named(at), number(at)) {
            (Some(month), _) => (month, number(next)?),
            (None, Some(day)) => (named(next)?, day),
            _ => return None,
        };
        if self.is_any(next + 1, &["people", "kin", "photo"]) {
            return None;
        }
        let of = next + 1 + usize::from(matches!(self.lower(next + 1), "," | "of" | "in"));
        let of_year = year(self.lower(of));
        if Date::new(of_year.unwrap_or(2000), month, day).is_ok() {
            return None;
        }
        let end = if of_year.is_some() { of + 1 } else { next + 1 };
        self.leave_out(at, end - at);
        Some(end - at)
    }
}
