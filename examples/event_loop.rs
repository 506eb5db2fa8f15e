//! The event loop by name: callbacks now, later and at a time, a run that is stopped, and a loop that is closed.

use std::time::Duration;

use tidings::event_loop::{EventLoop, LoopError};

fn hello_world(lp: &EventLoop) {
    println!("Hello World");
    lp.stop();
}

fn main() -> Result<(), LoopError> {
    let lp = EventLoop::new()?;
    lp.call_soon(hello_world)?;
    lp.run_forever()?;

    // What a callback schedules waits for the next turn; a timer is never early.
    let at = lp.time() + Duration::from_millis(20);
    lp.call_at(at, |_| println!("at its time"))?;
    lp.call_later(Duration::from_millis(10), |_| println!("a little later"))?;
    let taken_back = lp.call_later(Duration::from_millis(5), |_| println!("never"))?;
    assert!(taken_back.cancel());
    lp.call_soon(|lp| {
        println!("in this turn");
        lp.call_soon(|_| println!("in the next one")).map(drop)
    })?;
    lp.run_until_idle()?;

    let answer = lp.run_until_complete(async {
        lp.sleep(Duration::from_millis(1)).await;
        42
    })?;
    println!("a future's value: {answer}");

    println!("dropped with the loop: {:?}", lp.close()?.is_empty());
    assert!(matches!(lp.call_soon(hello_world), Err(LoopError::Closed)));
    Ok(())
}
