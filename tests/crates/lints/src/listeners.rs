//! Every form of `#[listener]`.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Mutex;

use tidings::{AnyEvent, Context, listener};

use crate::events::{Closed, Confirm, Drawn, GetPage, Hidden, Moved, Page, Paid, Placed};

/// What the listeners did.
#[derive(Debug, Default)]
pub struct Log(pub Mutex<Vec<&'static str>>);

impl Log {
    fn note(&self, what: &'static str) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(what);
    }
}

/// Why a payment was refused.
#[derive(Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

/// State behind a trait.
pub trait Mail: Send + Sync {
    /// Sends a text.
    fn send(&self, text: &str);
}

/// Plain.
#[listener]
pub fn plain(e: &Paid) {
    println!("{}", e.0);
}

/// With every key.
///
/// # Errors
///
/// For large sums.
#[listener(
    "lints.*",
    Placed,
    early,
    before = confirm,
    before("lints.audit"),
    when = |e| e.total > 10,
    id = "lints.charge",
    emits(Closed),
    crate = ::tidings
)]
pub fn charge(
    e: &Placed,
    log: &Log,
    mail: Option<&dyn Mail>,
    #[cfg(any(unix, windows))] cx: Context<'_>,
) -> Result<Paid, Refused> {
    log.note("charge");
    mail.inspect(|mail| mail.send(cx.topic()));
    if e.total < 1000 {
        Ok(Paid(e.total))
    } else {
        Err(Refused)
    }
}

/// Ends the run.
#[listener]
pub fn confirm(e: &Placed) -> ControlFlow<()> {
    println!("{}", e.total);
    if e.total == 13 {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Hears several.
#[listener("lints.**", Paid, late, id = "lints.audit")]
pub fn audit(e: &AnyEvent<'_>, log: &Log) {
    log.note(e.topic());
}

/// Asynchronous.
///
/// # Errors
///
/// When too deep.
#[listener(when = |e| e.0 > 1)]
pub async fn wire(e: &Paid, log: &Log, cx: Context<'_>) -> Result<Option<Closed>, Refused> {
    std::future::ready(()).await;
    log.note("wire");
    if cx.depth() > 9 {
        Err(Refused)
    } else {
        Ok((e.0 > 2).then_some(Closed))
    }
}

/// Behind a queue.
///
/// # Errors
///
/// For large sums.
#[listener(
    queue = 64,
    workers = settings::WORKERS,
    key = |e| e.total,
    overflow = "reject",
    retry = 3,
    backoff = (settings::SHORT, settings::LONG),
    retry_if = |error| error.is::<Refused>(),
    when = |e| e.total > 10
)]
pub fn book(e: &Placed, log: &Log) -> Result<(), Refused> {
    log.note("book");
    if e.total < 1000 { Ok(()) } else { Err(Refused) }
}

/// Behind a queue, asynchronous.
#[listener("moved", queue = 64, workers = 2, key = |e| e.topic(), timeout = "5s")]
pub async fn book_any(e: &AnyEvent<'_>, log: &Log) {
    std::future::ready(()).await;
    log.note(e.topic());
}

mod settings {
    use std::time::Duration;

    pub(super) const WORKERS: usize = 4;
    pub(super) const SHORT: Duration = Duration::from_millis(100);
    pub(super) const LONG: Duration = Duration::from_secs(5);
}

/// Asynchronous, of several events.
#[listener("paid")]
pub async fn wire_any(e: &AnyEvent<'_>, log: &Log) {
    std::future::ready(e.version()).await;
    log.note("wire any");
}

/// Returns lists and tuples.
#[must_use]
#[listener]
pub fn split(e: &Moved) -> (Option<Closed>, Vec<Paid>) {
    match e {
        Moved::By(_) => (None, vec![Paid(1)]),
        Moved::To { .. } => (Some(Closed), Vec::new()),
        Moved::Nowhere => (None, Vec::new()),
    }
}

/// Of one kind of a generic event.
#[listener]
pub fn list(e: &Page<u8, 2>) {
    println!("{:?}", e.items);
}

/// Of an event that stays on its thread.
#[listener]
pub fn draw(e: &Drawn) {
    println!("{}", e.canvas);
}

#[listener]
fn hidden(_: &Hidden) {
    println!("hidden");
}

/// Answers.
///
/// # Errors
///
/// There is no page zero.
#[listener(reply, when = |e| e.0 < 100)]
pub fn page(e: &GetPage) -> Result<Vec<u8>, String> {
    if e.0 == 0 {
        return Err("no page".to_owned());
    }
    Ok(vec![e.0])
}

/// Answers later.
#[listener(reply)]
pub async fn confirm_later(_: &Confirm) {
    std::future::ready(()).await;
}

/// Of an event that is about to go.
#[allow(deprecated)]
pub mod old {
    use crate::events::Ordered;

    /// Hears it to the end.
    #[tidings::listener]
    pub fn ordered(_: &Ordered) {
        println!("ordered");
    }
}

/// Declares a listener in its body.
pub fn local() {
    /// Of this function only.
    #[tidings::listener(id = "lints.local")]
    fn closed(_: &Closed) {
        println!("closed");
    }

    println!("local");
}
