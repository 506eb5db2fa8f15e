//! A plain `main` that runs the loop itself: the first signal stops that run.

use tidings::{EventLoop, SignalReceived, listener};

#[listener(queue = 4)]
fn hear(e: &SignalReceived) {
    println!("heard {}", e.signal);
}

#[tidings::main]
fn main() -> Result<(), tidings::event_loop::LoopError> {
    let lp = EventLoop::current().expect("it is entered");
    lp.call_soon(|_| println!("ready"))?;
    lp.run_forever()?;
    println!("stopped");
    Ok(())
}
