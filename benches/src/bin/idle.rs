//! Prints how many threads 1,000 queues have that nobody uses, and how often these wake up in a second; then how often a loop with 100,000 timers does.

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tidings::{BuildError, Bus, EventLoop, event, listeners};

const QUEUES: usize = 1000;

const TIMERS: u64 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    if !cfg!(target_os = "linux") {
        println!("skipped\tthreads and their wake-ups are counted on Linux only");
        return Ok(());
    }
    let before = Tasks::now()?;
    let bus = idle(QUEUES)?;
    assert_eq!(bus.queues().len(), QUEUES);
    let built = Tasks::now()?;
    thread::sleep(Duration::from_secs(1));
    let after = Tasks::now()?;
    println!("idle threads\t{}", after.threads - before.threads);
    // One of them is the end of the sleep.
    println!("idle wake-ups\t{}", after.waits - built.waits - 1);
    drop(bus);

    let lp = EventLoop::new()?;
    for timer in 0..TIMERS {
        lp.call_later(
            Duration::from_hours(1) + Duration::from_micros(timer),
            |_| (),
        )?;
    }
    let remote = lp.remote();
    let stop = thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        remote.stop();
    });
    let before = waits("/proc/thread-self/status")?;
    lp.run_forever()?;
    let after = waits("/proc/thread-self/status")?;
    stop.join().map_err(|_| "the thread panicked")?;
    // One of them is the end of the run.
    println!("idle loop wake-ups\t{}", after - before - 1);
    Ok(())
}

/// The threads of this process.
struct Tasks {
    threads: u32,
    /// How often one of them gave its processor back to wait for something.
    waits: u32,
}

impl Tasks {
    fn now() -> io::Result<Self> {
        let mut tasks = Self {
            threads: 0,
            waits: 0,
        };
        for task in fs::read_dir("/proc/self/task")? {
            tasks.threads += 1;
            tasks.waits += waits(task?.path().join("status"))?;
        }
        Ok(tasks)
    }
}

/// How often a thread gave its processor back, of its `status` file.
fn waits(status: impl AsRef<Path>) -> io::Result<u32> {
    fs::read_to_string(status)?
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
        .and_then(|count| count.trim().parse().ok())
        .ok_or(io::ErrorKind::InvalidData.into())
}

#[event]
struct Printed;

/// Has a queue for each instance that is attached.
#[derive(Default)]
struct Printer(AtomicU64);

#[listeners]
impl Printer {
    #[listener(queue = 64)]
    fn print(&self, _: &Printed) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A bus with so many queues, which nobody has used.
fn idle(queues: usize) -> Result<Bus, BuildError> {
    let bus = Bus::empty();
    for _ in 0..queues {
        bus.attach(Arc::new(Printer::default()))?.forever();
    }
    Ok(bus)
}
