//! Whether the peer is there, and when this side must show that it is.

use std::time::{Duration, Instant};

use crate::wire::error::WireError;
use crate::wire::limits::Limits;

/// No peer has this side speak more often than ten times as often as it would, or than once in this time, whichever is more often.
const SHORTEST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Pulse {
    idle: Duration,
    period: Duration,
    /// How long the peer may take for a frame.
    frame: Duration,
    /// Since when a frame has begun and is not whole.
    begun: Option<Instant>,
    /// When the last whole frame came.
    heard: Instant,
    /// When this side last wrote a frame.
    spoke: Instant,
    /// How many written bytes wait to be taken.
    waiting: usize,
    /// There when any wait.
    stuck: Option<Stuck>,
}

/// All that waited at a moment, which is to be taken before what came after it counts. So a byte now and then is no life.
#[derive(Debug, Clone, Copy)]
struct Stuck {
    since: Instant,
    /// How much of it still waits, in bytes.
    left: usize,
}

impl Pulse {
    pub fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            idle: limits.idle_time(),
            period: limits.heartbeat_period(),
            frame: limits.frame_time(),
            begun: None,
            heard: now,
            spoke: now,
            waiting: 0,
            stuck: None,
        }
    }

    /// How often the peer wants to hear of this side. It may have more patience than this side has, or less.
    pub fn meet(&mut self, wanted: Duration) {
        let shortest = SHORTEST.min(self.period / 10);
        self.period = self.period.min(wanted.max(shortest));
    }

    pub fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.begun = None;
    }

    /// All whole frames were taken; whether another one has begun.
    pub fn begun(&mut self, has: bool, now: Instant) {
        self.begun = has.then(|| self.begun.unwrap_or(now));
    }

    /// A frame was put into the output, where so many bytes wait now.
    pub fn speak(&mut self, waiting: usize, now: Instant) {
        self.spoke = now;
        self.waiting = waiting;
        self.stuck.get_or_insert(Stuck {
            since: now,
            left: waiting,
        });
    }

    /// The stream took bytes of the output, where so many wait now.
    pub fn wrote(&mut self, waiting: usize, now: Instant) {
        let taken = self.waiting.saturating_sub(waiting);
        self.waiting = waiting;
        self.stuck = match self.stuck {
            _ if waiting == 0 => None,
            Some(Stuck { since, left }) if taken < left => Some(Stuck {
                since,
                left: left - taken,
            }),
            _ => Some(Stuck {
                since: now,
                left: waiting,
            }),
        };
    }

    /// Whether it is time to say something.
    pub fn is_due(&self, now: Instant) -> bool {
        // What already waits to be taken is as good as a ping.
        self.stuck.is_none() && now.saturating_duration_since(self.spoke) >= self.period
    }

    /// # Errors
    ///
    /// If the peer is gone: [`WireError::SlowFrame`], [`WireError::Idle`] or [`WireError::Stalled`].
    pub fn check(&self, now: Instant) -> Result<(), WireError> {
        let waited = |since: Instant| now.saturating_duration_since(since);
        if self.begun.is_some_and(|since| waited(since) >= self.frame) {
            return Err(WireError::SlowFrame(self.frame));
        }
        let over = |since| waited(since) >= self.idle;
        if over(self.heard) {
            return Err(WireError::Idle(self.idle));
        }
        match self.stuck {
            Some(stuck) if over(stuck.since) => Err(WireError::Stalled(self.idle)),
            _ => Ok(()),
        }
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        let gone = self.heard + self.idle;
        let next = match self.stuck {
            Some(stuck) => stuck.since + self.idle,
            None => self.spoke + self.period,
        };
        let slow = self.begun.map(|since| since + self.frame);
        slow.into_iter().fold(gone.min(next), Instant::min)
    }
}
