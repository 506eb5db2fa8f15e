//! All that timed listeners may say.
#![deny(warnings, clippy::pedantic)]

use std::time::Duration;

use tidings::{AnyEvent, Bus, Context, Missed, event, listener, listeners};

#[event]
struct Typed {
    user: String,
}

struct Log;

const PERIOD: Duration = Duration::from_secs(60);

#[listener(every = "1h30m")]
fn alone() {}

/// With everything.
#[listener(every = PERIOD, missed = "burst", id = "clock.all", emits(Typed), timeout = PERIOD)]
async fn all(log: &Log, cx: Context<'_>, #[cfg(any())] nothing: &Nothing, more: Option<&u8>) -> Result<Vec<Typed>, String> {
    let _ = (log, cx.topic(), more);
    std::future::ready(()).await;
    Ok(Vec::new())
}

#[listener(debounce = "200ms", key = |e| e.user, when = |e| !e.user.is_empty(), early, before = throttled)]
fn debounced(_: &Typed, _: &Log) {}

#[listener(throttle = PERIOD, timeout = "1s", late)]
async fn throttled(_: &Typed) {}

#[listener("**", throttle = "1s", key = |e| e.topic())]
fn any(_: &AnyEvent<'_>) -> Result<(), String> {
    Ok(())
}

macro_rules! ticks {
    ($($name:ident $period:literal)*) => {
        $(#[listener(every = $period)] fn $name() {})*
    };
}

ticks!(hourly "1h" daily "1d");

struct Screen;

#[listeners]
impl Screen {
    #[listener(every = "16ms")]
    fn draw(&self, _: &Log) {}

    #[listener(every = "1s")]
    async fn clean(&self) {}

    #[listener(debounce = "1s", key = |e| e.user)]
    async fn save(&self, _: &Typed) {}

    #[listener(every = "1s")]
    fn count() {}
}

fn main() {
    alone();
    let bus = Bus::builder().state(Log).on_failure(|_| ());
    let bus = bus.tune(alone, |policy| policy.missed(Missed::Delay));
    let bus = bus.build().unwrap();
    let screen = bus.attach(std::sync::Arc::new(Screen)).unwrap();
    bus.emit(Typed { user: "ann".into() });
    drop(screen);
}
