//! A `main` that fails in the way its first argument says.

use std::process::ExitCode;

use tidings::event_loop::{EventLoop, Fatal};
use tidings::{event, listener};

#[event]
struct Ended;

#[listener(queue = 1)]
fn note(_: &Ended) {
    println!("noted");
}

#[tidings::main]
async fn main() -> Result<ExitCode, String> {
    tidings::emit(Ended);
    let lp = EventLoop::current().ok_or("no loop runs")?;
    match std::env::args().nth(1).as_deref() {
        Some("error") => Err("out of stock".to_owned()),
        Some("code") => Ok(ExitCode::from(7)),
        Some("panic") => panic!("the roof"),
        Some("fatal") => {
            let fatal = |_: &EventLoop| Err::<(), _>(Fatal::new("the disk is gone"));
            lp.call_soon(fatal).map_err(|error| error.to_string())?;
            std::future::pending().await
        }
        Some("stop") => {
            lp.stop();
            std::future::pending().await
        }
        Some("stop later") => {
            lp.call_soon(EventLoop::stop)
                .map_err(|error| error.to_string())?;
            lp.cancelled().await;
            Ok(ExitCode::from(7))
        }
        Some("terminate") => {
            #[cfg(unix)]
            tidings::Signal::Terminate
                .raise()
                .map_err(|error| error.to_string())?;
            std::future::pending().await
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
