//! Parses the setting that corrects a camera's clock: `Canon EOS R5: -1:00`.

use std::str::FromStr;

use serde::Deserialize;

/// The correction that is added to all times by a camera's clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClockOffset {
    /// The name of the camera in the photos' metadata.
    pub camera: String,
    /// Seconds; negative for a clock that was fast.
    pub seconds: i32,
}

/// The longest offset: about 68 years, in hours.
const MAX_HOURS: i32 = 596_000;

impl FromStr for ClockOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let explain = || {
            format!(
                "\"{text}\" is none; write a camera and what to add to its times, as in \"Canon EOS R5: -1:00\""
            )
        };
        let (camera, offset) = text.split_once(':').ok_or_else(explain)?;
        let (camera, offset) = (camera.trim(), offset.trim());
        let (sign, offset) = match (offset.strip_prefix('-'), offset.strip_prefix('+')) {
            (Some(rest), _) => (-1, rest),
            (_, Some(rest)) => (1, rest),
            _ => return Err(explain()),
        };
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        let parts: Vec<i32> = offset
            .split(':')
            .filter(is_number)
            .filter_map(|part| part.parse().ok())
            .collect();
        let is_whole = parts.len() == offset.split(':').count();
        let (hours, minutes, seconds) = match *parts {
            [hours, minutes] => (hours, minutes, 0),
            [hours, minutes, seconds] => (hours, minutes, seconds),
            _ => return Err(explain()),
        };
        if camera.is_empty() || !is_whole || hours > MAX_HOURS || minutes > 59 || seconds > 59 {
            return Err(explain());
        }
        Ok(Self {
            camera: camera.to_owned(),
            seconds: sign * (3600 * hours + 60 * minutes + seconds),
        })
    }
}

impl TryFrom<String> for ClockOffset {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_a_camera_a_sign_and_a_time() {
        for (text, camera, seconds) in [
            ("Canon EOS R5: -1:00", "Canon EOS R5", -3600),
            ("NIKON D850:+9:30:15", "NIKON D850", 34_215),
            ("a: +24:00", "a", 86_400),
        ] {
            let offset = ClockOffset {
                camera: camera.to_owned(),
                seconds,
            };
            assert_eq!(text.parse(), Ok(offset), "{text}");
        }
        for text in [
            "",
            "a",
            "a: 1:00",
            ": +1:00",
            "a: +1",
            "a: +1:60",
            "a: +1:0:60",
            "a: +:",
            "a: +1:0:0:0",
            "a: +1:x",
            "a: +99999999:00",
            "a: ++1:00",
        ] {
            assert!(text.parse::<ClockOffset>().is_err(), "{text}");
        }
    }
}
