//! The names of protocols over TLS.

use super::error::{TlsError, TlsErrorKind};

pub(super) type Alpn = Vec<String>;

pub(super) fn of<T: Into<String>>(protocols: impl IntoIterator<Item = T>) -> Alpn {
    protocols.into_iter().map(Into::into).collect()
}

/// The names as TLS has them.
pub(super) fn checked(protocols: Alpn) -> Result<Vec<Vec<u8>>, TlsError> {
    for name in &protocols {
        if name.is_empty() || name.len() > 255 {
            let message = format!(
                "`alpn`: a name of a protocol has 1 to 255 bytes, and {name:?} has {}",
                name.len()
            );
            return Err(TlsError::new(TlsErrorKind::Alpn, message));
        }
    }
    Ok(protocols.into_iter().map(String::into_bytes).collect())
}
