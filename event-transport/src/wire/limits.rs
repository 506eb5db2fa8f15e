//! What a link takes from its peer, and for how long it waits for it.

use std::time::Duration;

/// What an event costs of the credit beside the bytes of its payload, so that empty ones are bounded too. No head of an event is longer.
pub(super) const COST: usize = 128;

/// Longer than anybody waits, and far from where instants end.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Shorter than any machine is sure to keep.
const SHORTEST: Duration = Duration::from_millis(30);

/// More than any memory, and far from where the numbers of a credit end.
const LARGEST: usize = match 1_usize.checked_shl(40) {
    Some(bytes) => bytes,
    None => usize::MAX,
};

/// How much memory and time a link gives its peer.
///
/// A link holds at most `receive` bytes of events that the bus has not accepted, `keep` bytes of events that the peer has not acknowledged,
/// and one frame in its buffer. A peer that wants more is held back, and one that takes more is cut off with a named error.
///
/// ```
/// use std::time::Duration;
/// use event_transport::wire::Limits;
///
/// let limits = Limits::default().max_frame(64 * 1024).idle(Duration::from_secs(10));
///
/// assert_eq!(limits.max_frame_bytes(), 64 * 1024);
/// assert_eq!(limits.heartbeat_period(), Duration::from_secs(10) / 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "limits do nothing until they are given to a link"]
pub struct Limits {
    max_frame: usize,
    max_handshake: usize,
    receive: usize,
    keep: usize,
    unacknowledged: usize,
    requests: usize,
    handshake: Duration,
    frame: Duration,
    idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 1024 * 1024,
            max_handshake: 256 * 1024,
            receive: 4 * 1024 * 1024,
            keep: 4 * 1024 * 1024,
            unacknowledged: 1024,
            requests: 64,
            handshake: Duration::from_secs(10),
            frame: Duration::from_secs(30),
            idle: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The longest frame that is taken in, in bytes; 1 MiB unless set, at least 256.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.max_frame = bytes.clamp(2 * COST, u32::MAX as usize);
        self
    }

    /// The longest frame of a peer that is not let in yet, in bytes; 256 KiB unless set, at least 256.
    pub fn max_handshake(mut self, bytes: usize) -> Self {
        self.max_handshake = bytes.clamp(2 * COST, u32::MAX as usize);
        self
    }

    /// How many bytes of events may wait here until the bus accepts them; 4 MiB unless set, always two frames, and at most 1 TiB.
    pub fn receive(mut self, bytes: usize) -> Self {
        self.receive = bytes.min(LARGEST);
        self
    }

    /// How many bytes of events are kept until the peer acknowledges them; 4 MiB unless set. The last one may exceed it, so that there is always room for one.
    pub fn keep(mut self, bytes: usize) -> Self {
        self.keep = bytes.max(1);
        self
    }

    /// How many events are kept until the peer acknowledges them; 1024 unless set, at least 1. Those beyond [`keep`](Self::keep) and this number wait in the
    /// queues of their topics, but for a few that were taken out and do not fit into `keep`: they are not written yet, and count here.
    pub fn unacknowledged(mut self, events: usize) -> Self {
        self.unacknowledged = events.max(1);
        self
    }

    /// How many requests may be open in each direction; 64 unless set, and with 0 there are none. One that nobody waits for any more has no place. Those of the
    /// peer count until the listener here has ended, also when nobody waits for them.
    pub fn requests(mut self, requests: usize) -> Self {
        self.requests = requests;
        self
    }

    /// How long a peer may take for its handshake; 10 s unless set, at least 30 ms.
    pub fn handshake(mut self, time: Duration) -> Self {
        self.handshake = time.clamp(SHORTEST, LONGEST);
        self
    }

    /// How long a peer may take for one frame, once it has begun it; 30 s unless set, at least 30 ms. It is no longer than [`idle`](Self::idle).
    pub fn frame_within(mut self, time: Duration) -> Self {
        self.frame = time.clamp(SHORTEST, LONGEST);
        self
    }

    /// After how long without a whole frame a peer counts as gone; 30 s unless set, at least 30 ms. Both sides speak three times as often as the one with
    /// less patience asks for, but neither more than ten times as often as it would by its own limits, or than once a second, whichever is more often. So
    /// less than 3 s is set on both sides. A peer that has not taken within this time what waited for it counts as gone too, though it took a part: that is
    /// at most 64 KiB and one frame.
    pub fn idle(mut self, time: Duration) -> Self {
        self.idle = time.clamp(SHORTEST, LONGEST);
        self
    }

    /// The longest frame, in bytes.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame
    }

    /// How often the peer is to show that it is there when it has nothing to say.
    pub fn heartbeat_period(&self) -> Duration {
        self.idle / 3
    }

    pub(super) fn max_handshake_bytes(&self) -> usize {
        self.max_handshake
    }

    /// Two frames, or a sender may wait for credit that is never announced.
    pub(super) fn receive_bytes(&self) -> usize {
        let two = self.max_frame.saturating_add(COST).saturating_mul(2);
        self.receive.max(two)
    }

    pub(super) fn keep_bytes(&self) -> usize {
        self.keep
    }

    pub(super) fn kept_events(&self) -> usize {
        self.unacknowledged
    }

    pub(super) fn open_requests(&self) -> usize {
        self.requests
    }

    pub(super) fn handshake_time(&self) -> Duration {
        self.handshake
    }

    pub(super) fn frame_time(&self) -> Duration {
        self.frame.min(self.idle)
    }

    pub(super) fn idle_time(&self) -> Duration {
        self.idle
    }
}
