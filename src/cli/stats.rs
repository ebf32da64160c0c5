//! `fer-index stats`: counts faces by the emotion that each shows most, of all photos or of those that filters find.

use std::collections::BTreeMap;
#[cfg(feature = "train")]
use std::ffi::OsStr;
#[cfg(feature = "train")]
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::json;

use super::Outcome;
use super::context::Context;
use super::filter_args::FilterArgs;
#[cfg(feature = "train")]
use super::force::ForceArgs;
use super::query::{hint, print_undated};
use super::stdout::Stdout;
use crate::borders::country_in;
use crate::emotion::Emotion;
use crate::error::Result;
use crate::query::{Defaults, Gazetteer};
use crate::store::{Group, Grouping, Query, Store};
#[cfg(feature = "train")]
use fer_train::plots::{EmotionBar, EmotionBars, Plot as _, plot_files};

#[derive(Debug, Args)]
pub(super) struct StatsArgs {
    /// Group the counts
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    /// Draw the shares of the emotions: writes FILE.svg and FILE.png
    #[cfg(feature = "train")]
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[cfg(feature = "train")]
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    filters: FilterArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// By the year in which photos were taken
    Year,
    /// By the month
    Month,
    /// By the folder that contains the photos
    Folder,
    /// By the city in which they were taken, or else the nearest one
    Place,
    /// By the camera
    Camera,
    /// By the person whom the face shows, as metadata or a sidecar name it
    Person,
}

/// The counts of a group, with its printed name.
pub(super) struct Row {
    pub name: String,
    pub photos: u64,
    /// Number of faces by the emotion that each shows most.
    pub faces: [u64; Emotion::COUNT],
}

impl Row {
    pub fn total(&self) -> u64 {
        self.faces.iter().sum()
    }

    /// The share of faces that show an emotion, 0 to 1.
    pub fn share(&self, emotion: Emotion) -> f64 {
        self.faces[emotion.index()] as f64 / self.total().max(1) as f64
    }
}

pub(super) fn run(args: &StatsArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    let store = Store::open_existing(&config.database)?;
    let filter = args.filters.filter();
    let defaults = Defaults::from(&config.query);
    let query = filter.resolve(&store, defaults, None)?;
    let query = Query {
        // Without --emotion, a minimum score has no meaning.
        min_score: query
            .min_score
            .filter(|_| !(query.emotions.is_empty() && query.without.is_empty())),
        ..query
    };
    let rows = rows(&store, args.by, &query)?;
    #[cfg(feature = "train")]
    if let Some(file) = &args.plot {
        let stem = stem(file);
        let rule = args.force.rule(context, []);
        rule.around(&plot_files(&stem), || draw(&rows, &stem))?;
    }
    if args.json {
        out.json_array(rows.iter().map(|row| as_json(row, args.by)))?;
    } else if !rows.is_empty() {
        table(&rows, args.by, out)?;
    }
    out.flush()?;
    print_undated(&query, &store)?;
    if !rows.is_empty() {
        return Ok(Outcome::Found);
    }
    let totals = store.totals()?;
    if totals.photos == 0 {
        tracing::warn!("the index contains no photo; run fer-index index DIR first");
    } else if totals.faces == 0 {
        tracing::warn!("no face was found in the photos of the index");
    } else {
        tracing::warn!("no face in the photos that the filters find");
        for reason in filter.why_empty(&store, defaults)? {
            hint(format_args!("{reason}"));
        }
    }
    Ok(Outcome::Nothing)
}

#[cfg(feature = "train")]
fn draw(rows: &[Row], stem: &Path) -> Result<()> {
    let bar = |row: &Row| EmotionBar {
        name: row.name.clone(),
        faces: row.faces,
    };
    let bars: Vec<_> = rows.iter().map(bar).collect();
    EmotionBars::new(&bars).save(stem)
}

#[cfg(feature = "train")]
/// The path without the extension `.svg` or `.png`, which the plot files get anyway.
fn stem(file: &Path) -> PathBuf {
    match file.extension().and_then(OsStr::to_str) {
        Some("svg" | "png") => file.with_extension(""),
        _ => file.to_owned(),
    }
}

fn rows(store: &Store, by: Option<By>, query: &Query) -> Result<Vec<Row>> {
    let grouping = match by {
        None => Grouping::None,
        Some(By::Year) => Grouping::Year,
        Some(By::Month) => Grouping::Month,
        Some(By::Folder) => Grouping::Folder,
        Some(By::Place) => Grouping::Place,
        Some(By::Camera) => Grouping::Camera,
        Some(By::Person) => Grouping::Person,
    };
    let gazetteer = match by {
        Some(By::Place) => Some(Gazetteer::get()),
        _ => None,
    };
    // Cells of the same city are merged.
    let mut rows: BTreeMap<(bool, String), Row> = BTreeMap::new();
    for tally in store.tally(grouping, query)? {
        let is_unknown = tally.group == Group::Unknown;
        let name = name(&tally.group, gazetteer);
        let row = rows.entry((is_unknown, name.clone())).or_insert(Row {
            name,
            photos: 0,
            faces: [0; Emotion::COUNT],
        });
        row.photos += tally.photos;
        for (sum, count) in row.faces.iter_mut().zip(tally.faces) {
            *sum += count;
        }
    }
    Ok(rows.into_values().collect())
}

fn name(group: &Group, gazetteer: Option<&Gazetteer>) -> String {
    match group {
        Group::All => "all".to_owned(),
        Group::Year(year) => format!("{year:04}"),
        Group::Month(year, month) => format!("{year:04}-{month:02}"),
        Group::Folder(folder) => folder.display().to_string(),
        Group::Place(cell, codes) => gazetteer.map_or_else(String::new, |gazetteer| {
            let country = country_in(codes);
            let city = gazetteer.city_of(cell.centre(), country);
            let code = country.or(city.as_ref().map(|city| city.country.as_str()));
            let country = code.map_or("", |code| gazetteer.country_name(code).unwrap_or(code));
            let city = city.as_ref().map(|city| format!(", {}", city.name));
            format!("{country}{}", city.unwrap_or_default())
        }),
        Group::Camera(name) | Group::Person(name) => name.clone(),
        Group::Unknown => "unknown".to_owned(),
    }
}

fn label(by: Option<By>) -> &'static str {
    match by {
        None => "",
        Some(By::Year) => "year",
        Some(By::Month) => "month",
        Some(By::Folder) => "folder",
        Some(By::Place) => "place",
        Some(By::Camera) => "camera",
        Some(By::Person) => "person",
    }
}

fn table(rows: &[Row], by: Option<By>, out: &mut Stdout) -> Result<()> {
    let mut table = Table::new();
    let emotions = Emotion::ALL.map(Emotion::name);
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([label(by), "photos", "faces"].into_iter().chain(emotions));
    for row in rows {
        let shares = Emotion::ALL.map(|emotion| {
            let count = row.faces[emotion.index()];
            format!("{count} ({:.0} %)", 100.0 * row.share(emotion))
        });
        let counts = [row.photos.to_string(), row.total().to_string()];
        table.add_row([row.name.clone()].into_iter().chain(counts).chain(shares));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().try_for_each(|line| {
        let line = line.trim_end();
        out.line(line.strip_prefix(' ').unwrap_or(line))
    })
}

fn as_json(row: &Row, by: Option<By>) -> serde_json::Value {
    let each = |value: &dyn Fn(Emotion) -> serde_json::Value| -> serde_json::Value {
        Emotion::ALL
            .iter()
            .map(|emotion| (emotion.name().to_owned(), value(*emotion)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut value = json!({
        "photos": row.photos,
        "faces": row.total(),
        "counts": each(&|emotion| row.faces[emotion.index()].into()),
        "shares": each(&|emotion| row.share(emotion).into()),
    });
    if by.is_some() {
        value[label(by)] = row.name.clone().into();
    }
    value
}
