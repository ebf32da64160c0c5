//! The statements of one source on a photo, and how they are stored.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::photo::{Capture, DateSource, GeoPoint, Precision};

use super::boilerplate;

/// The version of the metadata readers, to be raised when they find more. Metadata that an older version read are read
/// again, without a new analysis of the pictures.
pub const VERSION: u32 = 8;

/// Longest name, title or keyword, in bytes; a longer keyword or name is left out, a longer title is cut.
const MAX_NAME_BYTES: usize = 256;

/// Longest description, in bytes; a longer one is cut.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// Most keywords of one source, and most people; further ones are left out.
const MAX_KEYWORDS: usize = 1000;

/// Most statements of one source on any other fact.
const MAX_STATEMENTS_OF_A_FACT: usize = 16;

/// What one source says of a photo: the content of a file, or one sidecar. It is stored as JSON.
///
/// A source may state a fact several times, as in EXIF and in XMP. All texts are without line breaks and
/// control characters, and none is blank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statements {
    /// The version of the reader that read it, [`VERSION`].
    pub version: u32,
    /// When it was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<StatedDate>,
    /// Where it was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<Stated<GeoPoint>>,
    /// Maker and model of the camera.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cameras: Vec<Stated<String>>,
    /// Model of the lens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lenses: Vec<Stated<String>>,
    /// Title.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<Stated<String>>,
    /// Description, also called caption or comment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<Stated<String>>,
    /// Keywords, each once. The levels of a hierarchical one are separated by `|`, the topmost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<Stated<String>>,
    /// Rating: 1 to 5, 0 for none, −1 for a photo that was rejected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ratings: Vec<Stated<i8>>,
    /// The people whom somebody has named in the photo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonStatement>,
}

impl Default for Statements {
    fn default() -> Self {
        Self {
            version: VERSION,
            dates: Vec::new(),
            positions: Vec::new(),
            cameras: Vec::new(),
            lenses: Vec::new(),
            titles: Vec::new(),
            descriptions: Vec::new(),
            keywords: Vec::new(),
            ratings: Vec::new(),
            people: Vec::new(),
        }
    }
}

/// The part of a file in which a fact is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// EXIF.
    Exif,
    /// XMP.
    Xmp,
    /// IPTC-IIM.
    Iptc,
    /// The tags of the Windows Explorer within EXIF.
    Windows,
    /// A text chunk or the time chunk of a PNG.
    Png,
    /// The comment of EXIF, `UserComment`.
    Comment,
    /// A comment of a JPEG.
    Jpeg,
    /// The JSON of Google Takeout.
    Takeout,
    /// A file `.picasa.ini`.
    Picasa,
}

/// A value, and where it is stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Where it is stated.
    pub by: Block,
}

/// A date at which the photo may have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StatedDate {
    /// The moment. If only the day, month or year is known, it is the beginning of that.
    #[serde(flatten)]
    pub moment: Moment,
    /// How precisely it is known.
    #[serde(default, skip_serializing_if = "Precision::is_exact")]
    pub precision: Precision,
    /// What states it.
    pub by: DateSource,
}

/// A moment, in local time or in Coordinated Universal Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Local time at the place of the photo.
    Local {
        /// What the clock showed.
        local: DateTime,
        /// Its offset from UTC in seconds, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "seconds")]
        offset: Option<Offset>,
    },
    /// An instant whose local time is not stated.
    Instant {
        /// The instant.
        utc: Timestamp,
    },
}

/// A person whom somebody has named in a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonStatement {
    /// The name as it is written.
    pub name: String,
    /// The region of the picture; `None` if only the name is stated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<RegionStatement>,
    /// Where it is stated.
    pub by: Block,
}

/// The part of a picture that shows a person, as shares of its width and height; in pixels if it is of the kind
/// [`RegionKind::IptcPixels`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegionStatement {
    /// Left edge, 0 to 1.
    pub x: f32,
    /// Upper edge, 0 to 1.
    pub y: f32,
    /// Width, 0 to 1.
    pub width: f32,
    /// Height, 0 to 1.
    pub height: f32,
    /// The convention by which it was written.
    pub kind: RegionKind,
    /// The size of the picture to which it applies, where that is stated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub applied_to: Option<AppliedTo>,
}

/// Width and height in pixels of the picture to which a region applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedTo {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// The conventions by which programs write regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionKind {
    /// The Metadata Working Group's `mwg-rs:Regions`.
    Mwg,
    /// Microsoft's `MP:RegionInfo`.
    Microsoft,
    /// The IPTC's `Iptc4xmpExt:ImageRegion`.
    Iptc,
    /// The same, in pixels instead of shares of the picture.
    #[serde(rename = "iptc_pixels")]
    IptcPixels,
    /// Picasa's `rect64` in `.picasa.ini`.
    Picasa,
    /// The same for a raw file, where it refers to the upright picture.
    #[serde(rename = "picasa_raw")]
    PicasaRaw,
}

impl Statements {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a date.
    pub fn add_date(&mut self, moment: Moment, precision: Precision, by: DateSource) {
        let stated = StatedDate {
            moment,
            precision,
            by,
        };
        if self.dates.len() < MAX_STATEMENTS_OF_A_FACT {
            self.dates.push(stated);
        }
    }

    /// Adds a position, unless it is invalid. Exactly 0°, 0° comes from a receiver without a fix, not from a boat in
    /// the Gulf of Guinea.
    pub fn add_position(&mut self, at: GeoPoint, by: Block) {
        let is_plausible = (at.latitude != 0.0 || at.longitude != 0.0)
            && (-90.0..=90.0).contains(&at.latitude)
            && (-180.0..=180.0).contains(&at.longitude);
        if is_plausible && self.positions.len() < MAX_STATEMENTS_OF_A_FACT {
            self.positions.push(Stated { value: at, by });
        }
    }

    /// Adds the name of a camera.
    pub fn add_camera(&mut self, name: &str, by: Block) {
        add_text(&mut self.cameras, name, MAX_NAME_BYTES, by);
    }

    /// Adds the name of a lens.
    pub fn add_lens(&mut self, name: &str, by: Block) {
        add_text(&mut self.lenses, name, MAX_NAME_BYTES, by);
    }

    /// Adds a title.
    pub fn add_title(&mut self, text: &str, by: Block) {
        add_text(&mut self.titles, text, MAX_NAME_BYTES, by);
    }

    /// Adds a description, unless it is a text that a camera writes into every photo.
    pub fn add_description(&mut self, text: &str, by: Block) {
        if !boilerplate::is_of_camera(text.trim()) {
            add_text(&mut self.descriptions, text, MAX_TEXT_BYTES, by);
        }
    }

    /// Adds the comment of a JPEG as a description, unless it only names the program that wrote it, or is no text.
    pub fn add_comment(&mut self, text: &str) {
        let text = text.trim_matches(['\0', ' ', '\n', '\r', '\t']);
        let is_text = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
        if is_text && !boilerplate::is_of_program(text) {
            self.add_description(text, Block::Jpeg);
        }
    }

    /// Adds a keyword, or the levels of a hierarchical one separated by `|`, unless the list has it already.
    pub fn add_keyword(&mut self, text: &str, by: Block) {
        let value = one_line(text);
        let is_new = !self.keywords.iter().any(|known| known.value == value);
        let is_valid = !value.is_empty() && value.len() <= MAX_NAME_BYTES;
        if is_new && is_valid && self.keywords.len() < MAX_KEYWORDS {
            self.keywords.push(Stated { value, by });
        }
    }

    /// Adds a rating; one outside of −1 to 5 is left out.
    pub fn add_rating(&mut self, stars: i8, by: Block) {
        if (-1..=5).contains(&stars) && self.ratings.len() < MAX_STATEMENTS_OF_A_FACT {
            self.ratings.push(Stated { value: stars, by });
        }
    }

    /// Adds a person. A region outside the picture is left out.
    pub fn add_person(&mut self, name: &str, region: Option<RegionStatement>, by: Block) {
        let name = one_line(name);
        let is_valid = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
        let region = region.filter(RegionStatement::is_within_the_picture);
        let stated = PersonStatement { name, region, by };
        if is_valid && self.people.len() < MAX_KEYWORDS && !self.people.contains(&stated) {
            self.people.push(stated);
        }
    }

    /// Adds everything that another source states; the same version of the reader must have read both.
    pub fn extend(&mut self, other: Self) {
        let keywords = other.keywords.into_iter();
        keywords.for_each(|keyword| self.add_keyword(&keyword.value, keyword.by));
        self.dates.extend(other.dates);
        self.positions.extend(other.positions);
        self.cameras.extend(other.cameras);
        self.lenses.extend(other.lenses);
        self.titles.extend(other.titles);
        self.descriptions.extend(other.descriptions);
        self.ratings.extend(other.ratings);
        self.people.extend(other.people);
        self.people.truncate(MAX_KEYWORDS);
    }

    /// The statements as the database stores them.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// The inverse of [`Statements::to_json`]. A text that is not of this form states nothing.
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

impl From<&Capture> for Statements {
    /// The statements of a content with these facts, as far as EXIF and XMP can state them.
    fn from(capture: &Capture) -> Self {
        let mut statements = Self::default();
        if let Some(taken) = capture.taken_at.filter(|taken| taken.source.is_exif()) {
            let (local, offset) = (taken.local, taken.offset);
            statements.add_date(
                Moment::Local { local, offset },
                taken.precision,
                taken.source,
            );
        }
        if let Some(at) = capture.position {
            statements.add_position(at, Block::Exif);
        }
        if let Some(camera) = &capture.camera {
            statements.add_camera(camera, Block::Exif);
        }
        if let Some(lens) = &capture.lens {
            statements.add_lens(lens, Block::Exif);
        }
        if let Some(title) = &capture.title {
            statements.add_title(title, Block::Xmp);
        }
        if let Some(text) = &capture.description {
            statements.add_description(text, Block::Exif);
        }
        for keyword in &capture.keywords {
            statements.add_keyword(keyword, Block::Xmp);
        }
        statements
            .ratings
            .extend(capture.rating.map(|value| Stated {
                value,
                by: Block::Xmp,
            }));
        statements
    }
}

impl RegionStatement {
    fn is_within_the_picture(&self) -> bool {
        if self.kind == RegionKind::IptcPixels {
            // The picture's size is unknown here, so only the order of magnitude is checked.
            let is_sound = |length: f32| (0.0..1e6).contains(&length);
            return self.width > 0.0
                && self.height > 0.0
                && [self.x, self.y, self.width, self.height]
                    .into_iter()
                    .all(is_sound);
        }
        // Programs round, and a face at the edge may extend a little beyond it.
        let slack = -0.2..=1.2;
        let edges = [self.x, self.y, self.x + self.width, self.y + self.height];
        self.width > 0.0 && self.height > 0.0 && edges.iter().all(|edge| slack.contains(edge))
    }
}

/// Adds a text that is not blank, cut to `longest` bytes at the end of a character.
fn add_text(texts: &mut Vec<Stated<String>>, text: &str, longest: usize, by: Block) {
    let mut value = one_line(text);
    value.truncate(value.floor_char_boundary(longest));
    let is_new = !texts
        .iter()
        .any(|known| known.by == by && known.value == value);
    if !value.is_empty() && is_new && texts.len() < MAX_STATEMENTS_OF_A_FACT {
        texts.push(Stated { value, by });
    }
}

/// A text with single spaces in place of white space and control characters, and without those at its ends.
fn one_line(text: &str) -> String {
    let is_space = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// An offset from UTC as a number of seconds.
mod seconds {
    use jiff::tz::Offset;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde requires"
    )]
    pub(super) fn serialize<S: Serializer>(
        offset: &Option<Offset>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        offset.map(Offset::seconds).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Offset>, D::Error> {
        let seconds = Option::<i32>::deserialize(deserializer)?;
        Ok(seconds.and_then(|seconds| Offset::from_seconds(seconds).ok()))
    }
}

#[cfg(test)]
mod tests;
