//! D6: deliveries are handed to the runtime in the order of their causes.

use std::sync::{Arc, Mutex};

use tidings::{Bus, Runtime, Task, event, listener};

type Log = Mutex<Vec<&'static str>>;

/// Keeps the tasks in the order in which they came.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Task>>>);

impl Runtime for Kept {
    fn spawn(&self, task: Task) {
        self.0
            .lock()
            .expect("nothing panics with the tasks")
            .push(task);
    }
}

impl Kept {
    fn run(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().expect("nothing panics with the tasks"));
        tasks.into_iter().for_each(futures::executor::block_on);
    }
}

#[event]
struct Placed;

#[event]
struct Paid;

#[listener]
fn charge(_: &Placed) -> Paid {
    Paid
}

#[listener]
async fn placed(_: &Placed, log: &Log) {
    log.lock()
        .expect("nothing panics with the log")
        .push("placed");
}

#[listener]
async fn paid(_: &Paid, log: &Log) {
    log.lock()
        .expect("nothing panics with the log")
        .push("paid");
}

#[test]
fn d6_a_cause_is_handed_over_before_what_it_returned_however_the_emission_ends() {
    let (tasks, log) = (Kept::default(), Arc::new(Log::default()));
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .runtime(tasks.clone())
        .build()
        .expect("everything is given");

    bus.emit(Placed);
    tasks.run();
    assert_eq!(bus.emit(Placed).report().queued(), 1);
    tasks.run();

    let heard = log.lock().expect("nothing panics with the log").clone();
    assert_eq!(heard, ["placed", "paid", "placed", "paid"]);
}
