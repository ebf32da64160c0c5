//! Reads days of the week. `monday` alone is the latest Monday. No filter finds every Monday, or those of a year, so
//! phrases for these are left out.

use jiff::ToSpan as _;

use super::super::super::dates::{DateSpan, Dates, is_weekday};
use super::super::super::filters::UserDates;
use super::super::{Length, Reader};
use super::DatePhrase;

/// A weekday that was read as the latest one.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Weekday {
    /// The index of its first token, and its number of tokens.
    at: usize,
    length: usize,
    /// Its index among the phrases of dates.
    phrase: usize,
}

impl Reader<'_> {
    /// Leaves out `mondays`, `every sunday`; reads `friday` alone as the latest one.
    pub(super) fn weekdays(&mut self, at: usize) -> Length {
        if let Some(length) = self.weekdays_length(at) {
            self.leave_out(at, length);
            return Some(length);
        }
        // `friday`, `last friday`; other phrases with a weekday name the week or the month.
        let (text, length) = self.date(at)?;
        let words: Vec<&str> = text.split(' ').collect();
        let is_weekday = match words[..] {
            [day] | ["last" | "this" | "next", day] => is_weekday(day),
            _ => false,
        };
        let next = at + length;
        let is_joined = self.is_any(next, &["and", "or", "to", "until", "onwards", "backwards"])
            || self.lower(next) == ","
                && self
                    .date(next + 1)
                    .is_some_and(|(text, _)| is_weekday_in(&text));
        if !is_weekday || is_joined {
            return None;
        }
        let dates = super::parse_dates(&text, self.now).ok()?;
        self.weekdays.push(Weekday {
            at,
            length,
            phrase: self.occasions.len(),
        });
        self.occasions
            .push(vec![DatePhrase::One(UserDates { text, dates })]);
        Some(length)
    }

    /// The number of tokens of `mondays` or `every sunday`.
    pub(super) fn weekdays_length(&self, at: usize) -> Length {
        let is_weekday = |at: usize| {
            let token = self.token(at)?;
            let mut meanings = token.meanings().iter();
            meanings.any(|meaning| is_weekday(meaning)).then_some(token)
        };
        let is_every = matches!(
            self.lower(at),
            "every" | "each" | "all" | "any" | "most" | "many"
        );
        if is_every && is_weekday(at + 1).is_some() {
            return Some(2);
        }
        is_weekday(at).filter(|token| token.is_plural).map(|_| 1)
    }

    /// Leaves out each weekday beside another date, as in `friday 2020` and `since 2019 on a friday`, unless that date
    /// is this very day of the week.
    pub(super) fn leave_out_weekdays(&mut self) {
        let filter = &self.understood.filter;
        let has_end = filter.since.is_some() || filter.until.is_some();
        let weekdays = std::mem::take(&mut self.weekdays);
        let others = self.occasions.len() - weekdays.len();
        if others == 0 && !has_end {
            return;
        }
        for weekday in weekdays.iter().rev() {
            let named = self.occasions.remove(weekday.phrase);
            let day_of = |occasion: &DatePhrase| match occasion {
                DatePhrase::One(UserDates {
                    dates: Dates::Span(span),
                    ..
                }) => one_day(*span),
                _ => None,
            };
            let day = named.first().and_then(day_of);
            let is_said_again = day.is_some()
                && self
                    .occasions
                    .iter()
                    .flatten()
                    .any(|other| day_of(other) == day);
            if !is_said_again {
                self.leave_out(weekday.at, weekday.length);
            }
        }
    }
}

/// The weekday of a span of one day.
fn one_day(span: DateSpan) -> Option<jiff::civil::Weekday> {
    let end = span.start.checked_add(1.day()).ok()?;
    (span.end <= end).then(|| span.start.weekday())
}

fn is_weekday_in(text: &str) -> bool {
    text.split(' ').any(is_weekday)
}
