//! Converts the grey values of a face to the input of a network.

use serde::{Deserialize, Serialize};

use super::standardise;

/// The scaling of grey values, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelScaling {
    /// To mean 0 and standard deviation 1 for each face ([`standardise`]).
    #[default]
    Standardised,
    /// Divided by 255.
    Unit,
}

impl PixelScaling {
    /// Scales the grey values of one face.
    pub fn apply(self, face: &mut [f32]) {
        match self {
            Self::Standardised => standardise(face),
            Self::Unit => {
                for value in face {
                    *value /= 255.0;
                }
            }
        }
    }

    /// Its description in the metadata of a model file.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Standardised => "mean 0, deviation 1 of each face",
            Self::Unit => "divided by 255",
        }
    }
}
