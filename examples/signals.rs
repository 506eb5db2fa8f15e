//! A service that reads its settings again on one signal and ends on another. It sends both to itself.

#[cfg(unix)]
mod service {
    use std::time::Duration;

    use tidings::{EventLoop, Signal, SignalReceived, event, listener};

    #[event]
    struct SettingsRead {
        times: u32,
    }

    #[listener(when = |e| e.signal == Signal::Terminate)]
    fn say_goodbye(e: &SignalReceived) {
        println!("{} came, no new orders please", e.signal);
    }

    #[listener]
    fn log(e: &SettingsRead) {
        println!("settings read, time {}", e.times);
    }

    pub(super) async fn run() -> Result<(), tidings::event_loop::LoopError> {
        let lp = EventLoop::current().expect("`#[tidings::main]` made one");
        let mut times = 0;
        lp.on_signal(Signal::Hangup, move |_| {
            times += 1;
            tidings::emit(SettingsRead { times });
            // As an operator would, once everything runs.
            Signal::Terminate.raise()
        })?;
        Signal::Hangup
            .raise()
            .map_err(tidings::event_loop::LoopError::Driver)?;

        lp.cancelled().await;
        lp.sleep(Duration::from_millis(10)).await;
        println!("last order done");
        Ok(())
    }
}

#[cfg(unix)]
#[tidings::main(grace = "10s")]
async fn main() -> Result<(), tidings::event_loop::LoopError> {
    service::run().await
}

#[cfg(not(unix))]
fn main() {}
