//! Who may come in: whoever holds a link, and then the browser that holds the cookie.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use blake3::Hash;

use crate::error::{Error, Result};

/// 256 random bits as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    /// Takes one from the system's random numbers.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|source| Error::Io {
            path: "the system's random numbers".into(),
            source: source.into(),
        })?;
        Ok(Self(Hash::from_bytes(bytes).to_hex().to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same, told in a time that does not depend on where they differ.
    fn is(&self, other: &str) -> bool {
        // Comparing two `Hash`es takes constant time.
        blake3::hash(self.0.as_bytes()) == blake3::hash(other.as_bytes())
    }
}

/// Tokens do not go into logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The tokens of one run of the gallery.
#[derive(Debug)]
pub(super) struct Tokens {
    /// What a link carries that a person may use again and again.
    link: Token,
    /// What the link carries that a browser is started with: other users of the machine see that
    /// command line, so it opens once.
    once: Mutex<Option<Token>>,
    /// What the cookie carries.
    session: Token,
}

impl Tokens {
    /// Makes tokens.
    pub fn random() -> Result<Self> {
        Ok(Self {
            link: Token::random()?,
            once: Mutex::default(),
            session: Token::random()?,
        })
    }

    /// The token for a link that is printed.
    pub const fn link(&self) -> &Token {
        &self.link
    }

    /// A token that lets one browser in; one that was given out before and not used no longer does.
    pub fn once(&self) -> Result<Token> {
        let token = Token::random()?;
        *self.lock() = Some(token.clone());
        Ok(token)
    }

    /// The value of the cookie for a browser that brings a link's token.
    pub fn exchange(&self, token: &str) -> Option<&str> {
        let opens = self.link.is(token) || self.lock().take_if(|once| once.is(token)).is_some();
        opens.then(|| self.session.as_str())
    }

    /// Whether this is the value of the cookie.
    pub fn is_session(&self, value: &str) -> bool {
        self.session.is(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.once.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_key_is_exchanged_for_the_cookies() {
        let tokens = Tokens::random().unwrap();
        let link = tokens.link().as_str();
        assert_eq!(link.len(), 64);
        let session = tokens.exchange(link).unwrap();
        assert!(tokens.is_session(session) && !tokens.is_session(link));
        assert_eq!(
            tokens.exchange(link),
            Some(session),
            "a person's link stays good"
        );
        for wrong in ["", "0", session, &link[1..], &link.to_uppercase()] {
            assert_eq!(tokens.exchange(wrong), None, "{wrong}");
        }
        assert_ne!(Tokens::random().unwrap().link(), tokens.link());
    }

    #[test]
    fn a_browsers_key_opens_once() {
        let tokens = Tokens::random().unwrap();
        let (old, new) = (tokens.once().unwrap(), tokens.once().unwrap());
        assert_eq!(tokens.exchange(old.as_str()), None);
        assert!(tokens.exchange(new.as_str()).is_some());
        assert_eq!(tokens.exchange(new.as_str()), None);
    }
}
