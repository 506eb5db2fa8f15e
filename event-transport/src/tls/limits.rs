//! How long TLS waits for a peer.

use std::time::Duration;

/// The limits of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlsLimits {
    pub(crate) handshake: Duration,
    pub(crate) shutdown: Duration,
}

impl Default for TlsLimits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(60),
            shutdown: Duration::from_secs(30),
        }
    }
}

/// Refuses a limit that nobody could keep.
#[track_caller]
pub(super) fn some_time(time: Duration, name: &str) -> Duration {
    assert!(
        !time.is_zero(),
        "`{name}` of zero leaves the peer no time: write at least a millisecond"
    );
    time
}
