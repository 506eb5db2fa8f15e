//! Listeners that are called by the clock, on a virtual one: a day takes no time. On another runtime, and without one, they are the same.

use std::time::Duration;

use tidings::{Bus, Context, VirtualRuntime, event, listener};

#[event]
struct Typed {
    user: &'static str,
    text: &'static str,
}

#[event]
struct Moved {
    to: u32,
}

#[event]
struct Rates {
    hour: u64,
}

/// What the listeners say, with the time on their clock.
struct Log(VirtualRuntime);

impl Log {
    fn line(&self, text: &str) {
        println!("{:>9.1?}  {text}", self.0.elapsed());
    }
}

/// No event: at the end of every period.
#[listener(every = "6h")]
fn ask_for_rates(log: &Log) -> Rates {
    Rates {
        hour: log.0.elapsed().as_secs() / 3600,
    }
}

#[listener]
fn show(e: &Rates, cx: Context<'_>, log: &Log) {
    let cause = cx.cause().and_then(|cause| cause.listener());
    let by = cause.map_or_else(String::new, |by| by.function().to_owned());
    log.line(&format!("rates of {} o'clock, from `{by}`", e.hour));
}

/// The last text of each user, once nothing was typed for 200 ms.
#[listener(debounce = "200ms", key = |e| e.user)]
fn search(e: &Typed, log: &Log) {
    log.line(&format!("{} searches for `{}`", e.user, e.text));
}

/// The first position at once, then at most one a second, which is the latest.
#[listener(throttle = "1s")]
async fn draw(e: &Moved, log: &Log) {
    log.line(&format!("drawn at {}", e.to));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let time = VirtualRuntime::new();
    let builder = Bus::builder().state(Log(time.clone()));
    let bus = builder.runtime(time.clone()).build()?;

    for text in ["c", "co", "cof"] {
        bus.emit(Typed { user: "Ada", text });
        time.advance(Duration::from_millis(100));
    }
    bus.emit(Typed {
        user: "Bob",
        text: "tea",
    });
    for to in 0..50 {
        bus.emit(Moved { to });
        time.advance(Duration::from_millis(50));
    }

    time.advance(Duration::from_secs(24 * 3600));
    bus.emit(Typed {
        user: "Ada",
        text: "coffee",
    });
    // What waits for its time is delivered at once.
    let shutdown = bus.shutdown_blocking(Duration::from_secs(5))?;
    println!("{shutdown}");

    for (listener, figures) in bus.queues() {
        let (function, mode) = (listener.function(), listener.mode());
        let (delivered, replaced) = (figures.delivered, figures.replaced);
        println!("{function} ({mode}): {delivered} delivered, {replaced} replaced");
    }
    Ok(())
}
