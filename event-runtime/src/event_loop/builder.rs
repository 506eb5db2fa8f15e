//! How a loop is made.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::EventLoop;
use super::core::{Core, Settings};
use super::driver::{Driver, Park, VirtualTime};
use super::error::LoopError;
use super::run::check_outside;
use super::shared::Shared;

/// Settings of an [`EventLoop`] that differ from the usual ones.
///
/// ```
/// use std::time::Duration;
/// use tidings::EventLoop;
///
/// let lp = EventLoop::builder().slow_items(Duration::from_millis(100)).build_virtual();
/// lp.run_until_idle()?;
/// assert_eq!(lp.slow_count(), 0);
/// # Ok::<(), tidings::event_loop::LoopError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder makes a loop only when it is built"]
pub struct EventLoopBuilder {
    settings: Settings,
    #[cfg_attr(
        not(feature = "tokio"),
        allow(dead_code, reason = "no loop has I/O then")
    )]
    without_io: bool,
}

impl EventLoop {
    /// For a loop with settings of its own.
    #[track_caller]
    pub fn builder() -> EventLoopBuilder {
        EventLoopBuilder {
            settings: Settings {
                poll_every: 1,
                grace: Duration::from_secs(5),
                slow: None,
                place: Location::caller(),
            },
            without_io: false,
        }
    }
}

impl EventLoopBuilder {
    /// Looks for I/O after so many turns instead of after each, as long as something is ready. At least 1.
    pub fn poll_every(mut self, turns: u32) -> Self {
        self.settings.poll_every = turns.max(1);
        self
    }

    /// Does without tokio's reactor also where the feature `tokio` is on: turns then cost no look for I/O, and the thread parks when nothing is ready.
    pub fn without_io(mut self) -> Self {
        self.without_io = true;
        self
    }

    /// How long a task may take to clean up after it was asked to end, instead of 5 seconds.
    pub fn grace(mut self, time: Duration) -> Self {
        self.settings.grace = time;
        self
    }

    /// Counts the items that run for `time` or longer, in [`EventLoop::slow_count`]. It costs two looks at the clock an item.
    pub fn slow_items(mut self, time: Duration) -> Self {
        self.settings.slow = Some(time);
        self
    }

    /// Makes the loop, on the real clock.
    ///
    /// # Errors
    ///
    /// Those of [`EventLoop::new`].
    pub fn build(self) -> Result<EventLoop, LoopError> {
        check_outside()?;
        #[cfg(feature = "tokio")]
        if !self.without_io {
            let driver = super::driver::Tokio::new(self.settings.poll_every);
            return Ok(self.with(Box::new(driver.map_err(LoopError::Driver)?), false));
        }
        Ok(self.with(Box::new(Park), false))
    }

    /// Makes the loop on a clock of its own, as [`EventLoop::virtual_time`] does.
    pub fn build_virtual(self) -> EventLoop {
        self.with(Box::new(VirtualTime), true)
    }

    fn with(self, driver: Box<dyn Driver>, is_virtual: bool) -> EventLoop {
        let shared = Arc::new(Shared::new(is_virtual));
        EventLoop::owner(Core::new(shared, driver, self.settings))
    }
}
