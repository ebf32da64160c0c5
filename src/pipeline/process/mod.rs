//! Decoding processes: photos are read, decoded and analysed outside of this process, so that a decoder that
//! crashes, never ends or takes all memory costs one photo, and a decoder that an attacker controls reaches nothing.
//!
//! A worker has one such process, which is this program with another command. It is sent the bytes of a photo over
//! a socket, and answers with what is stored of it; it opens nothing itself. The process is
//! confined before it reads the first byte: no files, no network, no other processes, limited memory
//! ([`Confinement`]). If it dies, the photo is tried once more in a new one, because the process may have died of the
//! photo before it, or been killed by another program; then the photo is skipped as
//! [`SkipReason::Crashed`](crate::error::SkipReason::Crashed).
//! A process that does not answer in time is killed.

mod attempts;
mod channel;
mod client;
mod confine;
mod decoders;
mod message;
mod pool;
mod serve;
mod weights;

pub use decoders::Decoders;
pub use message::{Confinement, Detector};
pub use pool::{Launch, ProcessSettings, Processes, Session, confinement};
pub use serve::serve;
