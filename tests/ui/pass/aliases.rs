//! Types under other names: a trait tells parameters apart, not their spelling.

use std::ops::ControlFlow;
use std::sync::Arc;

use tidings::{event, listener, AnyEvent, Bus};

struct Database;

trait Mail: Send + Sync {
    fn send(&self) -> u32;
}

struct Smtp;

impl Mail for Smtp {
    fn send(&self) -> u32 {
        7
    }
}

type Db<'a> = &'a Database;
type Maybe<'a> = Option<&'a Database>;
type Place<'a> = tidings::Context<'a>;
type Everything<'a> = AnyEvent<'a>;
type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;
type Flow = ControlFlow<()>;
type Many = (Option<Paid>, Vec<Paid>);

#[event(stoppable)]
struct Placed;
#[event]
struct Paid;
type Order = Placed;

mod events {
    pub(crate) use super::Placed as Renamed;
}

#[listener(Order)]
fn charge(_: &Order, _db: Db<'_>, _maybe: Maybe<'_>, cx: Place<'_>) -> Outcome {
    assert_eq!(cx.topic(), "placed");
    Ok(())
}

#[listener("placed")]
fn audit(_: &Everything<'_>) {}

#[listener]
fn mail(_: &events::Renamed, mail: &dyn Mail, maybe: Option<&dyn Mail>) -> Many {
    assert_eq!(mail.send(), 7);
    assert!(maybe.is_some());
    (None, vec![Paid])
}

#[listener(late)]
fn stop(_: &self::events::Renamed) -> Flow {
    Flow::Break(())
}

#[listener]
async fn later(_: &Order, _db: Db<'_>, _cx: Place<'_>) -> Result<Option<Paid>, String> {
    Ok(None)
}

fn main() {
    let mail: Arc<dyn Mail> = Arc::new(Smtp);
    let bus = Bus::builder().state(Database).state(mail).build().expect("all state is given");
    let report = bus.emit(Placed).report();
    assert_eq!(report.ran(), 4);
    assert!(report.stopped_by().is_some());
}
