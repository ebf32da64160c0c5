//! Training on faces of photos: fits a third head on the features of a trained network, which gives the album scores.

mod faces;
mod fit;
mod head;
mod held_out;
mod objective;
mod training_data;
mod tune;

pub use faces::{PhotoFace, PhotoFaces};
pub use head::{FittedHead, PHOTO_HEAD, PhotoHeadOptions, fit_photo_head};
pub use held_out::HeldOutHeads;
pub use tune::{TuneOptions, tune_trunk};
