//! Reads when photos were taken: dates, ranges and lists of dates, `since`, `before`,
//! `the last two weeks`.

mod date_phrase;
mod edges;
mod relative;
mod weekdays;

use super::super::dates::{in_words, is_month, is_name, parse_dates, parse_span, year, yearly};
use super::super::filters::{UserDate, UserDates};
use super::{Length, Reader};

pub(super) use date_phrase::DatePhrase;
use date_phrase::{across_years, in_each_year, range, share_years};
use edges::Edge;
pub(super) use weekdays::Weekday;

/// The maximum number of tokens in a date.
const MAX_DATE_TOKENS: usize = 6;

impl Reader<'_> {
    /// Reads a phrase that says when photos were taken.
    pub(super) fn time(&mut self, at: usize) -> Length {
        let phrase = self
            .no_such_day(at)
            .or_else(|| self.weekdays(at))
            .or_else(|| self.long_ago(at))
            .or_else(|| self.edge_of_span(at))
            .or_else(|| self.open_span(at))
            .or_else(|| self.recent(at));
        if phrase.is_some() {
            return phrase;
        }
        let mut start = at;
        while self.is_before_date(start) {
            start += 1;
        }
        if start > at
            && let Some(length) = self.recent(start)
        {
            return Some(start - at + length);
        }
        if self.is(start, "between") {
            let length = self.range_of_dates(start + 1, &["and", "to", "until"])?;
            return Some(start - at + 1 + length);
        }
        let length = self
            .range_of_dates(start, &["to", "until"])
            .or_else(|| self.range_in_a_token(start))
            .or_else(|| self.onwards(start))
            .or_else(|| self.no_such_day(start))
            .or_else(|| self.weekdays(start))
            .or_else(|| self.list_of_dates(start))?;
        Some(start - at + length)
    }

    /// Turns the dates that were read into filters: a single span becomes `--since` and `--until`,
    /// which are the more familiar flags; everything else becomes `--taken`.
    pub(super) fn set_dates(&mut self) {
        self.leave_out_weekdays();
        let phrases = std::mem::take(&mut self.occasions);
        let filter = &mut self.understood.filter;
        let is_open = filter.since.is_none()
            && filter.until.is_none()
            && !self.given.has("since")
            && !self.given.has("until");
        let (yearly, years): (Vec<_>, Vec<_>) = phrases
            .into_iter()
            .partition(|phrase| phrase.iter().all(DatePhrase::is_yearly));
        let mut occasions: Vec<DatePhrase> = years.into_iter().flatten().collect();
        let yearly: Vec<DatePhrase> = yearly.into_iter().flatten().collect();
        if occasions.is_empty() || yearly.is_empty() {
            occasions.extend(yearly);
        } else if let Some(all) = in_each_year(&yearly, &occasions, self.now) {
            // `winter photos from 2019`
            occasions = all;
        } else if let Some(all) = across_years(&yearly, &occasions, self.now) {
            occasions = all;
        } else if is_open && let [years] = &occasions[..] {
            // `each christmas from 2015 to 2020`
            (filter.since, filter.until) = years.start_and_end();
            let taken = yearly.into_iter().map(DatePhrase::into_dates);
            filter.taken = Some(taken.collect());
            return;
        } else {
            occasions.extend(yearly);
        }
        match &occasions[..] {
            [] => return,
            [occasion] if is_open && !occasion.is_yearly() => {
                (filter.since, filter.until) = occasion.start_and_end();
                return;
            }
            _ => {}
        }
        let taken = filter.taken.get_or_insert_default();
        taken.extend(occasions.into_iter().map(DatePhrase::into_dates));
    }

    /// Whether a token has no meaning of its own before a date.
    fn is_before_date(&self, at: usize) -> bool {
        // `the year 2019`, `the month of may`
        let is_unit = self.is_any(at, &["year", "month"])
            && self.lower(at + 1) != "ago"
            && !(self.is(at + 1, "before") && self.is(at + 2, "last"));
        is_unit
            || self.is_any(at, &["in", "from"])
            || matches!(
                self.lower(at),
                "on" | "of"
                    | "the"
                    | "my"
                    | "our"
                    | "during"
                    | "over"
                    | "for"
                    | "at"
                    | "der"
                    | "dem"
                    | "im"
                    | "am"
            )
    }

    /// Reads `2018 to 2020`, `june to august 2019`, `14 to 20 july`.
    fn range_of_dates(&mut self, at: usize, between: &[&str]) -> Length {
        let at_edge = at;
        let at = match self.edge(at) {
            Some((Edge::Start, length)) => at + length,
            _ => at,
        };
        let (first, length) = self.date(at).or_else(|| {
            // A day whose month follows the second day, as in `14 to 20 july`.
            let day = self.lower(at).trim_end_matches(char::is_alphabetic);
            let is_day = day.parse().is_ok_and(|day: u8| (1..=31).contains(&day));
            is_day.then(|| (self.lower(at).to_owned(), 1))
        })?;
        let middle = at + length;
        if !self.is_any(middle, between) {
            return None;
        }
        let start = match self.edge(middle + 1) {
            Some((Edge::End, length)) => middle + 1 + length,
            _ => middle + 1 + usize::from(self.lower(middle + 1) == "the"),
        };
        let (last, rest) = self.date(start)?;
        let occasion = range(&first, &last, self.now)?;
        self.occasions.push(vec![occasion]);
        Some(start + rest - at_edge)
    }

    /// Reads a range without spaces: `2018-2020`, `14-20 july 2019`, `july 14-20`.
    fn range_in_a_token(&mut self, at: usize) -> Length {
        let is_month_before = self.month(at).is_some();
        let (first, last) = self
            .lower(at + usize::from(is_month_before))
            .split_once(['-', '–'])?;
        let (occasion, length) = if year(first).zip(year(last)).is_some() && !is_month_before {
            (range(first, last, self.now)?, 1)
        } else {
            let day = |text: &str| {
                let figures = text.trim_end_matches(char::is_alphabetic);
                figures.parse().is_ok_and(|day: u8| (1..=31).contains(&day))
            };
            if !day(first) || !day(last) {
                return None;
            }
            let month = self.month(at + usize::from(!is_month_before))?;
            let of_year = self.lower(at + 2 + usize::from(self.lower(at + 2) == ","));
            let (of_year, length) = if year(of_year).is_some() {
                (
                    format!(" {of_year}"),
                    3 + usize::from(self.lower(at + 2) == ","),
                )
            } else {
                (String::new(), 2)
            };
            let last = format!("{last} {month}{of_year}");
            (range(first, &last, self.now)?, length)
        };
        self.occasions.push(vec![occasion]);
        Some(length)
    }

    /// The month that a token names.
    fn month(&self, at: usize) -> Option<&'static str> {
        let meanings = self.token(at)?.meanings();
        meanings.iter().copied().find(|meaning| is_month(meaning))
    }

    /// Reads `2021 onwards`, `2021 on`, `2021 or earlier`.
    fn onwards(&mut self, at: usize) -> Length {
        let (text, length) = self.date(at)?;
        let end = at + length;
        if self.is(end, "backwards") {
            let span = parse_span(&text, self.now).ok()?;
            self.understood.filter.until = Some(UserDate { text, span });
            return Some(length + 1);
        }
        let is_last = self.token(end + 1).is_none_or(|token| token.lower == ",");
        if !self.is(end, "onwards") || (self.lower(end) == "on" && !is_last) {
            return None;
        }
        let span = parse_span(&text, self.now).ok()?;
        self.understood.filter.since = Some(UserDate { text, span });
        Some(length + 1)
    }

    /// Reads a date, or several that are joined by `and`, `or` or commas: `june, july and august 2021`.
    fn list_of_dates(&mut self, at: usize) -> Length {
        let (first, length) = self.date(at)?;
        let (mut texts, mut end) = (vec![first], at + length);
        while self.is_any(end, &["and", "or"]) || self.lower(end) == "," {
            let both = self.lower(end) == "," && self.is_any(end + 1, &["and", "or"]);
            let mut next = end + 1 + usize::from(both);
            while self.is_before_date(next) {
                next += 1;
            }
            let Some((text, length)) = self.date(next) else {
                break;
            };
            // If the next date begins a range, the list ends before it.
            if self.is_any(next + length, &["to", "until"])
                && self.date(next + length + 1).is_some()
            {
                break;
            }
            // `monday and every friday`
            if self.weekdays_length(next).is_some() {
                break;
            }
            texts.push(text);
            end = next + length;
        }
        share_years(&mut texts);
        let mut list = Vec::new();
        for text in texts {
            let dates = parse_dates(&text, self.now).ok()?;
            list.push(DatePhrase::One(UserDates { text, dates }));
        }
        self.occasions.push(list);
        Some(end - at)
    }

    /// The longest date that begins at a token, in words that [`parse_dates`] accepts, and its number
    /// of tokens.
    fn date(&self, at: usize) -> Option<(String, usize)> {
        let longest = MAX_DATE_TOKENS.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let text = self.words_of_date(at, length)?;
            let words: Vec<&str> = text.split(' ').collect();
            let is_date = yearly(&words).is_some()
                || in_words(&words, self.now).is_some()
                || matches!(words[..], [word] if word.contains(['-', '.', '/'])
                        && parse_span(word, self.now).is_ok());
            // In `july 4 people` the number does not belong to the date.
            let ends_in_count = words.len() > 1
                && words[words.len() - 1].len() < 3
                && words[words.len() - 1].parse::<u32>().is_ok()
                && self.is_any(at + length, &["people", "kin", "photo"]);
            // Easter Island, Christmas Island and Ascension Island are no dates.
            let is_island = yearly(&words).is_some() && self.lower(at + length) == "island";
            (is_date && !ends_in_count && !is_island).then_some((text, length))
        })
    }

    /// Converts tokens to the words that [`parse_dates`] accepts, and omits connecting words such as
    /// `of`; `None` if no word is left.
    fn words_of_date(&self, at: usize, length: usize) -> Option<String> {
        let mut words: Vec<String> = Vec::new();
        for index in at..at + length {
            let token = &self.tokens[index];
            let is_inside = index > at && index + 1 < at + length;
            if is_inside && matches!(token.lower.as_str(), "of" | "the" | "in") {
                continue;
            }
            if is_inside && token.lower == "," && year(self.lower(index + 1)).is_some() {
                continue;
            }
            let named = token.meanings().iter().find(|meaning| is_name(meaning));
            let word = match named {
                // The date parser accepts the plural of a unit.
                Some(unit) if token.lower.starts_with(*unit) && is_unit(unit) => {
                    token.lower.clone()
                }
                Some(name) => name.replace('_', " "),
                None if token.is("past") => "last".to_owned(),
                None => token.lower.clone(),
            };
            words.push(word);
        }
        (!words.is_empty()).then(|| words.join(" "))
    }
}

fn is_unit(name: &str) -> bool {
    matches!(name, "day" | "week" | "weekend" | "month" | "year")
}
