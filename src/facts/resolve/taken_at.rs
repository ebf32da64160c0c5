//! Decides when a photo was taken.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::SourcesOfPhoto;
use crate::facts::{Moment, StatedDate, dates, file_times, names, offsets};
use crate::photo::{DateSource, GeoPoint, TakenAt};

/// When the photo was taken.
pub(super) fn taken_at(
    sources: &SourcesOfPhoto<'_>,
    position: Option<GeoPoint>,
    zone_at: &dyn Fn(Option<GeoPoint>) -> TimeZone,
) -> Option<TakenAt> {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let zone_of_place = || position.map(|place| zone_at(Some(place)));
    let stated = dates_in_order(sources, today, &zone_of_place);
    let date = effective_date(&stated).or_else(|| {
        let zone = zone_at(position);
        date_in_names(sources, &stated, today, &zone)
    });
    let Some(date) = date else {
        let times = sources.files.iter().filter_map(|file| file.modified);
        return file_times::date(times, today);
    };
    let (local, offset) = match date.moment {
        Moment::Local { local, offset } => {
            let local = with_fraction(&date, local, &stated);
            let offset = offset
                .or_else(|| stated_offset(local, &stated))
                .or_else(|| offsets::derived(local, &stated, None, &zone_of_place));
            (local, offset.filter(|_| date.precision.is_exact()))
        }
        Moment::Instant { utc } => {
            let zoned = utc.to_zoned_datetime(zone_at(position));
            (zoned.datetime(), Some(zoned.offset()))
        }
    };
    Some(TakenAt {
        local,
        offset,
        precision: date.precision,
        source: date.by,
    })
}

/// The dates in the content and the sidecars, in the order in which they count; implausible ones are left out.
///
/// A date that a person edited is in a sidecar, or in EXIF *and* XMP: programs that know both write both, and those
/// that know only EXIF leave XMP unchanged. So sidecars come first, unless they repeat the XMP in the file, and EXIF
/// comes before XMP, as the Metadata Working Group recommends. The date of creation comes before the date of
/// digitisation, since only the former is the date of a photo that was scanned. A sidecar also repeats the content if it
/// states the same instant in another offset, as those of iCloud in UTC: nobody has set another date, so the content's
/// own is put in its place.
fn dates_in_order(
    sources: &SourcesOfPhoto<'_>,
    today: Date,
    zone_of_place: &dyn Fn() -> Option<TimeZone>,
) -> Vec<StatedDate> {
    let content = &sources.content.dates;
    let sidecars = sources.sidecars.iter().flat_map(|statements| {
        let with_moment_of_content = statements.dates.iter().map(|date| {
            let same = same_in_content(date, content, zone_of_place);
            let moment = same.unwrap_or(date.moment);
            (StatedDate { moment, ..*date }, same.is_some())
        });
        let dates: Vec<(StatedDate, bool)> = with_moment_of_content.collect();
        let is_copy = dates
            .first()
            .is_some_and(|(first, is_same)| *is_same || content.contains(first));
        dates.into_iter().map(move |(date, _)| StatedDate {
            by: match date.by {
                // A GPS receiver's time was not set by a person, even if it was copied to a sidecar.
                by @ (DateSource::Takeout | DateSource::Gps) => by,
                by if is_copy => by,
                _ => DateSource::Sidecar,
            },
            ..date
        })
    });
    let mut all: Vec<StatedDate> = sidecars
        .chain(sources.content.dates.iter().copied())
        .collect();
    all.retain(|date| dates::is_plausible(day_of(date), today));
    // A stable sort, so that the dates of one source keep their order.
    all.sort_by_key(|date| rank(date.by));
    if let Some(edited) = date_edited_in_google_photos(&all) {
        all.insert(0, edited);
    }
    all
}

/// The moment of the exact date in the content that is the same instant as a date in a sidecar, which states another
/// offset. The offset of the content's date is its own, that of the place, or that of a GPS receiver's time; if that of
/// the place fits, the moment has the offset that follows. If none of these is known, a sidecar in UTC says the same if
/// some clock on Earth showed that time: an edit by some hours cannot be distinguished from another time zone.
fn same_in_content(
    date: &StatedDate,
    content: &[StatedDate],
    zone_of_place: &dyn Fn() -> Option<TimeZone>,
) -> Option<Moment> {
    let Moment::Local {
        local: at,
        offset: Some(offset_in_sidecar),
    } = date.moment
    else {
        return None;
    };
    let is_of_clock = !matches!(date.by, DateSource::Takeout | DateSource::Gps);
    (is_of_clock && date.precision.is_exact()).then_some(())?;
    let utc = offset_in_sidecar.to_timestamp(whole_second(at)?).ok()?;
    content.iter().find_map(|own| {
        let Moment::Local { local, offset } = own.moment else {
            return None;
        };
        let is_change = matches!(own.by, DateSource::ExifChanged | DateSource::PngChanged);
        let second = whole_second(local)?;
        // With the same local time, the sidecar moves nothing.
        if is_change || !own.precision.is_exact() || whole_second(at) == Some(second) {
            return None;
        }
        let is_same = |offset: &Offset| offset.to_timestamp(second).is_ok_and(|own| own == utc);
        if let Some(offset) = offset.or_else(|| stated_offset(local, content)) {
            return is_same(&offset).then_some(own.moment);
        }
        let zone = zone_of_place();
        let by_place = zone
            .as_ref()
            .map_or_else(Vec::new, |zone| offsets::of_place(second, zone));
        if by_place.iter().any(is_same) {
            let offset = offsets::derived(second, content, Some(utc), &|| zone.clone());
            return Some(Moment::Local { local, offset });
        }
        let by_receiver = offsets::of_receiver(second, content);
        let is_same_by_clock = match by_receiver {
            Some(offset) => is_same(&offset),
            None if zone.is_some() => false,
            None => offset_in_sidecar == Offset::UTC && offsets::may_be_same(second, utc, 0),
        };
        is_same_by_clock.then_some(own.moment)
    })
}

const fn rank(source: DateSource) -> u8 {
    match source {
        DateSource::Sidecar => 0,
        DateSource::Exif => 1,
        DateSource::Xmp => 2,
        DateSource::Iptc => 3,
        DateSource::ExifDigitized => 4,
        DateSource::XmpDigitized => 5,
        DateSource::Gps => 6,
        DateSource::Png => 7,
        DateSource::Takeout => 8,
        DateSource::FileName | DateSource::Folder => 9,
        DateSource::ExifChanged => 10,
        DateSource::PngChanged => 11,
        DateSource::FileTime => 12,
    }
}

/// The date of Takeout, if a person has set it in Google Photos. That is certain if it is the file's own date in no
/// time zone on Earth; an edit by some hours cannot be distinguished from another time zone.
fn date_edited_in_google_photos(dates: &[StatedDate]) -> Option<StatedDate> {
    let google = dates.iter().find(|date| date.by == DateSource::Takeout)?;
    let own = dates.first().filter(|own| own.precision.is_exact())?;
    let (Moment::Instant { utc }, Moment::Local { local, .. }) = (google.moment, own.moment) else {
        return None;
    };
    let is_own = offsets::may_be_same(local, utc, offsets::TOLERANCE);
    (own.by != DateSource::Sidecar && !is_own).then_some(*google)
}

/// The day of a moment, in Coordinated Universal Time if only that is known.
fn day_of(date: &StatedDate) -> Date {
    match date.moment {
        Moment::Local { local, .. } => local.date(),
        Moment::Instant { utc } => Offset::UTC.to_datetime(utc).date(),
    }
}

/// The first date that is not that of a change. If only its day, month or year is known, a later date of the list that
/// is more precise and within it is returned instead.
fn effective_date(stated: &[StatedDate]) -> Option<StatedDate> {
    let is_change =
        |date: &&StatedDate| matches!(date.by, DateSource::ExifChanged | DateSource::PngChanged);
    let mut own = stated.iter().filter(|date| !is_change(date));
    let first = own.next()?;
    Some(*own.fold(
        first,
        |best, next| if is_within(next, best) { next } else { best },
    ))
}

/// Whether a date is more precise than another one and within its day, month or year.
fn is_within(finer: &StatedDate, coarse: &StatedDate) -> bool {
    let start = day_of(coarse);
    let end = dates::end_of_period(start, coarse.precision);
    let day = day_of(finer);
    finer.precision < coarse.precision && start <= day && end.is_some_and(|end| day < end)
}

/// The date in the name of a file, or else in those of its folders. Of the names of several files the earliest day counts, and its
/// most precise date, since a copy may be named by the moment at which it was made, but by none before the photo. Folders are named
/// less exactly: of theirs the most precise date counts, and of these the earliest. The first date of a change that a source states
/// is returned instead if it is within that date or before it, or if no name has a date.
fn date_in_names(
    sources: &SourcesOfPhoto<'_>,
    stated: &[StatedDate],
    today: Date,
    zone: &TimeZone,
) -> Option<StatedDate> {
    let change = stated.first().copied();
    // Names state a moment in UTC or a day by the clock there.
    let local_day = |date: &StatedDate| match date.moment {
        Moment::Local { local, .. } => local.date(),
        Moment::Instant { utc } => zone.to_datetime(utc).date(),
    };
    let paths = || sources.files.iter().map(|file| file.path);
    let of_file = paths()
        .filter_map(|path| names::date_in_file_name(path, today))
        .min_by_key(|date| (local_day(date), date.precision));
    let of_folders = || {
        paths()
            .filter_map(|path| names::date_in_folder_names(path, today))
            .min_by_key(|date| (date.precision, local_day(date)))
    };
    let Some(mut named) = of_file.or_else(of_folders) else {
        return change;
    };
    if let Some(change) = change
        && (is_within(&change, &named) || day_of(&change) < day_of(&named))
    {
        named = change;
    }
    Some(named)
}

/// A time with the longest fraction of a second that another statement of the same time has: programs that copy a date
/// drop the fraction, or the end of it.
fn with_fraction(date: &StatedDate, local: DateTime, stated: &[StatedDate]) -> DateTime {
    if !date.precision.is_exact() {
        return local;
    }
    let digits = |time: DateTime| {
        let digits = format!("{:09}", time.subsec_nanosecond());
        digits.trim_end_matches('0').to_owned()
    };
    let same = stated.iter().filter_map(|other| match other.moment {
        Moment::Local { local: at, .. } if other.precision.is_exact() => Some(at),
        _ => None,
    });
    let same = same.filter(|at| *at != local && whole_second(*at) == whole_second(local));
    // Of several equally long ones, the first in the order in which they count.
    let finest = same
        .filter(|at| digits(*at).starts_with(&digits(local)))
        .reduce(|best, next| {
            let is_finer = digits(next).len() > digits(best).len();
            if is_finer { next } else { best }
        });
    finest.unwrap_or(local)
}

/// A time without the fraction of its second.
fn whole_second(time: DateTime) -> Option<DateTime> {
    time.with().subsec_nanosecond(0).build().ok()
}

/// The offset that another statement of the same time has.
fn stated_offset(local: DateTime, stated: &[StatedDate]) -> Option<Offset> {
    stated.iter().find_map(|other| match other.moment {
        Moment::Local {
            local: at,
            offset: Some(offset),
        } if whole_second(at) == whole_second(local) => Some(offset),
        _ => None,
    })
}
