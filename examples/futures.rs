//! Promises: a result that comes later, callbacks that never run inline, errors, and cancelling.

use std::error::Error;
use std::time::Duration;

use tidings::event_loop::{EventLoop, PromiseError};

fn main() -> Result<(), Box<dyn Error>> {
    let lp = EventLoop::virtual_time();

    let (promise, answer) = lp.promise::<u32>();
    println!(
        "before: {:?}",
        answer
            .result()
            .map(|value| *value)
            .map_err(|e| e.to_string())
    );
    answer.on_done(|lp, result| {
        println!("callback at {:?}: {:?}", lp.elapsed(), result.ok());
    });
    lp.call_later(Duration::from_secs(3), |_| {
        promise.resolve(42);
        println!("resolved, and no callback has run yet");
    })?;
    println!("awaited: {}", lp.run_until_complete(answer)??);

    let (promise, answer) = lp.promise::<u32>();
    promise.reject("the line is dead");
    println!("rejected: {}", lp.run_until_complete(answer)?.unwrap_err());

    let (promise, answer) = lp.promise::<u32>();
    assert!(answer.cancel());
    assert!(matches!(answer.result(), Err(PromiseError::Cancelled)));
    println!(
        "cancelled, and the other half knows: {}",
        promise.is_cancelled()
    );

    let (promise, answer) = lp.promise();
    let promise = promise.shared();
    promise.resolve("first")?;
    println!("twice: {}", promise.resolve("second").unwrap_err());
    println!("it stays: {}", *answer.result()?);

    let late = lp.timeout(Duration::from_secs(1), std::future::pending::<()>());
    println!("too late: {}", lp.run_until_complete(late)?.unwrap_err());
    Ok(())
}
