//! Corrects the dates of photos whose camera's clock was wrong.

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::{Moment, StatedDate, Statements};
use crate::photo::DateSource;

/// Corrects a camera's clock by `seconds`: moves all local times that come from it, in the statements of a photo's
/// content and of its sidecars.
///
/// These are the dates in EXIF, and dates elsewhere that equal one of them, since programs copy them. If EXIF has none,
/// they are those in XMP. A date that differs was set by a person, and stays.
pub fn set_clock_forward(content: &mut Statements, sidecars: &mut [Statements], seconds: i32) {
    let shown = content.dates.iter().filter(|date| is_of_exif(date));
    let shown: Vec<DateTime> = shown.filter_map(exact_second).collect();
    let all = [content].into_iter().chain(sidecars);
    for date in all.flat_map(|statements| &mut statements.dates) {
        let is_of_camera = exact_second(date).is_some_and(|local| match date.by {
            DateSource::Xmp | DateSource::XmpDigitized if shown.is_empty() => true,
            _ => shown.contains(&local),
        });
        if let Moment::Local { local, .. } = &mut date.moment
            && is_of_camera
        {
            *local = local.saturating_add(SignedDuration::from_secs(seconds.into()));
        }
    }
}

fn is_of_exif(date: &StatedDate) -> bool {
    matches!(date.by, DateSource::Exif | DateSource::ExifDigitized)
}

/// The local time of a date that is known to the second, without its fraction.
fn exact_second(date: &StatedDate) -> Option<DateTime> {
    match date.moment {
        Moment::Local { local, .. } if date.precision.is_exact() => {
            local.with().subsec_nanosecond(0).build().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::photo::Precision;

    /// The statements of a source with these dates, each given as an hour of the same day.
    fn statements(dates: &[(i8, DateSource)]) -> Statements {
        let mut statements = Statements::default();
        for (hour, by) in dates {
            let local = date(2019, 7, 14).at(*hour, 0, 0, 250_000_000);
            let offset = None;
            statements.add_date(Moment::Local { local, offset }, Precision::Second, *by);
        }
        statements
    }

    fn hours(statements: &Statements) -> Vec<i8> {
        let dates = statements.dates.iter().filter_map(exact_second);
        dates.map(DateTime::hour).collect()
    }

    #[test]
    fn what_the_clock_showed_moves_and_what_a_person_set_stays() {
        use DateSource::{Exif, ExifDigitized, FileTime, Iptc, Xmp, XmpDigitized};
        let mut content = statements(&[(10, Exif), (11, ExifDigitized), (10, Xmp), (15, Iptc)]);
        let mut sidecars = [
            statements(&[(10, Xmp)]),
            statements(&[(12, Xmp), (11, XmpDigitized)]),
        ];
        set_clock_forward(&mut content, &mut sidecars, 3600);
        assert_eq!(hours(&content), [11, 12, 11, 15]);
        assert_eq!(hours(&sidecars[0]), [11]);
        assert_eq!(hours(&sidecars[1]), [12, 12]);

        let (mut content, mut sidecars) =
            (statements(&[(9, FileTime)]), [statements(&[(10, Xmp)])]);
        set_clock_forward(&mut content, &mut sidecars, -3600);
        assert_eq!((hours(&content), hours(&sidecars[0])), (vec![9], vec![9]));
    }
}
