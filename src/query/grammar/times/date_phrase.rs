//! Dates and ranges of dates in a sentence. A year that is stated once may apply to several of them.

use std::ops::RangeInclusive;

use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};

use super::super::super::dates::{
    DateSpan, Dates, is_weekday, parse_dates, parse_span, year, yearly,
};
use super::super::super::filters::{UserDate, UserDates};

/// The maximum number of years that are listed one by one.
const MAX_YEARS: usize = 30;

/// A date or a range of dates on which photos were taken.
#[derive(Debug, Clone)]
pub(in super::super) enum DatePhrase {
    /// One date.
    One(UserDates),
    /// From one date to another; both have a year.
    Range(UserDate, UserDate),
}

impl DatePhrase {
    /// Whether it is a part of every year.
    pub fn is_yearly(&self) -> bool {
        matches!(
            self,
            Self::One(UserDates {
                dates: Dates::Yearly(_),
                ..
            })
        )
    }

    /// The first and the last date; none for a part of every year.
    pub fn start_and_end(&self) -> (Option<UserDate>, Option<UserDate>) {
        match self {
            Self::Range(first, last) => (Some(first.clone()), Some(last.clone())),
            Self::One(UserDates {
                text,
                dates: Dates::Span(span),
            }) => {
                let when = UserDate {
                    text: text.clone(),
                    span: *span,
                };
                (Some(when.clone()), Some(when))
            }
            Self::One(_) => (None, None),
        }
    }

    /// The year, if it is exactly one: `2019`, `last year`.
    fn year(&self) -> Option<i16> {
        let Self::One(UserDates {
            dates: Dates::Span(span),
            ..
        }) = self
        else {
            return None;
        };
        let first = span.start.date();
        let is_year =
            first == first.first_of_year() && span.end == first.checked_add(1.year()).ok()?.into();
        is_year.then(|| first.year())
    }

    /// The years of a span of whole years; `None` if it has other spans or more than [`MAX_YEARS`].
    fn years(&self) -> Option<RangeInclusive<i16>> {
        let span = match self.clone().into_dates().dates {
            Dates::Span(span) => span,
            Dates::Yearly(_) => return None,
        };
        let (first, end) = (span.start.date(), span.end.date());
        let is_whole = first == first.first_of_year() && end == end.first_of_year();
        let years = first.year()..=end.year() - 1;
        (is_whole && years.len() <= MAX_YEARS).then_some(years)
    }

    pub fn into_dates(self) -> UserDates {
        match self {
            Self::One(dates) => dates,
            Self::Range(first, last) => UserDates {
                text: format!("{} to {}", first.text, last.text),
                dates: Dates::Span(DateSpan {
                    start: first.span.start,
                    end: last.span.end,
                }),
            },
        }
    }
}

/// Each of these parts of the year in each of these years; `None` if not all of `years` are years.
pub(super) fn in_each_year(
    yearly: &[DatePhrase],
    years: &[DatePhrase],
    now: DateTime,
) -> Option<Vec<DatePhrase>> {
    let mut all = Vec::new();
    for of_year in years {
        let number = of_year.year()?;
        for part in yearly {
            let text = format!("{} {number}", part.clone().into_dates().text);
            let dates = parse_dates(&text, now).ok()?;
            all.push(DatePhrase::One(UserDates { text, dates }));
        }
    }
    Some(all)
}

/// The years of a range, each with these parts of it, if one of them reaches into the next year: `winters from 2015 to
/// 2017` begins with the December of 2015, as `winter 2015` does.
pub(super) fn across_years(
    yearly: &[DatePhrase],
    years: &[DatePhrase],
    now: DateTime,
) -> Option<Vec<DatePhrase>> {
    let reaches_over = |part: &DatePhrase| match part {
        DatePhrase::One(UserDates {
            dates: Dates::Yearly(part),
            ..
        }) => part
            .of(2000)
            .is_some_and(|span| span.end.date() > date(2001, 1, 1)),
        _ => false,
    };
    if !yearly.iter().any(reaches_over) {
        return None;
    }
    let mut all = Vec::new();
    for number in years
        .iter()
        .map(DatePhrase::years)
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .flatten()
    {
        for part in yearly {
            let text = format!("{} {number}", part.clone().into_dates().text);
            let dates = parse_dates(&text, now).ok()?;
            all.push(DatePhrase::One(UserDates { text, dates }));
        }
    }
    Some(all)
}

/// The year at the end of a date.
fn year_of(text: &str) -> Option<&str> {
    let last = text.rsplit(' ').next()?;
    year(last).map(|_| last)
}

/// A range of two dates; the year or the month may be given with only one of them.
pub(super) fn range(first: &str, last: &str, now: DateTime) -> Option<DatePhrase> {
    let words: Vec<&str> = last.split(' ').collect();
    // `14 to 20 july 2019`
    let first = if first.len() < 5
        && first.starts_with(|c: char| c.is_ascii_digit())
        && year(first).is_none()
    {
        format!("{first} {}", words.get(1..)?.join(" "))
    } else {
        first.to_owned()
    };
    let is_yearly = |text: &str| matches!(parse_dates(text, now), Ok(Dates::Yearly(_)));
    let span = |text: &str| parse_span(text, now).ok();
    if is_yearly(&first) && is_yearly(last) {
        let text = format!("{first} to {last}");
        let dates = parse_dates(&text, now).ok()?;
        return Some(DatePhrase::One(UserDates { text, dates }));
    }
    let mut texts = [first, last.to_owned()];
    let years = [0, 1].map(|side: usize| year_of(&texts[side]).map(str::to_owned));
    match years {
        [None, Some(year)] if is_yearly(&texts[0]) => {
            let same = format!("{} {year}", texts[0]);
            let number: i16 = year.parse().ok()?;
            let is_before = span(&same)?.start < span(&texts[1])?.end;
            texts[0] = if is_before {
                same
            } else {
                format!("{} {}", texts[0], number - 1)
            };
        }
        [Some(year), None] if is_yearly(&texts[1]) => {
            let same = format!("{} {year}", texts[1]);
            let number: i16 = year.parse().ok()?;
            let is_after = span(&texts[0])?.start < span(&same)?.end;
            texts[1] = if is_after {
                same
            } else {
                format!("{} {}", texts[1], number + 1)
            };
        }
        _ => {}
    }
    let [first, last] = texts;
    let (mut start, end) = (span(&first)?, span(&last)?);
    let when = |text, span| UserDate { text, span };
    if start.start < end.end {
        return Some(DatePhrase::Range(when(first, start), when(last, end)));
    }
    let is_weekday = |text: &str| is_weekday(text.strip_prefix("last ").unwrap_or(text));
    if is_weekday(&first) && is_weekday(&last) {
        // `monday to friday`: the days of one week.
        while start.start >= end.end {
            start.start = start.start.checked_sub(1.week()).ok()?;
            start.end = start.end.checked_sub(1.week()).ok()?;
        }
        let text = start.start.date().to_string();
        return Some(DatePhrase::Range(when(text, start), when(last, end)));
    }
    // `from 2020 to 2018`
    Some(DatePhrase::Range(when(last, end), when(first, start)))
}

/// Completes the dates of a list: in `june and july 2019` the year applies to both months, and in
/// `christmas 2018 and 2019` both years are Christmases.
pub(super) fn share_years(texts: &mut [String]) {
    for index in 1..texts.len() {
        let name = texts[index - 1]
            .rsplit_once(' ')
            .map(|(name, _)| name.to_owned());
        let is_named = year_of(&texts[index - 1]).is_some();
        if let Some(name) = name.filter(|_| is_named && year(&texts[index]).is_some()) {
            texts[index] = format!("{name} {}", texts[index]);
        }
    }
    let mut known: Option<String> = None;
    for text in texts.iter_mut().rev() {
        let words: Vec<&str> = text.split(' ').collect();
        if yearly(&words).is_some() {
            if let Some(year) = &known {
                *text = format!("{text} {year}");
            }
        } else {
            known = year_of(text)
                .filter(|year| *year != text)
                .map(str::to_owned);
        }
    }
}
