//! Listeners of batches, in all their forms.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings::{AnyEvent, Bus, Context, event, listener, listeners};

#[event]
struct Placed {
    customer: String,
}

#[event("lists.paged")]
struct Paged<T>(T);

const SIZE: usize = 4;

static EVENTS: AtomicUsize = AtomicUsize::new(0);

#[listener(queue = 64, batch = SIZE * 2)]
fn constant(events: &[&Placed]) {
    EVENTS.fetch_add(events.len(), Ordering::SeqCst);
}

#[listener(queue = 64, batch = 1usize, key = |e| e.customer, retry = 1, when = |e| !e.customer.is_empty())]
fn full(
    events: &'_ [&Placed],
    total: &AtomicUsize,
    missing: Option<&String>,
    cx: Context<'_>,
) -> Result<(), String> {
    assert_eq!((missing, cx.topic(), events.len()), (None, "placed", 1));
    total.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[listener(queue = 64, batch = 8)]
fn lifetimes(events: &'_ [&'_ Placed]) {
    EVENTS.fetch_add(events.len(), Ordering::SeqCst);
}

#[listener(queue = 64, batch = 8)]
fn generic(events: &[&Paged<Vec<u8>>]) {
    EVENTS.fetch_add(events.iter().map(|e| e.0.len()).sum(), Ordering::SeqCst);
}

#[listener("placed", queue = 64, workers = 2, batch = 8, key = |e| e.topic())]
fn any(events: &[&AnyEvent<'_>]) {
    EVENTS.fetch_add(events.len(), Ordering::SeqCst);
}

#[event]
struct Shipped;

// Not heard here, since its workers are tasks.
#[listener(queue = 64, batch = 8, timeout = "1s", when = |_| true)]
async fn asynchronous(events: &[&Shipped], cx: Context<'_>) -> Result<(), String> {
    std::future::ready(()).await;
    let _ = (events, cx);
    Ok(())
}

#[listener("shipped", queue = 64, batch = 8)]
async fn any_async(events: &[&AnyEvent<'_>]) {
    std::future::ready(()).await;
    let _ = events.len();
}

macro_rules! batched {
    ($name:ident, $event:ty, $size:expr) => {
        #[tidings::listener(queue = 64, batch = $size)]
        fn $name(events: &[&$event]) {
            EVENTS.fetch_add(events.len(), Ordering::SeqCst);
        }
    };
}

batched!(made, Placed, SIZE);

struct Index;

impl Index {
    const SIZE: usize = 3;
}

#[listeners]
impl Index {
    #[listener(queue = 64, batch = Self::SIZE)]
    fn method(&self, events: &[&Placed]) {
        EVENTS.fetch_add(events.len(), Ordering::SeqCst);
    }

    #[listener(queue = 64, batch = Self::SIZE)]
    fn function(events: &[&Placed]) {
        EVENTS.fetch_add(events.len(), Ordering::SeqCst);
    }
}

fn main() {
    let bus = Bus::builder()
        .without((asynchronous, any_async))
        .state(AtomicUsize::new(0))
        .tune((constant, Index::method), |policy| {
            policy.batch(policy.max_batch() + 1)
        })
        .build()
        .unwrap();
    let attached = bus.attach(std::sync::Arc::new(Index)).unwrap();
    let customer = "Ada".to_owned();
    assert_eq!(bus.emit(Placed { customer }).report().queued(), 7);
    assert_eq!(bus.emit(Paged(vec![1_u8, 2])).report().queued(), 1);
    let shutdown = bus.shutdown_blocking(Duration::from_secs(60)).unwrap();
    assert!(shutdown.is_clean(), "{shutdown}");
    drop(attached);
    // Six listeners of the one, two numbers of the other.
    assert_eq!(EVENTS.load(Ordering::SeqCst), 6 + 2);
}
