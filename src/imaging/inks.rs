//! Converts inks (cyan, magenta, yellow and black) to sRGB by the profile of a photo.
//!
//! Inks have no colours of their own: what they look like depends on the press and the paper, which the profile
//! describes. So the pixels of such a photo are converted by its profile when it is decoded, unlike those of a photo in
//! RGB. Without a readable profile, each ink removes its share of light from white, as libraries without colour
//! management do.

use std::sync::Arc;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, RenderingIntent, Transform8BitExecutor, TransformOptions,
};

use super::containment;

/// The conversion by a profile.
#[derive(Clone)]
pub(super) struct Inks(Arc<Transform8BitExecutor>);

impl Inks {
    /// The conversion by an ICC profile; `None` if it cannot be read, or is not a profile of these inks.
    pub fn of(icc: &[u8]) -> Option<Self> {
        // A profile is untrusted input.
        containment::catch_panic(|| Self::read(icc)).ok().flatten()
    }

    fn read(icc: &[u8]) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(icc).ok()?;
        (profile.color_space == DataColorSpace::Cmyk).then_some(())?;
        let options = TransformOptions {
            // So that the darkest ink becomes black.
            rendering_intent: RenderingIntent::Perceptual,
            ..TransformOptions::default()
        };
        let srgb = ColorProfile::new_srgb();
        profile
            .create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options)
            .ok()
            .map(Self)
    }

    /// Converts a row of pixels from the amounts of the four inks, where 255 is full ink.
    pub fn convert(&self, inks: &[[u8; 4]], row: &mut [[u8; 3]]) {
        let converted = self
            .0
            .transform(inks.as_flattened(), row.as_flattened_mut());
        debug_assert!(converted.is_ok(), "as many pixels as there are inks");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_profile_of_inks_is_not_used() {
        assert!(Inks::of(b"").is_none());
        assert!(Inks::of(&[0; 200]).is_none());
        let screen = ColorProfile::new_display_p3().encode().unwrap();
        assert!(Inks::of(&screen).is_none());
    }
}
