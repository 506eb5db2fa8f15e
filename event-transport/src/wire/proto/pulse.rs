//! Whether the peer is there, and when this side must show that it is.

use std::time::{Duration, Instant};

use crate::wire::error::WireError;

#[derive(Debug)]
pub struct Pulse {
    idle: Duration,
    period: Duration,
    /// When the last whole frame came.
    heard: Instant,
    /// When this side last wrote a frame.
    spoke: Instant,
    /// Since when written bytes wait, and the peer takes none.
    stuck: Option<Instant>,
}

impl Pulse {
    pub fn new(idle: Duration, period: Duration, now: Instant) -> Self {
        Self {
            idle,
            period,
            heard: now,
            spoke: now,
            stuck: None,
        }
    }

    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// A frame was put into the output.
    pub fn speak(&mut self, now: Instant) {
        self.spoke = now;
        self.stuck.get_or_insert(now);
    }

    /// The stream took bytes, and maybe all.
    pub fn wrote(&mut self, all: bool, now: Instant) {
        self.stuck = if all { None } else { Some(now) };
    }

    /// Whether it is time to say something.
    pub fn is_due(&self, now: Instant) -> bool {
        // What already waits to be taken is as good as a ping.
        self.stuck.is_none() && now.saturating_duration_since(self.spoke) >= self.period
    }

    /// # Errors
    ///
    /// If the peer is gone: [`WireError::Idle`] or [`WireError::Stalled`].
    pub fn check(&self, now: Instant) -> Result<(), WireError> {
        let over = |since: Instant| now.saturating_duration_since(since) >= self.idle;
        if over(self.heard) {
            return Err(WireError::Idle(self.idle));
        }
        match self.stuck {
            Some(since) if over(since) => Err(WireError::Stalled(self.idle)),
            _ => Ok(()),
        }
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        let gone = self.heard + self.idle;
        let next = match self.stuck {
            Some(since) => since + self.idle,
            None => self.spoke + self.period,
        };
        gone.min(next)
    }
}
