//! Decodes and encodes the text of a sidecar: UTF-8 or UTF-16, with or without a byte order mark.

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// The encoding of a file, by its byte order mark or its first bytes.
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, ..] | [b'<', 0, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] | [0, b'<', ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// Whether a document in this encoding may declare the encoding with this name.
    fn may_be_called(self, name: &str, text: &str) -> bool {
        let name = name.to_ascii_lowercase();
        match (self, name.as_str()) {
            (Self::Utf8, "utf-8" | "utf8") => true,
            // These encodings equal UTF-8 for ASCII texts.
            (Self::Utf8, name) => {
                let is_superset = ["us-ascii", "ascii"].contains(&name)
                    || name.starts_with("iso-8859-")
                    || name.starts_with("windows-");
                is_superset && text.is_ascii()
            }
            (Self::Utf16Le, name) => ["utf-16", "utf-16le"].contains(&name),
            (Self::Utf16Be, name) => ["utf-16", "utf-16be"].contains(&name),
        }
    }
}

/// A text with its encoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// Without the byte order mark.
    pub content: String,
    encoding: Encoding,
    has_mark: bool,
}

impl Text {
    /// Reads a text. The error is a clause that says why it cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let encoding = Encoding::of(bytes);
        let units = |unit: fn([u8; 2]) -> u16| {
            if !bytes.len().is_multiple_of(2) {
                return Err("it ends in the middle of a character".to_owned());
            }
            let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            char::decode_utf16(units)
                .collect::<Result<String, _>>()
                .map_err(|_| "its text is not valid UTF-16".to_owned())
        };
        let text = match encoding {
            Encoding::Utf8 => String::from_utf8(bytes.to_vec())
                .map_err(|_| "its text is not valid UTF-8".to_owned())?,
            Encoding::Utf16Le => units(u16::from_le_bytes)?,
            Encoding::Utf16Be => units(u16::from_be_bytes)?,
        };
        let without = text.strip_prefix('\u{feff}').map(str::to_owned);
        Ok(Self {
            has_mark: without.is_some(),
            content: without.unwrap_or(text),
            encoding,
        })
    }

    /// Checks the encoding that the document declares.
    pub fn check(&self, declared: Option<&str>) -> Result<(), String> {
        match declared {
            Some(name) if !self.encoding.may_be_called(name, &self.content) => {
                Err(format!("it says that its encoding is {name}"))
            }
            _ => Ok(()),
        }
    }

    /// Encodes another text in the same way.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        let units = mark.encode_utf16().chain(text.encode_utf16());
        match self.encoding {
            Encoding::Utf8 => [mark, text].concat().into_bytes(),
            Encoding::Utf16Le => units.flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => units.flat_map(u16::to_be_bytes).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_as_it_was_read() {
        let text = "<a>Zürich 北海道 😀</a>";
        for mark in ["", "\u{feff}"] {
            let marked = format!("{mark}{text}");
            let files = [
                marked.as_bytes().to_vec(),
                marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ];
            for file in files {
                let read = Text::decode(&file).unwrap();
                assert_eq!(read.content, text);
                assert_eq!(read.encode(&read.content), file);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        for bytes in [
            &b"<a>\xfc</a>"[..],
            b"<\0a\0>",
            b"\xff\xfe\x00\xd8<\0",
            b"\xff\xd8\xff\xe0",
        ] {
            assert!(Text::decode(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn an_encoding_must_be_what_it_is_called() {
        let ascii = Text::decode(b"<a/>").unwrap();
        let umlaut = Text::decode("<ü/>".as_bytes()).unwrap();
        let wide = Text::decode(b"<\0a\0/\0>\0").unwrap();
        assert_eq!(ascii.check(None), Ok(()));
        for (text, name, fits) in [
            (&ascii, "UTF-8", true),
            (&ascii, "ISO-8859-1", true),
            (&ascii, "windows-1252", true),
            (&ascii, "UTF-16", false),
            (&ascii, "EBCDIC-CP-US", false),
            (&umlaut, "utf-8", true),
            (&umlaut, "ISO-8859-1", false),
            (&wide, "UTF-16", true),
            (&wide, "UTF-8", false),
        ] {
            assert_eq!(text.check(Some(name)).is_ok(), fits, "{name}");
        }
    }
}
