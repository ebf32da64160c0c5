//! The marks that sync programs put into the names of files and folders that were changed on two machines. They hold the
//! moment at which the machines disagreed, which says nothing of the photo.

use std::borrow::Cow;
use std::ops::Range;

/// How such marks begin: of Syncthing, and of ownCloud and earlier versions of Nextcloud. A moment follows, as in
/// `20210304-101112`, and the name of a device after or before it.
const MARKS: [&str; 2] = [".sync-conflict-", "_conflict-"];

/// How the text in brackets begins that Seafile, Nextcloud and Proton Drive write: as in `(SFConflict anna
/// 2021-03-04-10-11-12)`, `(case clash from 2021-03-04 101112)` and `(# Name clash 2021-03-04 d8tp1zC #)`.
const BEGINNINGS: [&str; 4] = [
    "(sfconflict",
    "(case clash",
    "(# name clash",
    "(# edit conflict",
];

/// Parts of the two words that are in brackets that Dropbox and Nextcloud write, Dropbox in the language of its user, as in
/// `(Anna's conflicted copy 2021-03-04)`. Whoever writes only the first may mean what a photo shows.
const COPY: [&str; 9] = [
    "copy",
    "copi",
    "cópia",
    "kopi",
    "копи",
    "コピー",
    "副本",
    "複本",
    "사본",
];
const CONFLICT: [&str; 8] = [
    "conflic",
    "conflit",
    "konflik",
    "конфл",
    "競合",
    "冲突",
    "衝突",
    "충돌",
];

/// A name without such marks.
pub(super) fn without_marks(name: &str) -> Cow<'_, str> {
    let mut rest = Cow::Borrowed(name);
    while let Some(mark) = mark(&rest).or_else(|| bracket(&rest)) {
        rest.to_mut().replace_range(mark, "");
    }
    rest
}

fn mark(name: &str) -> Option<Range<usize>> {
    MARKS.iter().find_map(|mark| {
        name.match_indices(mark).find_map(|(start, _)| {
            let text = &name[start + mark.len()..];
            let length = text
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(text.len());
            has_moment(&text[..length]).then_some(start..start + mark.len() + length)
        })
    })
}

/// Whether a text has a day and a time as in `20210304-101112`.
fn has_moment(text: &str) -> bool {
    let is_number = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let next = text.split('-').skip(1);
    text.split('-')
        .zip(next)
        .any(|(day, time)| is_number(day, 8) && is_number(time, 6))
}

/// The innermost brackets that are such a mark.
fn bracket(name: &str) -> Option<Range<usize>> {
    name.rmatch_indices('(').find_map(|(start, _)| {
        let end = closing(name, start)?;
        let text = name[start..end].to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let is_mark = BEGINNINGS
            .iter()
            .any(|beginning| text.starts_with(beginning))
            || has(&CONFLICT) && has(&COPY);
        is_mark.then_some(start..end)
    })
}

/// Where the bracket that opens at `start` is closed: the offset after that.
fn closing(name: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    name[start..].char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(start + at + c.len_utf8())
    })
}
