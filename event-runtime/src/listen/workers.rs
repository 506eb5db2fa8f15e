//! Who works for one listener, and by which clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_core::private::{Berth, Installer, sleep_steadily};
use event_core::{FailureKind, Runtime};

use crate::clock::{Clock, Sleep};
use crate::queue::{
    Backoff, Job, ParkClock, Retry, Start, StartError, TaskStarter, ThreadStarter, Threads,
};

/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(10);

/// The bus's own clock.
struct RuntimeClock(Arc<dyn Runtime>);

impl Clock for RuntimeClock {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        sleep_steadily(&self.0, at)
    }
}

/// What brings the workers of the accepted listener to life. `None` if it needs tasks and the bus has none.
pub(super) fn start<T, J>(
    installer: &mut Installer<'_>,
    berth: &Arc<Berth>,
    asynchronous: bool,
    job: Arc<J>,
) -> Option<Arc<dyn Start<T>>>
where
    T: Send + Sync + 'static,
    J: Job<T>,
{
    let policy = installer.policy();
    let (min, max) = policy.retry_backoff();
    let retry = Retry::new(policy.max_retries(), Backoff::new(min, max));
    Some(match installer.runtime() {
        None if asynchronous => return None,
        Some(runtime) if runtime.runs_queues() => {
            Arc::new(TaskStarter::new(runtime, job, retry).one_by_one())
        }
        Some(runtime) if asynchronous => Arc::new(TaskStarter::new(runtime, job, retry)),
        _ => {
            let limit = installer.threads();
            let threads = installer.shared(|| Threads::new(limit, IDLE));
            let told = Arc::clone(berth);
            let report = move |error: StartError| {
                let failure = told.failure(FailureKind::NoWorker, error.to_string());
                told.tell(None, failure);
            };
            let id = installer.id();
            Arc::new(ThreadStarter::new(
                (*threads).clone(),
                id,
                job,
                retry,
                report,
            ))
        }
    })
}

/// The clock of the bus.
pub(super) fn clock(installer: &mut Installer<'_>) -> Arc<dyn Clock> {
    clock_of(installer.runtime())
}

/// The clock of a bus with this runtime.
pub(super) fn clock_of(runtime: Option<Arc<dyn Runtime>>) -> Arc<dyn Clock> {
    match runtime {
        Some(runtime) => Arc::new(RuntimeClock(runtime)),
        None => Arc::new(ParkClock),
    }
}
