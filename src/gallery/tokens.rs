//! The tokens that give access: one in each link, and one in the cookie of an admitted browser.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use blake3::Hash;

use crate::error::{Error, Result};

/// 256 random bits as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    /// Creates a token from the system's random number generator.
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

    /// Compares with `other` in a time that does not depend on where they differ.
    fn is(&self, other: &str) -> bool {
        // Comparing two `Hash`es takes constant time.
        blake3::hash(self.0.as_bytes()) == blake3::hash(other.as_bytes())
    }
}

/// Prints no digits, so that tokens do not get into logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The tokens of one run of the gallery.
#[derive(Debug)]
pub(super) struct Tokens {
    /// The token of the printed link, which can be used any number of times.
    link: Token,
    /// The token of the link with which a browser is started. It is valid once, because other users of the machine can
    /// read that command line.
    once: Mutex<Option<Token>>,
    /// The value of the cookie.
    session: Token,
}

impl Tokens {
    /// Creates the tokens.
    pub fn random() -> Result<Self> {
        Ok(Self {
            link: Token::random()?,
            once: Mutex::default(),
            session: Token::random()?,
        })
    }

    /// The token for the printed link.
    pub const fn link(&self) -> &Token {
        &self.link
    }

    /// A new token that admits one browser; an earlier one that is still unused becomes invalid.
    pub fn once(&self) -> Result<Token> {
        let token = Token::random()?;
        *self.lock() = Some(token.clone());
        Ok(token)
    }

    /// Returns the cookie's value in exchange for the token of a link, if the token is valid.
    pub fn exchange(&self, token: &str) -> Option<&str> {
        let opens = self.link.is(token) || self.lock().take_if(|once| once.is(token)).is_some();
        opens.then(|| self.session.as_str())
    }

    /// Whether `value` is the value of the cookie.
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
            "the printed link stays valid"
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
