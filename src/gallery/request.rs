//! What the page asks for.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Deserialize;

use super::refusal::Refusal;
use crate::emotion::{Emotion, EmotionSet};
use crate::query::{Filters, When, parse_span, today, understand};
use crate::store::{Query, Store, Who};

/// Most photos of one answer.
const MOST: usize = 500;

/// How sure the classifier must be where the page does not say, in percent: more likely than not.
const MIN_SCORE: f32 = 50.0;

/// The filters of the page; what it leaves out does not restrict.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Wish {
    emotion: Option<Emotion>,
    who: Option<Faces>,
    /// Percent.
    min: Option<f32>,
    since: Option<String>,
    /// Counts to its end.
    until: Option<String>,
    under: Option<PathBuf>,
    near: Option<String>,
    /// How far around `near`, in km.
    within: Option<f64>,
    /// How many faces: `2`, `2..5` or `3..`.
    faces: Option<String>,
    camera: Option<String>,
    /// Words of the path, the description or the keywords.
    words: Option<String>,
    /// What a person typed, in the grammar of `fer-index find`.
    text: Option<String>,
}

/// Which faces must show the emotion.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Faces {
    Any,
    Most,
    All,
}

/// Which part of what the filters find.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    pub offset: usize,
    limit: usize,
}

impl Part {
    pub fn limit(self) -> usize {
        self.limit.min(MOST)
    }
}

/// What the page asks for, read.
#[derive(Debug)]
pub(super) struct Question {
    /// For the store; of which part is open.
    pub query: Query,
    /// What the text became, as the flags of `fer-index query`; empty where it is just words.
    pub read_as: Vec<String>,
}

impl Wish {
    /// Reads the wish; `min_detection` is the setting.
    ///
    /// What the page's controls say goes before what the text says.
    pub fn read(&self, store: &Store, min_detection: f32) -> Result<Question, Refusal> {
        let today = today();
        let words: Vec<String> = self.text.iter().cloned().collect();
        let typed = understand(&words, Filters::default(), today)?.filters;
        let is_just_words = typed
            == Filters {
                text: typed.text.clone(),
                ..Filters::default()
            };
        let read_as = if is_just_words {
            Vec::new()
        } else {
            typed.flags()
        };
        let when = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => parse_span(text, today)
                .map(|span| {
                    Some(When {
                        text: text.clone(),
                        span,
                    })
                })
                .map_err(Refusal::Bad),
        };
        let text = [self.words.clone(), typed.text.clone()];
        let text = text.into_iter().flatten().reduce(|a, b| format!("{a} {b}"));
        let filters = Filters {
            emotions: self.emotion.map_or(typed.emotions, EmotionSet::of),
            who: self.who.map_or(typed.who, Into::into),
            min_score: Some(self.min.unwrap_or(MIN_SCORE) / 100.0),
            since: when(&self.since)?.or(typed.since),
            until: when(&self.until)?.or(typed.until),
            under: self.under.clone(),
            near: self.near.clone().or(typed.near),
            within: self.within.or(typed.within),
            faces: self
                .faces
                .as_deref()
                .map_or(Ok(typed.faces), number_of_faces)?,
            camera: self.camera.clone().or(typed.camera),
            text,
            ..typed
        };
        let query = filters.to_query(store, min_detection, MOST)?;
        Ok(Question { query, read_as })
    }
}

/// `2`, `2..5` or `3..`.
fn number_of_faces(text: &str) -> Result<Option<RangeInclusive<u32>>, Refusal> {
    let explain = || {
        Refusal::Bad(format!(
            "\"{text}\" is no number of faces; write 2, 2..5 or 3.."
        ))
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| explain());
    Ok(Some(match text.split_once("..") {
        None => number(text)?..=number(text)?,
        Some((least, "")) => number(least)?..=u32::MAX,
        Some((least, most)) => number(least)?..=number(most)?,
    }))
}

impl From<Faces> for Who {
    fn from(faces: Faces) -> Self {
        match faces {
            Faces::Any => Self::Any,
            Faces::Most => Self::Most,
            Faces::All => Self::All,
        }
    }
}
