//! Prints how many threads 1,000 queues have that nobody uses, and how often these wake up in a second.

use std::error::Error;
use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tidings::{BuildError, Bus, event, listeners};

const QUEUES: usize = 1000;

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
            let status = fs::read_to_string(task?.path().join("status"))?;
            tasks.threads += 1;
            tasks.waits += status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
                .and_then(|count| count.trim().parse::<u32>().ok())
                .ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(tasks)
    }
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
