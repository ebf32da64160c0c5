//! An HTTP client that sends anything, unlike a browser: foreign hosts, paths with `..`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A request under construction; by default, one that a browser would send.
#[derive(Debug, Clone)]
pub struct Request {
    address: SocketAddr,
    method: &'static str,
    target: String,
    host: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    pub fn get(address: SocketAddr, target: &str) -> Self {
        Self {
            address,
            method: "GET",
            target: target.to_owned(),
            host: Some(address.to_string()),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Sets another `Host`, or none.
    pub fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        let mut request = self.header("content-type", "application/json");
        request.body = body.to_string();
        request
    }

    /// Sends the request and reads the whole answer.
    #[track_caller]
    pub fn send(self) -> Response {
        Response::read(self.open())
    }

    /// Sends the request and leaves the answer unread.
    #[track_caller]
    pub fn open(self) -> TcpStream {
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target)];
        lines.extend(self.host.map(|host| format!("host: {host}")));
        let headers = self.headers.iter();
        lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("content-length: {}", self.body.len()));
        lines.push("connection: close".to_owned());
        let text = format!("{}\r\n\r\n{}", lines.join("\r\n"), self.body);
        send(self.address, text.as_bytes())
    }
}

/// Sends any bytes.
#[track_caller]
pub fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The headers; names are in lower case.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Reads the whole answer.
    #[track_caller]
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut part = [0; 16384];
        // Does not read until the connection closes, because some servers keep it open regardless of the request.
        while !Self::is_whole(&bytes) {
            match stream.read(&mut part).unwrap() {
                0 => break,
                length => bytes.extend_from_slice(&part[..length]),
            }
        }
        Self::of(&bytes)
    }

    /// Checks that a path was refused, and that no text with `root:` came.
    #[track_caller]
    pub fn assert_leads_nowhere(&self, target: &str) {
        assert!(
            [400, 404].contains(&self.status),
            "{target}: {}",
            self.status
        );
        assert!(!self.text().contains("root:"), "{target}");
    }

    /// Whether as many bytes have arrived as `content-length` announces.
    fn is_whole(bytes: &[u8]) -> bool {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return false;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
        length.is_some_and(|length| bytes.len() >= end + 4 + length)
    }

    #[track_caller]
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        });
        Self {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} is there twice");
        Some(value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }
}
