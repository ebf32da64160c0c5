//! Decides which source of a photo counts for each fact. `docs/formats.md` has the order of the sources as a table.

use std::path::Path;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use super::{Block, Stated, Statements, boilerplate};
use crate::photo::{Capture, FactSources, GeoPoint, Source};
use taken_at::taken_at;

mod taken_at;

/// All sources of one photo.
#[derive(Debug, Clone, Copy)]
pub struct SourcesOfPhoto<'a> {
    /// What its content says.
    pub content: &'a Statements,
    /// What its sidecars say, in the order in which they count.
    pub sidecars: &'a [Statements],
    /// Its files.
    pub files: &'a [FileOfPhoto<'a>],
}

/// A file of a photo.
#[derive(Debug, Clone, Copy)]
pub struct FileOfPhoto<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Its modification time; `None` if it is outside of the calendar.
    pub modified: Option<SystemTime>,
}

/// The facts of a photo by its content alone.
pub fn of_content(content: &Statements) -> Capture {
    let sources = SourcesOfPhoto {
        content,
        sidecars: &[],
        files: &[],
    };
    resolve(&sources, &|_| TimeZone::system())
}

/// The facts of a photo, each by the source that counts. `zone_at` returns the time zone of a position, or of an
/// unknown one, by which an instant becomes a local time.
pub fn resolve(
    sources: &SourcesOfPhoto<'_>,
    zone_at: &dyn Fn(Option<GeoPoint>) -> TimeZone,
) -> Capture {
    let mut from = FactSources::default();
    let position = effective_statement(
        sources,
        |statements| &statements.positions,
        &[Block::Exif, Block::Xmp],
        true,
    );
    let position = value_noting_source(position, &mut from.position).copied();
    let camera = effective_statement(
        sources,
        |statements| &statements.cameras,
        &[Block::Exif, Block::Xmp],
        false,
    );
    let lens = effective_statement(
        sources,
        |statements| &statements.lenses,
        &[Block::Exif, Block::Xmp],
        false,
    );
    let title = effective_statement(
        sources,
        |statements| &statements.titles,
        &[Block::Xmp, Block::Iptc, Block::Windows, Block::Png],
        true,
    );
    let of_camera = |text: &String| {
        boilerplate::is_of_camera(text)
            || camera.is_some_and(|(camera, _)| boilerplate::is_of_this_camera(text, camera))
    };
    let description = effective_statement_that(
        &|text| !of_camera(text),
        sources,
        |statements| &statements.descriptions,
        &[
            Block::Exif,
            Block::Xmp,
            Block::Iptc,
            Block::Windows,
            Block::Comment,
            Block::Jpeg,
            Block::Png,
        ],
        true,
    );
    let rating = effective_statement(
        sources,
        |statements| &statements.ratings,
        &[Block::Xmp, Block::Windows],
        true,
    );
    let mut keywords: Vec<String> = Vec::new();
    for (keyword, source) in all_statements(sources, |statements| &statements.keywords) {
        if !keywords.contains(keyword) {
            keywords.push(keyword.clone());
        }
        if !from.keywords.contains(&source) {
            from.keywords.push(source);
        }
    }
    Capture {
        taken_at: taken_at(sources, position, zone_at),
        position,
        camera: value_noting_source(camera, &mut from.camera).cloned(),
        lens: value_noting_source(lens, &mut from.lens).cloned(),
        title: value_noting_source(title, &mut from.title).cloned(),
        description: value_noting_source(description, &mut from.description).cloned(),
        rating: value_noting_source(rating, &mut from.rating).copied(),
        keywords,
        sources: from,
    }
}

/// The value of a fact by the source that counts, which is stored in `from`.
fn value_noting_source<'a, T>(
    found: Option<(&'a T, Source)>,
    from: &mut Option<Source>,
) -> Option<&'a T> {
    *from = found.map(|(_, source)| source);
    found.map(|(value, _)| value)
}

/// The statements on a fact of all sources, the content first.
fn all_statements<'a, T: 'a>(
    sources: &SourcesOfPhoto<'a>,
    of: impl Fn(&'a Statements) -> &'a Vec<Stated<T>> + 'a,
) -> impl Iterator<Item = (&'a T, Source)> {
    let content = [(sources.content, false)].into_iter();
    let sidecars = sources.sidecars.iter().map(|statements| (statements, true));
    content
        .chain(sidecars)
        .flat_map(move |(statements, is_sidecar)| {
            let stated = of(statements).iter();
            stated.map(move |stated| (&stated.value, source_of_block(stated.by, is_sidecar)))
        })
}

/// The statement on a fact that counts. If `is_set_by_people`, a sidecar comes first: it was written after the file, by
/// a program that a person used and that writes sidecars instead of changing files. A sidecar that repeats the XMP in
/// the file does not come first: it may be a copy, and EXIF may be newer than both. In the content, the parts of the
/// file count in the order of `blocks`. A `.picasa.ini` comes after the content, and Takeout comes last, since it is a
/// copy of a copy.
fn effective_statement<'a, T: PartialEq + 'a>(
    sources: &SourcesOfPhoto<'a>,
    of: impl Fn(&'a Statements) -> &'a Vec<Stated<T>>,
    blocks: &[Block],
    is_set_by_people: bool,
) -> Option<(&'a T, Source)> {
    effective_statement_that(&|_| true, sources, of, blocks, is_set_by_people)
}

/// [`effective_statement`] without the values that say nothing of the photo.
fn effective_statement_that<'a, T: PartialEq + 'a>(
    says_something: &dyn Fn(&T) -> bool,
    sources: &SourcesOfPhoto<'a>,
    of: impl Fn(&'a Statements) -> &'a Vec<Stated<T>>,
    blocks: &[Block],
    is_set_by_people: bool,
) -> Option<(&'a T, Source)> {
    let repeats = |value: &T| {
        let mut stated = of(sources.content).iter();
        stated.any(|stated| stated.by == Block::Xmp && stated.value == *value)
    };
    let in_sidecars = |wanted: &dyn Fn(Block) -> bool| {
        let of_each = sources.sidecars.iter().filter_map(|statements| {
            let mut stated = of(statements).iter();
            stated.find(|stated| wanted(stated.by) && says_something(&stated.value))
        });
        let mut own = of_each.filter(|stated| !(is_set_by_people && repeats(&stated.value)));
        own.next()
            .map(|stated| (&stated.value, source_of_block(stated.by, true)))
    };
    let in_content = || {
        let stated = of(sources.content).iter();
        let mut stated = stated.filter(|stated| says_something(&stated.value));
        let by = |block: &Block| stated.clone().find(|stated| stated.by == *block);
        let found = blocks.iter().find_map(by).or_else(|| stated.next());
        found.map(|stated| (&stated.value, source_of_block(stated.by, false)))
    };
    let sidecar = in_sidecars(&|by| !matches!(by, Block::Picasa | Block::Takeout));
    let found = if is_set_by_people {
        sidecar.or_else(in_content)
    } else {
        in_content().or(sidecar)
    };
    found
        .or_else(|| in_sidecars(&|by| by == Block::Picasa))
        .or_else(|| in_sidecars(&|by| by == Block::Takeout))
}

fn source_of_block(by: Block, in_sidecar: bool) -> Source {
    match by {
        Block::Takeout => Source::Takeout,
        Block::Picasa => Source::Picasa,
        _ if in_sidecar => Source::Sidecar,
        Block::Exif | Block::Comment => Source::Exif,
        Block::Xmp => Source::Xmp,
        Block::Iptc => Source::Iptc,
        Block::Windows => Source::Windows,
        Block::Jpeg => Source::Jpeg,
        Block::Png => Source::Png,
    }
}

#[cfg(test)]
mod tests;
