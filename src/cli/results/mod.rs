//! Outputs the photos that a search found: prints them, links or copies them into a folder, writes a contact sheet.

mod preview;
mod table;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::slice::from_ref;

use clap::{Args, ValueEnum};

use super::context::Context;
use super::force::ForceArgs;
use super::json::{JsonHit, date, date_source};
use super::stdout::Stdout;
use crate::error::Result;
use crate::export::{self, Placement};
use crate::store::{Hit, Store};

pub(super) use table::table;

use preview::Preview;

#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct ResultArgs {
    /// The output format [default: table on a terminal, otherwise paths]
    #[arg(long, short, value_enum)]
    format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with_all = ["format", "null", "count"])]
    json: bool,
    /// Print paths, each followed by a zero byte, for xargs -0
    #[arg(long = "null", short = '0', conflicts_with_all = ["format", "explain"])]
    null: bool,
    /// Add the box and the scores of every face to the table
    #[arg(long)]
    explain: bool,
    /// Show the photos in the table, on a terminal that supports kitty's, iTerm2's or the SIXEL protocol
    #[arg(long, conflicts_with = "null")]
    preview: bool,
    /// Fill this folder with numbered links to the photos; replaces the links of an earlier run and keeps
    /// everything else
    #[arg(long, value_name = "DIR", conflicts_with = "copy_into")]
    link_into: Option<PathBuf>,
    /// Fill this folder with numbered copies of the photos; replaces the copies of an earlier run and keeps
    /// everything else
    #[arg(long, value_name = "DIR")]
    copy_into: Option<PathBuf>,
    /// Write the photos on one page, with a frame and a label for each face: .html, or .png
    #[arg(long, value_name = "FILE")]
    contact_sheet: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns
    Table,
    /// One JSON array
    Json,
    /// One JSON object per line
    Jsonl,
    /// A header, then one row per photo
    Csv,
    /// One path per line
    Paths,
}

/// The hits, each with a path at which its photo exists. If the file was moved or deleted since the index was updated,
/// the path is that of another copy.
fn at_existing_paths<'h>(hits: &'h [Hit], store: &Store) -> Result<Cow<'h, [Hit]>> {
    let mut found = Cow::Borrowed(hits);
    for (index, hit) in hits.iter().enumerate() {
        if is_gone(hit)
            && let Some(photo) = store.photo(hit.photo)?
            && let Some(path) = photo.paths.into_iter().find(|path| path.exists())
        {
            found.to_mut()[index].path = path;
        }
    }
    Ok(found)
}

/// Whether no file exists at the path of a hit.
fn is_gone(hit: &Hit) -> bool {
    !hit.path.try_exists().unwrap_or(true)
}

/// The paths of photos that can be linked or copied, since one without a file must not prevent the others from that. A link
/// may also lead to a disk that is not there, where it leads to the photo again once the disk is back.
fn paths_to_place<'h>(
    hits: &'h [Hit],
    placement: Placement,
    store: &Store,
) -> Result<Vec<&'h Path>> {
    let gone = hits.iter().filter(|hit| is_gone(hit));
    let gone: Vec<&Path> = gone.map(|hit| hit.path.as_path()).collect();
    let absent = store.on_absent_disks(&gone)?;
    let gone: HashSet<&Path> = gone.into_iter().collect();
    let mut placed = Vec::new();
    for path in hits.iter().map(|hit| hit.path.as_path()) {
        let why = match (gone.contains(path), absent.contains(path)) {
            (true, true) if placement == Placement::Copied => "its disk is not there",
            (true, false) => "it is no longer there; run fer-index index to update the index",
            _ => {
                placed.push(path);
                continue;
            }
        };
        tracing::warn!("{} is left out, because {why}", path.display());
    }
    Ok(placed)
}

impl ResultArgs {
    /// Writes all outputs that the flags name.
    pub fn present(
        &self,
        hits: &[Hit],
        store: &Store,
        context: &Context,
        out: &mut Stdout,
    ) -> Result<()> {
        let opens = self.contact_sheet.is_some() || self.preview;
        let placement = match (&self.link_into, &self.copy_into) {
            (Some(_), _) => Some(Placement::Linked),
            (None, Some(_)) => Some(Placement::Copied),
            (None, None) => None,
        };
        let hits = if opens || placement.is_some() {
            at_existing_paths(hits, store)?
        } else {
            Cow::Borrowed(hits)
        };
        let paths: Vec<_> = match placement {
            Some(placement) => paths_to_place(&hits, placement, store)?,
            None => hits.iter().map(|hit| hit.path.as_path()).collect(),
        };
        let rule = self.force.rule(context, paths.iter().map(PathBuf::from));
        if let Some(file) = &self.contact_sheet {
            // Checked before a folder is filled: if one output is refused, nothing is written.
            rule.is_in_the_way(file)?;
        }
        let force = self.force.force;
        if let Some(folder) = &self.link_into {
            export::fill_folder(folder, &paths, Placement::Linked, force, store)?;
        }
        if let Some(folder) = &self.copy_into {
            export::fill_folder(folder, &paths, Placement::Copied, force, store)?;
        }
        if let Some(file) = &self.contact_sheet {
            rule.around(from_ref(file), || {
                export::contact_sheet(file, &hits, &context.decoder()?)
            })?;
        }
        self.print(&hits, context, out)
    }

    fn print(&self, hits: &[Hit], context: &Context, out: &mut Stdout) -> Result<()> {
        if self.null {
            return hits
                .iter()
                .try_for_each(|hit| out.path_and(&hit.path, b'\0'));
        }
        let default = if Stdout::is_terminal() || self.explain {
            Format::Table
        } else {
            Format::Paths
        };
        let asked = if self.json {
            Some(Format::Json)
        } else {
            self.format
        };
        match asked.unwrap_or(default) {
            Format::Table if hits.is_empty() => Ok(()),
            Format::Table => {
                let preview = if self.preview {
                    Preview::new(context.decoder()?)
                } else {
                    None
                };
                table::with(hits, self.explain, preview.as_ref(), out)
            }
            Format::Json => out.json_array(hits.iter().map(JsonHit::of)),
            Format::Jsonl => hits.iter().try_for_each(|hit| out.json(&JsonHit::of(hit))),
            Format::Csv => csv(hits, out),
            Format::Paths => hits.iter().try_for_each(|hit| out.path(&hit.path)),
        }
    }
}

fn csv(hits: &[Hit], out: &mut Stdout) -> Result<()> {
    out.with(|stdout| {
        let mut writer = csv::Writer::from_writer(stdout);
        writer.write_record([
            "path",
            "score",
            "emotion",
            "taken_at",
            "width",
            "height",
            "faces",
            "taken_at_source",
        ])?;
        for hit in hits {
            let taken_at = hit.analysis.capture.taken_at.as_ref();
            let source = taken_at.map_or("", date_source);
            let taken_at = taken_at.map(date);
            let score = hit.ranked_by.map(|by| by.score.to_string());
            let emotion = hit.ranked_by.map_or("", |by| by.emotion.name());
            writer.write_record([
                hit.path.as_os_str().as_encoded_bytes(),
                score.unwrap_or_default().as_bytes(),
                emotion.as_bytes(),
                taken_at.unwrap_or_default().as_bytes(),
                hit.analysis.width.to_string().as_bytes(),
                hit.analysis.height.to_string().as_bytes(),
                hit.analysis.faces.len().to_string().as_bytes(),
                source.as_bytes(),
            ])?;
        }
        writer.flush()
    })
}
