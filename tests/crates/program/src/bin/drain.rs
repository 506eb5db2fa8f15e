//! A program whose loop is stopped, or fails, while the bus delivers what `main` emitted: its first argument says which.

use std::time::Duration;

use tidings::event_loop::{EventLoop, Fatal, LoopError};
use tidings::{Context, emit, event, listener};

#[event]
struct Order(u32);

#[listener(queue = 8)]
async fn ship(order: &Order, cx: Context<'_>) -> Result<(), LoopError> {
    cx.sleep(Duration::from_millis(1)).await;
    println!("shipped {}", order.0);
    let lp = EventLoop::current().expect("the queue is on the loop");
    match std::env::args().nth(1).as_deref() {
        Some("remote") => lp.remote().stop(),
        Some("fatal") if order.0 == 1 => {
            lp.call_soon(|_| Err::<(), _>(Fatal::new("the disk is gone")))?;
        }
        Some("fatal") => {}
        _ => lp.stop(),
    }
    Ok(())
}

#[tidings::main]
async fn main() -> Result<(), LoopError> {
    let lp = EventLoop::current().expect("a loop runs here");
    let own = lp.clone();
    let tidy = async move {
        own.cancelled().await;
        own.next_turn().await;
        println!("tidied up");
    };
    lp.spawn(tidy)?.detach();
    lp.next_turn().await;
    for n in 1..=3 {
        emit(Order(n));
    }
    Ok(())
}
