//! What `#[cfg]` takes away leaves no trace.

use tidings::{event, listener, listeners, Bus, Context};

#[event]
struct Placed {
    #[cfg(any())]
    gone: Gone,
    #[cfg(all())]
    #[allow(dead_code)]
    total: u32,
}

#[event]
#[allow(dead_code)]
enum Moved {
    #[cfg(any())]
    Gone(Gone),
    Here,
}

#[cfg(any())]
#[listener]
fn gone(_: &Gone) {}

#[listener]
#[cfg(any())]
fn gone_below(_: &Gone) {}

#[cfg_attr(all(), listener(early))]
#[cfg_attr(any(), listener("gone.*"))]
fn charge(_: &Placed) {}

#[listener(when = |_| true)]
fn parameters(
    _: &Placed,
    #[cfg(any())] _gone: &Gone,
    #[cfg(all())] _count: Option<&u32>,
    #[cfg(all())] _cx: Context<'_>,
) {
}

#[listener]
async fn later(_: &Placed, #[cfg(any())] _gone: &Gone, #[cfg(all())] _count: Option<&u32>) {}

struct Mailer;

#[listeners]
impl Mailer {
    #[cfg(any())]
    #[listener]
    fn gone(&self, _: &Gone) {}

    #[listener]
    #[cfg(any())]
    fn gone_too(_: &Gone) {}

    #[cfg(all())]
    #[listener]
    fn confirm(&self, _: &Placed, #[cfg(any())] _gone: &Gone) {}

    #[cfg(all())]
    #[listener]
    fn count(_: &Placed) {}
}

#[cfg(all())]
#[listener]
fn either(_: &Moved) {}

#[cfg(not(all()))]
#[listener]
fn either(_: &Gone) {}

fn main() {
    let bus = Bus::builder().build().expect("nothing is missing");
    let _mailer = bus.attach(std::sync::Arc::new(Mailer)).expect("nothing is missing");
    assert_eq!(bus.emit(Placed { total: 1 }).report().ran(), 4);
    assert_eq!(bus.emit(Moved::Here).report().ran(), 1);
    let catalog = tidings::catalog();
    let placed = catalog.events().iter().find(|e| e.topic() == "placed").expect("it is declared");
    assert_eq!(placed.fields().len(), 1);
}
