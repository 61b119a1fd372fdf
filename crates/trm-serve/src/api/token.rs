//! The token that requests must bring.

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The token that requests must bring, as a digest: comparing digests tells nothing about the token by its time.
pub struct Token([u8; 32]);

impl Token {
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether a request brings it.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let (scheme, token) = value.split_at(value.len().min(7));
        scheme.eq_ignore_ascii_case(b"bearer ") && Sha256::digest(token)[..] == self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the very token opens.
    #[test]
    fn compares_tokens() {
        let token = Token::new("secret");
        let brings = |value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            token.is_in(&HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
        };
        assert!(brings("Bearer secret") && brings("bearer secret"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer secret ", "Bearer Secret", "Basic secret", "secret"] {
            assert!(!brings(wrong), "{wrong:?}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
    }
}
