//! Cascades: what a listener returns is emitted after its event has reached everybody.

use tidings::{BuildError, Bus, Context, FailureKind, event, listener};

#[event("order.placed")]
struct Placed {
    order: u64,
    items: Vec<&'static str>,
}

#[event("item.reserved")]
struct Reserved {
    item: &'static str,
}

#[event("item.missing")]
struct Missing {
    item: &'static str,
}

#[event("order.accepted")]
struct Accepted {
    order: u64,
}

/// A listener may return an event, an `Option`, a `Vec`, a tuple, or a `Result` of these.
#[listener]
fn reserve(e: &Placed) -> (Vec<Reserved>, Option<Missing>) {
    println!("reserve the items of order #{}", e.order);
    let (gone, there): (Vec<_>, Vec<_>) = e.items.iter().partition(|item| **item == "teapot");
    let reserved = there.into_iter().map(|item| Reserved { item }).collect();
    (reserved, gone.first().map(|item| Missing { item }))
}

#[listener]
fn accept(e: &Placed) -> Accepted {
    println!("accept order #{}", e.order);
    Accepted { order: e.order }
}

#[listener]
fn on_reserved(e: &Reserved, cx: Context<'_>) {
    let cause = cx.cause().and_then(|cause| cause.listener());
    let function = cause.map_or("nobody", |listener| listener.function());
    println!("  {} reserved, because of `{function}`", e.item);
}

#[listener]
fn on_missing(e: &Missing) {
    println!("  {} is missing", e.item);
}

#[listener]
fn on_accepted(e: &Accepted) {
    println!("  order #{} is accepted", e.order);
}

#[event]
struct Echo(u32);

/// Answers itself for ever. The 65th level is refused.
#[listener]
fn echo(e: &Echo) -> Echo {
    Echo(e.0 + 1)
}

fn main() -> Result<(), BuildError> {
    let bus = Bus::builder()
        .on_failure(|failure| {
            assert_eq!(failure.kind(), FailureKind::Depth);
            println!("{}", failure.message());
        })
        .build()?;
    let items = vec!["mug", "teapot", "spoon"];
    bus.emit(Placed { order: 7, items });
    bus.emit(Echo(1));
    Ok(())
}
