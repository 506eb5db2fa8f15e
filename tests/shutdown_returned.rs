//! What a delivery returned while its bus is being shut down is delivered before the bus is idle.
#![cfg(feature = "tokio")]

mod support;

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use support::Recorder;
use tidings::{Bus, Shutdown, ShutdownFuture, event, listener};
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::yield_now;

const SOON: Duration = Duration::from_secs(60);

#[event]
struct Placed;

#[listener]
async fn charge(_: &Placed, gate: &Notify, log: &Recorder) -> Paid {
    gate.notified().await;
    log.note("charge");
    Paid
}

#[event]
struct Paid;

#[listener]
async fn receipt(_: &Paid, log: &Recorder) {
    yield_now().await;
    log.note("receipt");
}

/// Ends the shutdown in the very call that says that the bus is idle.
struct AtOnce {
    shutdown: Mutex<Option<ShutdownFuture>>,
    ended: Mutex<Option<Shutdown>>,
}

impl AtOnce {
    fn poll(self: &Arc<Self>) {
        let mut shutdown = self.shutdown.lock().unwrap().take().unwrap();
        let waker = Waker::from(Arc::clone(self));
        match Pin::new(&mut shutdown).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(ended) => *self.ended.lock().unwrap() = Some(ended.unwrap()),
            Poll::Pending => *self.shutdown.lock().unwrap() = Some(shutdown),
        }
    }
}

impl Wake for AtOnce {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

struct Fixture {
    bus: Bus,
    gate: Arc<Notify>,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<String>>>,
}

fn fixture(runtime: Option<Handle>) -> Fixture {
    let (gate, log) = (Arc::new(Notify::new()), Arc::new(Recorder::default()));
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let mut builder = Bus::builder()
        .state(Arc::clone(&gate))
        .state(Arc::clone(&log))
        .on_failure(move |failure| hook.lock().unwrap().push(failure.to_string()));
    if let Some(runtime) = runtime {
        builder = builder.runtime(runtime);
    }
    Fixture {
        bus: builder.build().unwrap(),
        gate,
        log,
        told,
    }
}

fn at_once(bus: &Bus) -> Arc<AtOnce> {
    let at_once = Arc::new(AtOnce {
        shutdown: Mutex::new(Some(bus.shutdown(SOON))),
        ended: Mutex::new(None),
    });
    at_once.poll();
    at_once
}

async fn ends(at_once: &AtOnce) -> Shutdown {
    loop {
        if let Some(ended) = at_once.ended.lock().unwrap().take() {
            return ended;
        }
        yield_now().await;
    }
}

#[test]
fn a_bus_is_idle_only_after_what_a_task_returned_is_delivered() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let fixture = fixture(Some(Handle::current()));
        fixture.bus.emit(Placed);
        let at_once = at_once(&fixture.bus);

        fixture.gate.notify_one();
        let shutdown = ends(&at_once).await;

        assert_eq!(*fixture.told.lock().unwrap(), [""; 0]);
        assert_eq!(fixture.log.take(), ["charge", "receipt"]);
        assert!(shutdown.is_clean(), "{shutdown}");
    });
}

#[test]
fn a_bus_is_idle_only_after_what_an_awaited_listener_returned_is_delivered() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let fixture = fixture(None);
        let mut emission = std::pin::pin!(fixture.bus.emit(Placed).into_future());
        let polled = poll_fn(|cx| Poll::Ready(emission.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        let at_once = at_once(&fixture.bus);

        fixture.gate.notify_one();
        let report = emission.await;
        let shutdown = ends(&at_once).await;

        assert_eq!(*fixture.told.lock().unwrap(), [""; 0]);
        assert_eq!(fixture.log.take(), ["charge", "receipt"]);
        assert_eq!(report.ran(), 1);
        assert!(shutdown.is_clean(), "{shutdown}");
    });
}
