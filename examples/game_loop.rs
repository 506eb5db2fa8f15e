//! A game that hosts the loop: one turn a frame, which does not wait, between the input and the picture.

use std::time::Duration;

use tidings::event_loop::{EventLoop, Missed};
use tidings::{Bus, event, listener};

#[event]
struct Spawned {
    what: &'static str,
}

#[listener]
fn greet(e: &Spawned) {
    println!("  a {} appears", e.what);
}

const FRAME: Duration = Duration::from_millis(16);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _bus = Bus::builder().build()?.install()?;
    // A game on the real clock draws at its own pace and gives `turn` a wait of zero.
    let lp = EventLoop::virtual_time();
    lp.emit_later(FRAME, Spawned { what: "monster" })?;
    lp.call_every(2 * FRAME, Missed::Skip, |_| println!("  the clock ticks"))?;
    let own = lp.clone();
    lp.spawn(async move {
        println!("  the door opens");
        own.sleep(3 * FRAME).await;
        println!("  the door closes");
    })?
    .detach();
    // The player leaves. With the feature `signal`, `stop_on_signals` lets Ctrl-C do the same.
    lp.call_later(5 * FRAME, EventLoop::stop)?;

    'frames: for frame in 0.. {
        println!("frame {frame}");
        // At most one frame's time for what is due, then the picture.
        let next = lp.time() + FRAME;
        while lp.time() < next {
            if lp.turn(next - lp.time())?.is_stopped {
                break 'frames;
            }
        }
    }
    println!("saved");
    Ok(())
}
