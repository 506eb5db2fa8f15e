//! D6 on tokio, as applications run it.
#![cfg(feature = "tokio")]

mod support;

use std::sync::{Arc, Mutex};

use support::Recorder;
use tidings::{Bus, Failure, FailureKind, event, listener};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, mpsc};

#[event]
struct Placed {
    order: u64,
}

/// Tells that it began, and ends when it is let through.
#[listener]
async fn confirm(e: &Placed, gate: &Semaphore, began: &mpsc::UnboundedSender<u64>, log: &Recorder) {
    began.send(e.order).unwrap();
    gate.acquire().await.unwrap().forget();
    log.note(format!("confirm {}", e.order));
    began.send(e.order + 100).unwrap();
}

struct Fixture {
    bus: Bus,
    gate: Arc<Semaphore>,
    steps: mpsc::UnboundedReceiver<u64>,
    log: Arc<Recorder>,
    told: Arc<Mutex<Vec<FailureKind>>>,
}

fn fixture(handle: &Handle) -> Fixture {
    let (log, gate) = (Arc::new(Recorder::default()), Arc::new(Semaphore::new(0)));
    let (began, steps) = mpsc::unbounded_channel();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .state(Arc::clone(&gate))
        .state(began)
        .runtime(handle.clone())
        .on_failure(move |failure: &Failure| hook.lock().unwrap().push(failure.kind()))
        .build()
        .unwrap();
    Fixture {
        bus,
        gate,
        steps,
        log,
        told,
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
}

#[test]
fn d6_on_tokio_a_dropped_emission_is_spawned_from_a_thread_outside_of_it() {
    let runtime = runtime();
    let Fixture {
        bus,
        gate,
        mut steps,
        log,
        told,
    } = fixture(runtime.handle());

    let report = bus.emit(Placed { order: 1 }).report();
    gate.add_permits(1);

    assert_eq!(report.queued(), 1);
    assert_eq!(
        (steps.blocking_recv(), steps.blocking_recv()),
        (Some(1), Some(101))
    );
    assert_eq!(log.take(), ["confirm 1"]);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn d6_on_tokio_an_awaited_emission_waits_for_its_listeners() {
    let runtime = runtime();
    let Fixture {
        bus,
        gate,
        mut steps,
        log,
        ..
    } = fixture(runtime.handle());

    let report = runtime.block_on(async {
        gate.add_permits(2);
        bus.emit(Placed { order: 1 }).await;
        bus.emit(Placed { order: 2 }).await
    });

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(log.take(), ["confirm 1", "confirm 2"]);
    assert_eq!(
        [1, 101, 2, 102].map(|_| steps.try_recv().unwrap()),
        [1, 101, 2, 102]
    );
}

#[test]
fn d6_on_tokio_a_task_that_is_aborted_while_it_awaits_leaves_the_delivery_running() {
    let runtime = runtime();
    let Fixture {
        bus,
        gate,
        mut steps,
        log,
        told,
    } = fixture(runtime.handle());

    runtime.block_on(async {
        let awaiting = tokio::spawn(async move { bus.emit(Placed { order: 3 }).await });
        assert_eq!(steps.recv().await, Some(3));
        awaiting.abort();
        assert!(awaiting.await.unwrap_err().is_cancelled());
        gate.add_permits(1);
        assert_eq!(steps.recv().await, Some(103));
    });

    assert_eq!(log.take(), ["confirm 3"]);
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn d6_on_tokio_a_runtime_that_is_shut_down_abandons_what_it_had_not_finished() {
    let runtime = runtime();
    let Fixture {
        bus,
        mut steps,
        log,
        told,
        ..
    } = fixture(runtime.handle());
    let emission = std::future::IntoFuture::into_future(bus.emit(Placed { order: 4 }));
    let awaiting = std::thread::spawn(move || futures::executor::block_on(emission));
    assert_eq!(steps.blocking_recv(), Some(4));

    drop(runtime);

    let report = awaiting.join().unwrap();
    assert_eq!(report.failed(), 1);
    assert_eq!(report.failures()[0].kind(), FailureKind::Abandoned);
    assert_eq!(
        report.failures()[0].message(),
        "the runtime dropped the listener's future before it finished"
    );
    assert_eq!(*told.lock().unwrap(), [FailureKind::Abandoned]);
    assert!(log.take().is_empty());
}

#[test]
fn d6_on_tokio_an_emission_after_the_runtime_is_gone_is_abandoned_too() {
    let runtime = runtime();
    let Fixture { bus, told, .. } = fixture(runtime.handle());
    drop(runtime);

    bus.emit(Placed { order: 5 });

    assert_eq!(*told.lock().unwrap(), [FailureKind::Abandoned]);
}
