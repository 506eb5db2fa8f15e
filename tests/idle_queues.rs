//! Queues that have nothing to do cost no thread and wake nobody. Alone in its program: all threads of the process are counted.
#![cfg(feature = "runtime")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use tidings::{Bus, event, listeners};

const QUEUES: usize = 1000;

#[event]
struct Printed;

#[derive(Default)]
struct Printer(AtomicUsize);

#[listeners]
impl Printer {
    /// Has a queue for each instance.
    #[listener(queue = 64)]
    fn print(&self, _: &Printed) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// How often each thread of this process but the one that asks was given a processor and gave it back.
fn switches() -> BTreeMap<String, u64> {
    let own = fs::read_link("/proc/thread-self").unwrap();
    fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| task.unwrap())
        .filter(|task| Some(task.file_name().as_os_str()) != own.file_name())
        .filter_map(|task| {
            // Some may have ended since they were listed.
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let counts = status
                .lines()
                .filter_map(|line| line.split_once("ctxt_switches:"));
            let switches = counts.map(|(_, count)| count.trim().parse::<u64>().unwrap());
            Some((task.file_name().into_string().unwrap(), switches.sum()))
        })
        .collect()
}

/// The switches that happen while nobody does anything.
fn idle_switches() -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let before = switches();
    thread::sleep(Duration::from_millis(300));
    (before, switches())
}

#[test]
fn a_thousand_idle_queues_have_no_threads_and_wake_nobody() {
    if !cfg!(target_os = "linux") {
        println!(
            "skipped a_thousand_idle_queues_have_no_threads_and_wake_nobody: threads are counted on Linux only"
        );
        return;
    }
    let threads = switches().len();
    // It is told that eight threads are too few for all of them at once.
    let builder = Bus::builder().threads(8).on_failure(|_| ());
    let bus = builder.build().unwrap();
    let printer = Arc::new(Printer::default());
    for _ in 0..QUEUES {
        bus.attach(Arc::clone(&printer)).unwrap().forever();
    }
    assert_eq!(bus.queues().len(), QUEUES);

    let (before, after) = idle_switches();
    assert_eq!(before.len(), threads, "no queue has a thread");
    assert_eq!(before, after, "nobody woke up");

    // A few threads go from queue to queue; each waits for more afterwards, and wakes up once to end.
    assert_eq!(bus.emit(Printed).report().queued(), QUEUES);
    while printer.0.load(Ordering::SeqCst) < QUEUES {
        thread::yield_now();
    }
    let (before, after) = idle_switches();
    for (thread, switches) in after {
        // Some may be on their way to sleep at first.
        let more = switches - before.get(&thread).copied().unwrap_or(0);
        assert!(more < 50, "thread {thread} woke up {more} times");
    }
}
