//! The addresses under which a proxy makes the gallery reachable.

use std::str::FromStr;

use axum::http::Uri;
use axum::http::uri::{Authority, Scheme};

use crate::error::Error;

/// The address of the page in the browser behind a proxy: the scheme, the host, and the path at which the proxy serves
/// it, such as `https://photos.example/fer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end; empty if the gallery has the whole host.
    path: String,
}

impl Origin {
    /// What browsers send as the `Origin` of its requests.
    pub(super) fn is_sent_as(&self, origin: &[u8]) -> bool {
        format!("{}://{}", self.scheme, self.authority).as_bytes() == origin
    }

    /// The host without its port.
    pub(super) fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether the connection between browser and proxy is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The address of a path of the gallery.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}://{}{}{path}", self.scheme, self.authority, self.path)
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.parse::<Uri>().ok().map(Uri::into_parts);
        let origin = parts.and_then(|parts| {
            let scheme = parts.scheme?;
            let path = parts.path_and_query?;
            let is_right =
                (scheme == Scheme::HTTP || scheme == Scheme::HTTPS) && path.query().is_none();
            is_right.then_some(())?;
            let authority = parts
                .authority
                .filter(|authority| !authority.as_str().contains('@'))?;
            // Browsers write hosts in lower case and leave out the usual port.
            let authority = authority.as_str().to_lowercase();
            let usual = if scheme == Scheme::HTTPS {
                ":443"
            } else {
                ":80"
            };
            let authority = authority.strip_suffix(usual).unwrap_or(&authority);
            Some(Self {
                authority: authority.parse().ok()?,
                path: path.path().trim_end_matches('/').to_owned(),
                scheme,
            })
        });
        origin.ok_or_else(|| {
            Error::Usage(format!(
                "{text:?} is no address of a page; write it as https://photos.example or https://photos.example/fer"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_as_browsers_write_it() {
        for (text, sent, link) in [
            (
                "https://photos.example",
                "https://photos.example",
                "https://photos.example/enter",
            ),
            (
                "https://Photos.Example:443/fer/",
                "https://photos.example",
                "https://photos.example/fer/enter",
            ),
            (
                "http://nas:8080/a/b",
                "http://nas:8080",
                "http://nas:8080/a/b/enter",
            ),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert!(origin.is_sent_as(sent.as_bytes()), "{text}");
            assert_eq!(origin.address("/enter"), link);
        }
        let origin: Origin = "https://photos.example/fer".parse().unwrap();
        for other in [
            "http://photos.example",
            "https://photos.example:8443",
            "https://photos.example/fer",
            "null",
        ] {
            assert!(!origin.is_sent_as(other.as_bytes()), "{other}");
        }
        for text in [
            "",
            "photos.example",
            "/fer",
            "ftp://photos.example",
            "https://a@b",
            "https://a/?b",
            "https://",
        ] {
            text.parse::<Origin>().unwrap_err();
        }
    }
}
