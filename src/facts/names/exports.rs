//! The names of folders into which the exports of services are unpacked. They hold the day on which somebody asked for the
//! export, which says nothing of the photos in it.

/// Whether a folder has the name of such an export.
pub(super) fn is_export(name: &str) -> bool {
    is_of_google(name) || is_of_meta(name) || is_of_telegram(name)
}

/// Google: `takeout-20240501T120000Z-001`, `takeout-20240501T120000Z-1-001`.
fn is_of_google(name: &str) -> bool {
    let Some(moment) = without_start(name, "takeout-") else {
        return false;
    };
    has_form(moment, "00000000T000000Z")
}

/// Facebook, Instagram and Twitter: `instagram-ada-2024-05-01-xYz123`, `twitter-2024-05-01-0a1b2c`. After the day there is
/// a code of the export.
fn is_of_meta(name: &str) -> bool {
    let services = ["facebook-", "instagram-", "twitter-"];
    let Some(rest) = services
        .iter()
        .find_map(|service| without_start(name, service))
    else {
        return false;
    };
    let starts = rest.match_indices('-').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(starts)
        .any(|at| has_form(&rest[at..], "0000-00-00-") && rest.get(at + 11..).is_some_and(is_code))
}

/// Whether a text is a code of random digits and letters, and no word, perhaps with the number of a copy: `xYz123 (1)`.
fn is_code(text: &str) -> bool {
    let copy = text
        .strip_suffix(')')
        .and_then(|text| text.split_once(" ("));
    let text = copy.map_or(text, |(text, _)| text);
    let is_odd = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
    text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && text.chars().skip(1).any(is_odd)
}

/// Telegram: `ChatExport_2024-05-01`, `DataExport_2024-05-01 (1)`.
fn is_of_telegram(name: &str) -> bool {
    let day = without_start(name, "ChatExport_").or_else(|| without_start(name, "DataExport_"));
    day.is_some_and(|day| has_form(day, "0000-00-00"))
}

/// The text after a beginning, whose case is ignored.
fn without_start<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (own, rest) = text.split_at_checked(start.len())?;
    own.eq_ignore_ascii_case(start).then_some(rest)
}

/// Whether a text begins with this form, in which 0 is any digit.
fn has_form(text: &str, form: &str) -> bool {
    text.len() >= form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(own, form)| match form {
                b'0' => own.is_ascii_digit(),
                other => own == other,
            })
}
