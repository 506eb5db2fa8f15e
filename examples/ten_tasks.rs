//! Ten tasks that sleep for one second each, at the same time: they end together, in the order in which they began.

use std::error::Error;
use std::time::Duration;

use tidings::event_loop::EventLoop;

fn main() -> Result<(), Box<dyn Error>> {
    // On the real clock the same program takes a second.
    let lp = EventLoop::virtual_time();
    let mut tasks = Vec::new();
    for number in 0..10 {
        let own = lp.clone();
        tasks.push(lp.spawn_named(format!("task {number}"), async move {
            own.sleep(Duration::from_secs(1)).await;
            println!("task {number} ends at {:?}", own.elapsed());
            number
        })?);
    }
    println!("{} tasks", lp.task_count());
    let numbers = lp.run_until_complete(futures::future::try_join_all(tasks))??;
    println!("{numbers:?} after {:?}", lp.elapsed());
    Ok(())
}
