//! Reads times that are relative to a date or to now: `since may`, `older than 5 years`, `the last two weeks`.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::super::super::dates::{DateSpan, Dates, parse_dates, parse_span};
use super::super::super::filters::{UserDate, UserDates};
use super::super::{Length, Reader};
use super::DatePhrase;

impl Reader<'_> {
    /// Reads a span with one open end: `since may`, `after 2019`, `before christmas`, `until 2020`,
    /// `older than 5 years`.
    pub(super) fn open_span(&mut self, at: usize) -> Length {
        if self.is_any(at, &["older", "newer"])
            && let Some((date, length)) = self.so_long_ago(at + 1)
        {
            let filter = &mut self.understood.filter;
            if self.tokens[at].is("older") {
                filter.until = Some(day(date.yesterday().ok()?));
            } else {
                filter.since = Some(day(date));
            }
            return Some(length + 1);
        }
        if !self.is_any(at, &["since", "after", "until", "before", "older", "newer"]) {
            return None;
        }
        // `before the year 2000`
        let mut start = at + 1;
        while self.is_before_date(start) {
            start += 1;
        }
        let (text, length) = self.date(start)?;
        let span = parse_span(&text, self.now).ok()?;
        let when = UserDate { text, span };
        let (first, end) = (when.span.start.date(), when.span.end.date());
        let is = |meaning| self.is(at, meaning);
        let (since, until) = if is("since") {
            (Some(when), None)
        } else if is("after") || is("newer") {
            (Some(day(end)), None)
        } else if is("until") {
            (None, Some(when))
        } else {
            (None, Some(day(first.yesterday().ok()?)))
        };
        let filter = &mut self.understood.filter;
        filter.since = since.or(filter.since.take());
        filter.until = until.or(filter.until.take());
        Some(start + length - at)
    }

    /// Reads `over 5 years ago`, `at least ten years ago` (until then), `less than 2 years ago` (since then). `years
    /// ago` and `many years ago` name no date and are left out.
    pub(super) fn long_ago(&mut self, at: usize) -> Length {
        let is_vague = matches!(self.lower(at), "few" | "some") || self.is(at, "many");
        let article = usize::from(matches!(self.lower(at), "a" | "an"));
        let is_vague = is_vague
            || (article == 1 && matches!(self.lower(at + 1), "few" | "many" | "long" | "good"));
        let unit = at + usize::from(is_vague) + article * usize::from(is_vague);
        let is_unit = self.is_any(unit, &["year", "month", "week", "day"]);
        let is_long = matches!(self.lower(unit), "long" | "ages" | "time" | "decades");
        if self.is(unit + 1, "ago")
            && (is_unit && (is_vague || self.lower(unit).ends_with('s')) || is_long)
        {
            self.leave_out(at, unit + 2 - at);
            return Some(unit + 2 - at);
        }
        // The phrase `more than half` is a share of the people elsewhere.
        let is_half = self.lower(at) == "more than half"
            && matches!(self.lower(at + 1), "a" | "an")
            && self.is(at + 2, "year")
            && self.is(at + 3, "ago");
        let is_until = is_half || self.is_any(at, &["more_than", "at_least"]);
        let is_since = self.is_any(at, &["less_than", "at_most"]) && !self.is(at, "until");
        if !is_until && !is_since {
            return None;
        }
        let (date, length) = if is_half {
            (self.now.date().checked_sub(6.months()).ok()?, 2)
        } else {
            self.so_long_ago(at + 1)?
        };
        if !self.is(at + 1 + length, "ago") {
            return None;
        }
        let filter = &mut self.understood.filter;
        if self.tokens[at].is("at_least") {
            filter.until = Some(day(date));
        } else if is_until {
            filter.until = Some(day(date.yesterday().ok()?));
        } else {
            filter.since = Some(day(date));
        }
        Some(length + 2)
    }

    /// Reads a span that ends today: `the last two weeks`, `past month`.
    pub(super) fn recent(&mut self, at: usize) -> Length {
        let (date, length) = if self.is_any(at, &["last", "past"]) {
            match self.so_long_ago(at + 1) {
                Some((date, length)) => (date, length),
                // `past month` ends now, but `last month` is the previous calendar month.
                None if self.is(at, "past") => (self.ago(1, at + 1)?, 1),
                None => return self.recent_parts(at),
            }
        } else {
            return None;
        };
        self.understood.filter.since = Some(day(date));
        Some(length + 1)
    }

    /// Reads `last two summers`: the latest ones that have ended, and no more.
    fn recent_parts(&mut self, at: usize) -> Length {
        let count = i16::try_from(self.number(at + 1)?).ok()?;
        let (text, length) = self.date(at + 2)?;
        let dates = parse_dates(&text, self.now).ok()?;
        let Dates::Yearly(part) = dates else {
            return None;
        };
        let latest = parse_span(&format!("last {text}"), self.now).ok()?;
        let first = part.of(latest.start.year() - count + 1)?;
        let filter = &mut self.understood.filter;
        filter.since = Some(day(first.start.date()));
        filter.until = Some(day(latest.end.date().yesterday().ok()?));
        self.occasions
            .push(vec![DatePhrase::One(UserDates { text, dates })]);
        Some(2 + length)
    }

    /// The day that is `two weeks` or `a few weeks` before now, and the number of tokens of this
    /// duration.
    fn so_long_ago(&self, at: usize) -> Option<(Date, usize)> {
        let article = usize::from(matches!(self.lower(at), "a" | "an"));
        if self.lower(at) == "half"
            && matches!(self.lower(at + 1), "a" | "an")
            && self.is(at + 2, "year")
        {
            return Some((self.now.date().checked_sub(6.months()).ok()?, 3));
        }
        let (count, length) = if self.is(at + article, "couple") {
            let of = at + article + 1;
            (2, article + 1 + usize::from(self.lower(of) == "of"))
        } else if article == 1 && self.lower(at + 1) != "few" {
            (1, 1)
        } else if article == 1 {
            (3, 2)
        } else if self.is(at, "many") || self.lower(at) == "few" {
            (3, 1)
        } else {
            (self.number(at)?, 1)
        };
        Some((self.ago(count, at + length)?, length + 1))
    }

    fn ago(&self, count: u32, unit: usize) -> Option<Date> {
        let count = i64::from(count);
        let token = self.token(unit)?;
        let span: Span = if token.is("day") {
            count.days()
        } else if token.is("week") {
            count.weeks()
        } else if token.is("month") {
            count.months()
        } else if token.is("year") {
            count.years()
        } else {
            return None;
        };
        self.now.date().checked_sub(span).ok()
    }
}

/// One day as a span.
pub(super) fn day(date: Date) -> UserDate {
    let start = date.into();
    let end = date.tomorrow().unwrap_or(Date::MAX).into();
    UserDate {
        text: date.to_string(),
        span: DateSpan { start, end },
    }
}
