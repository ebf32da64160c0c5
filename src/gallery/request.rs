//! What the page asks for.

use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use crate::query::{AskedFilter, Understood, today, understand};
use crate::store::{Query, Store};

/// Most photos of one answer.
const MOST: usize = 500;

/// The parameters of the page's address: the flags of `fer-index query` by their names, beside them
/// `text`, what a person typed in the grammar of `fer-index find`, `words`, which is the flag `--text`,
/// and `min`, the least score in percent. What it leaves out does not restrict; what is none of them is for others.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct FilterParameters(Vec<(String, String)>);

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
pub(super) struct Search {
    /// For the store; of which part is open.
    pub query: Query,
    /// What the text became, as the flags of `fer-index query`; empty where it is just words.
    pub read_as: Vec<String>,
    /// The same filter before places and dates were looked up.
    pub filter: AskedFilter,
    /// What became of the text.
    pub understood: Interpretation,
}

/// What became of a text, in plain words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Interpretation {
    /// What is asked for, part by part.
    filters: Vec<String>,
    /// Words that are looked for as text.
    as_text: Vec<String>,
    /// Words that nothing was made of.
    left_out: Vec<String>,
    /// Words that are one letter away from one with a meaning, each with that.
    suggestions: Vec<(String, String)>,
}

impl Interpretation {
    fn of(understood: &Understood) -> Self {
        Self {
            filters: understood.filter.said(),
            as_text: understood.as_text.clone(),
            left_out: understood.left_out.clone(),
            suggestions: understood.suggestions.clone(),
        }
    }
}

impl FilterParameters {
    /// Reads the parameters; `min_detection` is the setting.
    ///
    /// What the page's controls say goes before what the text says.
    pub fn read(&self, store: &Store, min_detection: f32) -> Result<Search, ApiError> {
        let of = |wanted: &str| {
            let mut named = self.0.iter().filter(|(name, _)| name == wanted);
            named.next().map(|(_, value)| value.as_str())
        };
        let words: Vec<String> = of("text").map(str::to_owned).into_iter().collect();
        let typed = understand(&words, AskedFilter::new(), today());
        let understood = Interpretation::of(&typed);
        let typed = typed.filter;
        let typed_flags = typed.set_flags();
        let is_just_words = typed_flags.iter().all(|(flag, _)| flag.name == "text");
        let read_as = if is_just_words {
            Vec::new()
        } else {
            typed.arguments()
        };

        let min_score = of("min").map(score).transpose()?;
        // The typed sentence may leave words as well, and a photo must have them all.
        let words = of("words").map(|words| match &typed.text {
            Some(text) => format!("{text} {words}"),
            None => words.to_owned(),
        });
        let controls = self
            .0
            .iter()
            .filter(|(name, _)| name != "text" && name != "words");
        let controls = controls.map(|(name, value)| (name.as_str(), value.as_str()));
        let given: Vec<_> = controls
            .chain(words.as_deref().map(|words| ("text", words)))
            .chain(min_score.as_deref().map(|score| ("min-score", score)))
            .collect();
        let of_text = typed_flags
            .iter()
            .filter(|(flag, _)| given.iter().all(|(name, _)| *name != flag.name))
            .map(|(flag, value)| (flag.name, value.as_str()));
        let all: Vec<_> = of_text.chain(given.iter().copied()).collect();
        let filter = AskedFilter::read(&all).map_err(ApiError::Bad)?;
        let query = filter.resolve(store, min_detection, Some(MOST))?;
        Ok(Search {
            query,
            read_as,
            filter,
            understood,
        })
    }
}

/// A least score in percent as that of `--min-score`.
fn score(percent: &str) -> Result<String, ApiError> {
    let explain = || ApiError::Bad(format!("\"{percent}\" is no percentage; write 0 to 100"));
    let percent: f32 = percent.parse().map_err(|_| explain())?;
    Ok((percent / 100.0).to_string())
}
