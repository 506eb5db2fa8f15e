//! A program that is told to stop: what it does then, its first argument says. It prints `ready` when it can be told.

// Under another name than its own.
extern crate tidings as news;

use std::time::Duration;

use news::{EventLoop, SignalReceived, listener};

#[listener(crate = ::news)]
fn hear(e: &SignalReceived) {
    println!("heard {}", e.signal);
}

struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        println!("main was dropped");
    }
}

#[news::main(crate = ::news, grace = "50ms")]
async fn main() {
    let lp = EventLoop::current().expect("a loop runs here");
    let _dropped = Dropped;
    println!("ready");
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => {
            lp.cancelled().await;
            lp.next_turn().await;
            println!("tidied up");
        }
        Some("dawdle") => {
            lp.cancelled().await;
            println!("asked");
            std::future::pending::<()>().await;
        }
        Some("stuck") => {
            lp.cancelled().await;
            println!("asked");
            std::thread::sleep(Duration::from_secs(60));
        }
        _ => std::future::pending().await,
    }
}
