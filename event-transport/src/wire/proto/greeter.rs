//! The accepting side before it knows who has come.

use std::time::Instant;

use bytes::{BufMut, BytesMut};

use super::frame::{Head, Hello, Refusal};
use super::inlet::{Inlet, PREFACE};
use crate::wire::error::WireError;
use crate::wire::limits::Limits;

/// Waits for a peer's hello.
#[derive(Debug)]
pub struct Greeter {
    inlet: Inlet,
    began: Instant,
    limits: Limits,
}

impl Greeter {
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            inlet: Inlet::new(limits.max_handshake_bytes()),
            began: now,
            limits,
        }
    }

    /// Takes the hello out of the buffer when it is there.
    ///
    /// # Errors
    ///
    /// What the peer did wrong.
    pub fn receive(&mut self, buffer: &mut BytesMut) -> Result<Option<Hello>, WireError> {
        let Some(frame) = self.inlet.next(buffer)? else {
            return Ok(None);
        };
        match frame.head {
            Head::Hello(hello) => Ok(Some(*hello)),
            other => Err(WireError::Unexpected {
                kind: other.kind(),
                at: "before its hello",
            }),
        }
    }

    /// # Errors
    ///
    /// [`WireError::HandshakeTimeout`] if the peer took too long.
    pub fn check(&self, now: Instant) -> Result<(), WireError> {
        let time = self.limits.handshake_time();
        if now.saturating_duration_since(self.began) >= time {
            return Err(WireError::HandshakeTimeout(time));
        }
        Ok(())
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        self.began + self.limits.handshake_time()
    }

    pub(super) fn into_inlet(self) -> Inlet {
        self.inlet
    }
}

/// What a peer is told that is not let in.
pub fn refusal(error: &WireError) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_slice(&PREFACE);
    Head::Refuse(Box::new(Refusal::of(error))).write(&[], &mut out);
    out
}
