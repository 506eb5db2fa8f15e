//! A listener of signals that stops the loop, in a program that does so by itself.

use tidings::event_loop::EventLoop;
use tidings::{SignalReceived, listener};

#[listener]
fn stop(_: &SignalReceived) {
    EventLoop::current().expect("a loop runs here").stop();
}

#[tidings::main]
async fn main() -> std::io::Result<()> {
    let lp = EventLoop::current().expect("a loop runs here");
    #[cfg(unix)]
    tidings::Signal::Terminate.raise()?;
    if std::env::args().nth(1).as_deref() == Some("deaf") {
        return std::future::pending().await;
    }
    let reason = lp.cancelled().await;
    lp.next_turn().await;
    println!("tidied up: {reason}");
    Ok(())
}
