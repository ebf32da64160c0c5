//! Sends and receives messages over a socket: a header in JSON, then bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Maximum length of a header, in bytes; the metadata of a photo have at most a few thousand entries.
const MAX_HEADER: u32 = 32 << 20;

/// Length in bytes of the two numbers before a message: the length of its header, and of the bytes after the header.
const PREFIX: usize = 12;

/// One end of a socket.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    /// Maximum length of a received message, in bytes without the header.
    max_bytes: u64,
    /// When sending and receiving fail with [`ErrorKind::TimedOut`]; `None` for never.
    deadline: Option<Instant>,
}

impl Channel {
    pub const fn new(stream: UnixStream, max_bytes: u64) -> Self {
        Self {
            stream,
            max_bytes,
            deadline: None,
        }
    }

    /// The same end, for messages of another length.
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets the deadline for everything that is sent and received from now on to `time` from now; `None` for no deadline.
    pub fn allow(&mut self, time: Option<Duration>) {
        self.deadline = time.and_then(|time| Instant::now().checked_add(time));
    }

    /// Sends a message.
    pub fn send(&mut self, header: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        let length = u32::try_from(header.len())
            .ok()
            .filter(|length| *length <= MAX_HEADER)
            .ok_or_else(|| io::Error::other("a message has too long a header"))?;
        let mut message = Vec::with_capacity(PREFIX + header.len());
        message.extend(length.to_le_bytes());
        message.extend((bytes.len() as u64).to_le_bytes());
        message.extend(header);
        self.write_all(&message)?;
        self.write_all(bytes)
    }

    /// Receives a message, with its bytes in `bytes`, whose memory is used again.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] if the other end was closed, [`ErrorKind::TimedOut`] after the deadline, and
    /// [`ErrorKind::InvalidData`] if the bytes are not a message.
    pub fn receive<T: DeserializeOwned>(&mut self, bytes: &mut Vec<u8>) -> io::Result<T> {
        let mut prefix = [0; PREFIX];
        self.read_exact(&mut prefix)?;
        let [a, b, c, d, length @ ..] = prefix;
        let (header, length) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(length));
        if header > MAX_HEADER || length > self.max_bytes {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "a message is longer than any should be",
            ));
        }
        let mut json = vec![0; header as usize];
        self.read_exact(&mut json)?;
        // Without this, bytes that are about to be overwritten would be set to zero first.
        bytes.truncate(length as usize);
        bytes.resize(length as usize, 0);
        self.read_exact(bytes)?;
        Ok(serde_json::from_slice(&json)?)
    }

    /// The time left until the deadline, to be set on the socket.
    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else {
            return Ok(None);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(ErrorKind::TimedOut.into())
        } else {
            Ok(Some(left))
        }
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(left) = self.left()? {
            self.stream.set_read_timeout(Some(left))?;
        }
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Channel {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if let Some(left) = self.left()? {
            self.stream.set_write_timeout(Some(left))?;
        }
        self.stream.write(buffer).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Renames the error of a timeout: a socket reports it like that of a non-blocking call (`WouldBlock`).
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn pair(max_bytes: u64) -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one, max_bytes), Channel::new(other, max_bytes))
    }

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let (mut one, mut other) = pair(1 << 20);
        let long: Vec<u8> = (0..1 << 20).map(|n| n as u8).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                one.send(&"long", &long).unwrap();
                one.send(&"short", b"ab").unwrap();
                one.send(&"none", b"").unwrap();
            });
            let mut bytes = Vec::new();
            let mut next = || (other.receive::<String>(&mut bytes).unwrap(), bytes.clone());
            assert_eq!(next(), ("long".into(), long.clone()));
            assert_eq!(next(), ("short".into(), b"ab".to_vec()));
            assert_eq!(next(), ("none".into(), Vec::new()));
        });
        drop(one);
        let closed = other.receive::<String>(&mut Vec::new()).unwrap_err();
        assert_eq!(closed.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_message_at_the_bound_is_received_and_a_longer_one_refused_before_it_takes_memory() {
        let (mut one, mut other) = pair(100);
        one.send(&(), &[7; 100]).unwrap();
        let mut bytes = Vec::new();
        other.receive::<()>(&mut bytes).unwrap();
        assert_eq!(bytes, [7; 100]);
        for (header, length) in [(4_u32, 101_u64), (MAX_HEADER + 1, 0), (4, u64::MAX)] {
            let (mut one, mut other) = pair(100);
            one.write_all(&header.to_le_bytes()).unwrap();
            one.write_all(&length.to_le_bytes()).unwrap();
            let refused = other.receive::<()>(&mut Vec::new()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidData);
        }
        one.write_all(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'x', b'x'])
            .unwrap();
        assert!(other.receive::<()>(&mut bytes).is_err());
    }

    #[test]
    fn neither_silence_nor_a_trickle_nor_a_full_socket_lasts_longer_than_the_deadline() {
        let time = Some(Duration::from_millis(50));
        let (mut one, mut other) = pair(1 << 20);
        other.allow(time);
        let silent = other.receive::<()>(&mut Vec::new()).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::TimedOut);
        other.allow(time);
        thread::scope(|scope| {
            let trickle = scope.spawn(|| {
                while one.write_all(&[0]).is_ok() {
                    thread::sleep(Duration::from_millis(10));
                }
            });
            // A header of no bytes, and as many bytes as come.
            let mut read = Vec::new();
            let ended = other.read_to_end(&mut read).unwrap_err();
            assert_eq!(ended.kind(), ErrorKind::TimedOut);
            drop(other);
            trickle.join().unwrap();
        });
        let (mut one, _other) = pair(1 << 20);
        one.allow(time);
        let full = one.send(&(), &vec![0; 1 << 24]).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::TimedOut);
    }
}
