//! Prints photos as a table of aligned columns.

use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use super::super::classify::percentages;
use super::super::stdout::Stdout;
use super::preview::Preview;
use crate::error::Result;
use crate::file;
use crate::photo::{DateSource, Precision, TakenAt};
use crate::store::Hit;

/// Prints photos. On a terminal, paths are shortened to its width and are hyperlinks if it supports them.
pub(in super::super) fn table(hits: &[Hit], out: &mut Stdout) -> Result<()> {
    with(hits, false, None, out)
}

/// The same; with `explain` also every face, and with `preview` a picture below each photo.
pub(super) fn with(
    hits: &[Hit],
    explain: bool,
    preview: Option<&Preview>,
    out: &mut Stdout,
) -> Result<()> {
    let (head, rows) = lines(hits);
    out.line(head)?;
    for (hit, row) in hits.iter().zip(rows) {
        out.line(row.text(&hit.path))?;
        if explain {
            faces(hit, out)?;
        }
        if let Some(preview) = preview {
            preview.show(&hit.path, out)?;
        }
    }
    Ok(())
}

fn faces(hit: &Hit, out: &mut Stdout) -> Result<()> {
    let people = &hit.analysis.people;
    for face in &hit.analysis.faces {
        let person = people.iter().find(|person| person.face == Some(face.id));
        out.line(format_args!(
            "    face {}{} at {}, detection score {:.2}{}: {}",
            face.id,
            person
                .map(|person| format!(" ({})", person.name))
                .unwrap_or_default(),
            face.face.bounding_box,
            face.face.score,
            face.correction
                .map(|correction| format!(", corrected to {}", correction.name()))
                .unwrap_or_default(),
            percentages(&face.scores),
        ))?;
    }
    for person in people {
        let is_shown = hit
            .analysis
            .faces
            .iter()
            .any(|face| person.face == Some(face.id));
        if !is_shown {
            out.line(format_args!("    {}, on none of these faces", person.name))?;
        }
    }
    Ok(())
}

/// A row: the columns before the path, and as much of the path as fits.
struct Row {
    before: String,
    path: String,
}

impl Row {
    fn text(&self, path: &Path) -> String {
        let links = supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
        if links && Stdout::is_terminal() {
            let (url, shown) = (file::url(path), &self.path);
            format!("{}\x1b]8;;{url}\x1b\\{shown}\x1b]8;;\x1b\\", self.before)
        } else {
            format!("{}{}", self.before, self.path)
        }
    }
}

fn lines(hits: &[Hit]) -> (String, Vec<Row>) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["score", "emotion", "taken", "faces", ""]);
    for hit in hits {
        let taken = hit.analysis.capture.taken_at;
        let score = hit.ranked_by.map(|by| format!("{:.1} %", 100.0 * by.score));
        let emotion = hit.ranked_by.map_or("", |by| by.emotion.name());
        table.add_row([
            score.unwrap_or_default(),
            emotion.to_owned(),
            taken.as_ref().map(day).unwrap_or_default(),
            hit.analysis.faces.len().to_string(),
            String::new(),
        ]);
    }
    for column in [0, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let width = Stdout::is_terminal().then(|| table.width()).flatten();
    let text = table.trim_fmt();
    let mut lines = text.lines();
    let padded = |line: &str, full: usize| {
        let blank = full.saturating_sub(line.width());
        format!("{line}{}  ", " ".repeat(blank))
    };
    let full = text
        .lines()
        .map(UnicodeWidthStr::width)
        .max()
        .unwrap_or_default();
    let head = format!("{}path", padded(lines.next().unwrap_or_default(), full));
    let rows = lines.zip(hits).map(|(line, hit)| {
        let before = padded(line, full);
        let room = width.map_or(usize::MAX, |width| {
            usize::from(width).saturating_sub(before.width())
        });
        Row {
            path: end_of(&printable(&hit.path), room),
            before,
        }
    });
    (head, rows.collect())
}

/// The day of a photo, or its month or year if only that is known; marked if it is the file's date, because the photo
/// has no date of its own.
fn day(taken: &TakenAt) -> String {
    let mark = match taken.source {
        DateSource::FileTime => " (file)",
        _ => "",
    };
    let day = taken.local.date();
    let day = match taken.precision {
        Precision::Second | Precision::Day => day.to_string(),
        Precision::Month => day.strftime("%Y-%m").to_string(),
        Precision::Year => day.strftime("%Y").to_string(),
    };
    format!("{day}{mark}")
}

/// A path without control characters, which a terminal would interpret.
fn printable(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The last `room` columns of a text, since the ends of paths differ most.
fn end_of(text: &str, room: usize) -> String {
    if text.width() <= room || room < 8 {
        return text.to_owned();
    }
    let start = text
        .char_indices()
        .map(|(index, _)| index)
        .find(|index| text[*index..].width() < room)
        .unwrap_or_default();
    format!("…{}", &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_are_cut_at_the_start() {
        assert_eq!(end_of("/home/ada/beach.jpg", 80), "/home/ada/beach.jpg");
        assert_eq!(end_of("/home/ada/beach.jpg", 10), "…beach.jpg");
        let wide = end_of("/写真/海/一二三.jpg", 12);
        assert!(
            (11..=12).contains(&wide.width()) && wide.ends_with("一二三.jpg"),
            "{wide}"
        );
    }

    #[test]
    fn control_characters_in_names_are_replaced() {
        assert_eq!(
            printable(Path::new("/a\x1b[31m\n.jpg")),
            "/a\u{fffd}[31m\u{fffd}.jpg"
        );
    }
}
