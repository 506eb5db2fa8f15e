//! A bus in virtual time with all that its listeners ask for.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use tidings::{Bus, BusBuilder, Failure, FailureKind, VirtualRuntime};

use crate::support::Recorder;

/// What a test looks at.
pub(crate) struct World {
    pub(crate) time: VirtualRuntime,
    pub(crate) log: Arc<Recorder>,
    failures: Arc<Mutex<Vec<FailureKind>>>,
    pub(crate) bus: Bus,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(VirtualRuntime::new())
    }

    pub(crate) fn of(time: VirtualRuntime) -> Self {
        let log = Arc::<Recorder>::default();
        let failures = Arc::<Mutex<Vec<_>>>::default();
        let bus = builder(&time, &log, &failures).build().unwrap();
        Self {
            time,
            log,
            failures,
            bus,
        }
    }

    pub(crate) fn failures(&self) -> Vec<FailureKind> {
        std::mem::take(&mut *self.failures.lock().unwrap())
    }
}

fn builder(
    time: &VirtualRuntime,
    log: &Arc<Recorder>,
    failures: &Arc<Mutex<Vec<FailureKind>>>,
) -> BusBuilder {
    let failures = Arc::clone(failures);
    Bus::builder()
        .state(Arc::clone(log))
        .state(AtomicU32::new(0))
        .state(time.clone())
        .on_failure(move |failure: &Failure| failures.lock().unwrap().push(failure.kind()))
        .runtime(time.clone())
}
