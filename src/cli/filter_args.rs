//! The flags of `fer-index query` and `find` that say which photos.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::resolve;
use crate::emotion::Emotion;
use crate::error::Result;
use crate::query::{Filters, When, parse_span, today};
use crate::store::{Order, Who};

#[derive(Debug, Args)]
#[command(next_help_heading = "Which photos")]
pub(super) struct FilterArgs {
    /// angry, disgust, fear, happy, sad, surprise, neutral or contempt; of several one suffices
    #[arg(long, short, value_name = "EMOTION")]
    emotion: Vec<Emotion>,
    /// Who must show it [default: any]
    #[arg(long, value_enum)]
    who: Option<WhoArg>,
    /// Least score, 0 to 1 [default: 0, or 0.5 in an order other than by score]
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    min_score: Option<f32>,
    /// How many faces: 2, 2..5 or 3..
    #[arg(long, value_name = "N..M", value_parser = parse_range)]
    faces: Option<RangeInclusive<u32>>,
    /// Taken then or later: 2019, 2019-07, 2019-07-14, "2019-07-14 12:30", "last summer", "3 weeks
    /// ago"
    #[arg(long, value_name = "DATE", value_parser = parse_when)]
    since: Option<When>,
    /// Taken then or earlier; a year, month, season or day counts to its end
    #[arg(long, value_name = "DATE", value_parser = parse_when)]
    until: Option<When>,
    /// In or below this folder
    #[arg(long, value_name = "DIR")]
    under: Option<PathBuf>,
    /// In or below a folder whose name contains this
    #[arg(long, value_name = "NAME")]
    album: Option<String>,
    /// Taken near a city or position, or in a country
    #[arg(long, value_name = "PLACE|LAT,LON", allow_hyphen_values = true)]
    near: Option<String>,
    /// How near, in km [default: 25]
    #[arg(long, value_name = "KM", requires = "near", value_parser = parse_km)]
    within: Option<f64>,
    /// Taken farther than this, in km, from where most photos were taken [default: 100]
    #[arg(long, value_name = "KM", num_args = 0..=1, require_equals = true,
          default_missing_value = "100", value_parser = parse_km)]
    away: Option<f64>,
    /// The camera's name contains this
    #[arg(long, value_name = "NAME")]
    camera: Option<String>,
    /// These words are in path, description or keywords
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    /// Only faces whose shorter side has this many pixels count
    #[arg(long, value_name = "PX")]
    min_face_size: Option<f32>,
    /// Only faces with this detection score count, 0 to 1 [default: the setting, at first 0.6]
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    min_detection: Option<f32>,
    /// Of photos in quick succession (3 s) only the best
    #[arg(long)]
    one_per_burst: bool,
    /// In which order [default: score, or date without an emotion]
    #[arg(long, value_enum)]
    order: Option<OrderArg>,
    /// The same number shuffles the same way
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many photos at most [default: the setting query.limit, at first 20]
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// How many photos to leave out before
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    offset: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhoArg {
    /// One face
    Any,
    /// More than half of the faces
    Most,
    /// Everybody in the photo
    All,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderArg {
    /// Best first
    Score,
    /// Latest first
    Date,
    /// Shuffled
    Random,
}

impl FilterArgs {
    /// The filters that the flags name.
    pub fn filters(&self) -> Result<Filters> {
        Ok(Filters {
            emotions: self.emotion.iter().copied().collect(),
            who: match self.who {
                None | Some(WhoArg::Any) => Who::Any,
                Some(WhoArg::Most) => Who::Most,
                Some(WhoArg::All) => Who::All,
            },
            min_score: self.min_score,
            faces: self.faces.clone(),
            since: self.since.clone(),
            until: self.until.clone(),
            under: self.under.clone().map(resolve).transpose()?,
            album: self.album.clone(),
            near: self.near.clone(),
            within: self.within,
            away: self.away,
            camera: self.camera.clone(),
            text: self.text.clone(),
            min_detection: self.min_detection,
            min_face: self.min_face_size,
            one_per_burst: self.one_per_burst,
            order: match self.order {
                None | Some(OrderArg::Score) => Order::Score,
                Some(OrderArg::Date) => Order::Date,
                Some(OrderArg::Random) => Order::Random {
                    seed: self.seed.unwrap_or_else(seed_of_now),
                },
            },
            limit: self.limit,
            offset: self.offset,
        })
    }
}

fn seed_of_now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}

pub(super) fn parse_probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a probability lies between 0 and 1".to_owned()),
    }
}

fn parse_km(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(km) if (0.0..=20_038.0).contains(&km) => Ok(km),
        _ => Err("a distance on Earth is 0 to 20038 km".to_owned()),
    }
}

fn parse_when(text: &str) -> Result<When, String> {
    Ok(When {
        text: text.to_owned(),
        span: parse_span(text, today())?,
    })
}

/// `3`, `2..5`, `2..`, `..5`; both ends count.
fn parse_range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let explain = || format!("\"{text}\" is no number of faces; write 2, 2..5 or 3..");
    let bound = |text: &str, open: u32| match text.trim_start_matches('=') {
        "" => Ok(open),
        number => number.parse().map_err(|_| explain()),
    };
    let range = if let Some((least, most)) = text.split_once("..") {
        bound(least, 0)?..=bound(most, u32::MAX)?
    } else {
        let count = text.parse().map_err(|_| explain())?;
        count..=count
    };
    if range.is_empty() {
        return Err(explain());
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_faces() {
        assert_eq!(parse_range("3"), Ok(3..=3));
        assert_eq!(parse_range("2..5"), Ok(2..=5));
        assert_eq!(parse_range("2.."), Ok(2..=u32::MAX));
        assert_eq!(parse_range("..=4"), Ok(0..=4));
        for text in ["", "many", "5..2", "-1"] {
            assert!(parse_range(text).unwrap_err().contains("2..5"), "{text}");
        }
    }
}
