//! Requests and awaited events: one listener answers, the others observe, and whoever waits is always told.
//!
//! In virtual time, so that the waits take none.

use std::error::Error;
use std::time::Duration;

use tidings::{Bus, Context, Overflow, RequestErrorKind, Runtime, VirtualRuntime, event, listener};

#[event(reply = Quote)]
struct GetQuote {
    pieces: u32,
}

struct Quote {
    cents: u32,
}

/// What asks for the price, and how long that takes, is known only here.
#[listener(reply)]
async fn quote(e: &GetQuote, time: &VirtualRuntime) -> Result<Quote, String> {
    time.sleep_until(time.now() + Duration::from_secs(e.pieces.into()))
        .await;
    if e.pieces == 13 {
        return Err("nobody sells thirteen".to_owned());
    }
    Ok(Quote {
        cents: e.pieces * 250,
    })
}

#[listener]
fn count_requests(e: &GetQuote) {
    println!("  somebody asks for {} pieces", e.pieces);
}

#[event]
struct Ordered {
    order: u32,
}

#[event]
struct Paid {
    order: u32,
}

/// A process of several steps, written as one function.
#[listener]
async fn ship_when_paid(e: &Ordered, cx: Context<'_>) {
    let order = e.order;
    let paid = cx.next_where(move |paid: &Paid| paid.order == order);
    match paid.within(Duration::from_secs(3600)).await {
        Ok(paid) => println!("  order {} is on its way", paid.order),
        Err(error) => println!("  order {order} is cancelled: {error}"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let time = VirtualRuntime::new();
    let bus = Bus::builder()
        .state(time.clone())
        .runtime(time.clone())
        .on_failure(|failure| println!("  reported: {}", failure.message()))
        .build()?;

    println!("an answer:");
    let quote = time.block_on(bus.request(GetQuote { pieces: 4 }))?;
    println!("  {} cents", quote.cents);

    println!("\nno answer:");
    for pieces in [13, 60] {
        let request = bus
            .request(GetQuote { pieces })
            .within(Duration::from_secs(30));
        if let Err(error) = time.block_on(request) {
            // The answerer's own words are those of the source.
            let why = error.source().map(|source| format!(": {source}"));
            println!("  {:?}: {error}{}", error.kind(), why.unwrap_or_default());
            assert_ne!(error.kind(), RequestErrorKind::NoListener);
        }
    }

    println!("\nevents that are waited for:");
    let mut paid = bus
        .stream::<Paid>()
        .bounded(2)
        .overflow(Overflow::DropOldest);
    for order in 1..=3 {
        bus.emit(Ordered { order });
    }
    time.run_until_stalled();
    for order in [2, 3, 4] {
        bus.emit(Paid { order });
    }
    time.advance(Duration::from_secs(3600));

    time.block_on(bus.shutdown(Duration::from_secs(5)))?;
    println!(
        "\nthe stream kept the last two, and dropped {}:",
        paid.dropped()
    );
    while let Some(paid) = time.block_on(paid.next()) {
        println!("  order {} was paid", paid.order);
    }
    Ok(())
}
