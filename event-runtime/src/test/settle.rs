//! Waiting until nothing is open.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use event_core::private::instrument;
use event_core::{Runtime, Task};

use super::bus::TestBus;
use super::run::Run;

/// The wait of [`TestBus::settle`].
#[must_use = "nothing is waited for unless it is awaited"]
pub struct Settle<'a> {
    bus: &'a TestBus,
    idle: Pin<Box<dyn Future<Output = ()> + Send>>,
    deadline: Option<(Instant, Task)>,
    place: &'static Location<'static>,
}

/// A clock that no test moves.
struct RealTime;

impl Runtime for RealTime {
    fn spawn(&self, task: Task) {
        // Only its clock is asked for; a task that cannot be run is dropped.
        drop(task);
    }
}

impl<'a> Settle<'a> {
    #[track_caller]
    pub(super) fn new(bus: &'a TestBus) -> Self {
        Self {
            bus,
            idle: Box::pin(instrument::idle(bus)),
            deadline: None,
            place: Location::caller(),
        }
    }

    fn too_late(&mut self, cx: &mut Context<'_>) -> bool {
        let time = self.bus.deadline;
        let (at, sleep) = self.deadline.get_or_insert_with(|| {
            // A deadline that no clock reaches is a year.
            let now = Instant::now();
            let year = std::time::Duration::from_secs(365 * 86_400);
            let at = now.checked_add(time).unwrap_or(now + year);
            (at, RealTime.sleep_until(at))
        });
        // A virtual runtime that has always something to do may not come to the timer.
        sleep.as_mut().poll(cx).is_ready() || Instant::now() >= *at
    }

    fn complain(&self) -> ! {
        let (place, time) = (self.place, self.bus.deadline);
        self.bus
            .complain(&format!("`settle` at {place} waited {time:?} for"));
    }
}

impl Future for Settle<'_> {
    type Output = Run;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Run> {
        let runs_here = self.bus.runs_here();
        assert!(
            runs_here,
            "`settle` at {} is awaited on another thread than the one that built the bus and alone runs its deliveries: await it there",
            self.place
        );
        if self.idle.as_mut().poll(cx).is_ready() {
            self.bus.check_escapes();
            return Poll::Ready(self.bus.take_run());
        }
        if self.too_late(cx) {
            self.complain();
        }
        let who = std::ptr::from_ref(&*self).addr();
        instrument::help(self.bus, who, cx);
        Poll::Pending
    }
}

impl fmt::Debug for Settle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settle({} open)", instrument::open(self.bus))
    }
}
