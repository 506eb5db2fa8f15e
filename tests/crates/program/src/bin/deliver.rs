//! Everything that a plain `main` began is delivered at its end.

use std::sync::Mutex;
use std::time::Duration;

use tidings::{BusBuilder, EventLoop, emit, event, listener};

#[event]
struct Placed(u32);

#[listener]
async fn confirm(e: &Placed) {
    assert!(EventLoop::current().is_some());
    tokio::time::sleep(Duration::from_millis(5)).await;
    println!("confirmed {}", e.0);
}

#[listener(queue = 8)]
fn ship(e: &Placed, shelf: &Mutex<Vec<u32>>) {
    let mut shelf = shelf.lock().expect("nobody panics with it");
    shelf.push(e.0);
    println!("shipped {}", shelf.len());
}

#[listener]
fn refuse(e: &Placed) -> Result<(), String> {
    Err(format!("no {} here", e.0))
}

fn shelf(bus: BusBuilder) -> Result<BusBuilder, String> {
    let lp = EventLoop::current().ok_or("no loop")?;
    assert!(!lp.is_running());
    Ok(bus.state(Mutex::new(Vec::<u32>::new())))
}

#[tidings::main(bus = shelf, grace = "10s")]
fn main() {
    emit(Placed(7));
    let lp = EventLoop::current().expect("it is entered");
    let own = lp.clone();
    let task = lp.spawn(async move {
        own.cancelled().await;
        println!("tidied up");
    });
    task.expect("the loop is open").detach();
    println!("main is over");
}
