//! Who may take a later emission back.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::task::Timed;

/// An emission whose time has not come: see [`Bus::emit_later`](crate::Bus::emit_later). Any thread may have it; a clone is the same one.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use tidings::{Bus, VirtualRuntime, event};
///
/// #[event]
/// struct Remind;
///
/// let bus = Bus::builder().runtime(VirtualRuntime::new()).build()?;
/// let remind = bus.emit_later(Duration::from_secs(60), Remind)?;
/// let other = remind.clone();
/// let taken_back = std::thread::spawn(move || other.cancel()).join();
/// assert!(taken_back.is_ok_and(|was_there| was_there));
/// assert!(!remind.is_pending() && !remind.cancel());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LaterHandle(Arc<Timed>);

impl LaterHandle {
    pub(super) fn new(timed: Arc<Timed>) -> Self {
        Self(timed)
    }

    /// When it is emitted, or was; the next time of a periodic one. On the clock of the bus's runtime.
    pub fn when(&self) -> Instant {
        self.0.when()
    }

    /// Takes it back: it is not emitted any more, and the event is dropped now. Whether there was something to take back.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// Whether it is still to be emitted.
    pub fn is_pending(&self) -> bool {
        self.0.is_pending()
    }
}

impl fmt::Debug for LaterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaterHandle")
            .field("topic", &self.0.topic)
            .field("when", &self.when())
            .field("is_pending", &self.is_pending())
            .finish()
    }
}
