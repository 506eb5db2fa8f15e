//! Secrets that two programs share, and how one shows on a connection that it has one.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use ring::hmac;

use super::access::Identity;
use super::error::WireError;
use super::proto::frame::{Hello, Proof};
use crate::words::debug_as_display;

/// Fewer could be tried out.
const SHORTEST: usize = 16;

/// What only the two ends of one connection with TLS know: its keys for this label.
pub(super) type Exporter = [u8; 32];

/// The label of those keys.
pub(super) const LABEL: &[u8] = b"EXPORTER-tidings-link";

/// A secret that a program shares with the one that it connects to. It is never sent: what is sent proves, inside one connection with TLS, that it is known.
///
/// ```
/// use event_transport::wire::Secret;
///
/// assert!(Secret::new(*b"0123456789abcdef").is_ok());
/// assert_eq!(
///     Secret::new("password").unwrap_err().to_string(),
///     "a secret of 8 bytes can be found by trying: make it of 16 random bytes or more"
/// );
/// ```
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl Secret {
    /// The secret that these bytes are. They are to be random, at least 16 of them, and another secret for each identity.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`] if there are fewer.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, ShortSecret> {
        let bytes = bytes.as_ref();
        if bytes.len() < SHORTEST {
            return Err(ShortSecret { bytes: bytes.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }
}

/// Without the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret of too few bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ShortSecret {
    bytes: usize,
}

impl fmt::Display for ShortSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a secret of {} bytes can be found by trying: make it of {SHORTEST} random bytes or more",
            self.bytes
        )
    }
}

impl Error for ShortSecret {}

debug_as_display!(ShortSecret);

/// The secrets of those who connect.
///
/// ```
/// use event_transport::wire::{Identity, Secret, Secrets};
///
/// let secrets = Secrets::none()
///     .add(&Identity::new("till-7"), Secret::new(*b"0123456789abcdef")?)
///     .add(&Identity::new("till-8"), Secret::new(*b"fedcba9876543210")?);
///
/// assert_eq!(format!("{secrets:?}"), "Secrets(2)");
/// # Ok::<(), event_transport::wire::ShortSecret>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "secrets do nothing until they are given to a server"]
pub struct Secrets(HashMap<Identity, Secret>);

impl Secrets {
    /// Nobody has a secret.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the secret of an identity, in the place of a former one.
    pub fn add(mut self, identity: &Identity, secret: Secret) -> Self {
        self.0.insert(identity.clone(), secret);
        self
    }

    /// Who a peer has proven to be.
    ///
    /// # Errors
    ///
    /// That it has not. What it is told must not say which of both was wrong, and the time that this takes does not either.
    pub(super) fn check(
        &self,
        exporter: &Exporter,
        hello: &Hello,
        proof: &Proof,
    ) -> Result<Identity, WireError> {
        let claimed = Identity::new(proof.identity.as_str());
        let known = self.0.get(&claimed);
        let nobodys = Secret(hmac::Key::new(hmac::HMAC_SHA256, &[0; SHORTEST]));
        let Secret(key) = known.unwrap_or(&nobodys);
        let message = message(exporter, &claimed, &hello.link);
        let holds = hmac::verify(key, &message, &proof.tag).is_ok();
        match known {
            Some(_) if holds => Ok(claimed),
            Some(_) => Err(WireError::WrongSecret(claimed)),
            None => Err(WireError::NoSecret(claimed)),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Who a side says it is, and its secret.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) identity: Identity,
    pub(super) secret: Secret,
}

impl Credentials {
    /// What proves that, on the connection with these keys alone.
    pub(super) fn proof(&self, exporter: &Exporter, link: &str) -> Proof {
        let message = message(exporter, &self.identity, link);
        Proof {
            identity: self.identity.name().to_owned(),
            tag: hmac::sign(&self.secret.0, &message).as_ref().to_vec(),
        }
    }
}

/// What is signed: the connection, who says it to whom, and each name behind its length, so that no two of them are the same bytes.
fn message(exporter: &Exporter, identity: &Identity, link: &str) -> Vec<u8> {
    let mut message = b"tidings link 1, the side that connects".to_vec();
    message.extend_from_slice(exporter);
    for name in [identity.name(), link] {
        message.extend_from_slice(&(name.len() as u64).to_be_bytes());
        message.extend_from_slice(name.as_bytes());
    }
    message
}
