//! Queues whose numbers and times are constant expressions, and keys of several types, in functions, in macros and in impl blocks.

use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings::{AnyEvent, Bus, Overflow, event, listener, listeners};

#[event]
struct Placed {
    customer: String,
    shop: u32,
    line: (u8, String),
}

const SIZE: usize = 4;
const TIMES: u32 = 2;
const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_millis(5);

static CALLS: AtomicUsize = AtomicUsize::new(0);

fn count() {
    CALLS.fetch_add(1, Ordering::SeqCst);
}

mod settings {
    pub const fn twice(base: usize) -> usize {
        base * 2
    }
}

#[listener(
    queue = settings::twice(SIZE),
    workers = SIZE - 1,
    key = |e| e.customer,
    overflow = "drop_oldest",
    retry = TIMES + 1,
    backoff = (SHORT, LONG),
    retry_if = |error| error.is::<Error>(),
    when = |e| e.shop > 0,
)]
fn constants(_: &Placed) -> Result<(), Error> {
    count();
    Ok(())
}

#[listener(queue = 8_usize, workers = 2usize, key = |e| (e.shop, e.customer.as_str()), retry = 3u32, backoff = " 1ms .. 1s500ms ")]
fn literals(_: &Placed) -> Result<(), String> {
    count();
    Ok(())
}

#[listener(queue = { let size = SIZE; size + 1 }, workers = 2, key = |e: &Placed| e.line, backoff = ("1ms", LONG), retry = 1, when = |e| e.shop > 100)]
fn mixed(_: &Placed) -> Result<(), Error> {
    unreachable!("no shop is that far away")
}

#[listener(queue = 8, workers = 2, key = |Placed { shop, customer, .. }| { let half = shop / 2; (half, customer) })]
fn patterns(_: &Placed) {
    count();
}

#[listener("**", queue = 8, workers = 2, key = |e| e.topic())]
fn any(_: &AnyEvent) {
    count();
}

// Not heard here, since its workers are tasks.
#[event]
struct Shipped(u32);

#[listener(queue = SIZE, workers = 2, key = |e| e.0, timeout = LONG, overflow = "reject", when = |e| e.0 > 1)]
async fn asynchronous(_: &Shipped, bus: tidings::Context<'_>) {
    let _ = bus;
}

macro_rules! queued {
    ($($name:ident($queue:expr, $workers:literal, $key:expr, $overflow:literal, $backoff:expr);)*) => {
        $(
            #[tidings::listener(
                queue = $queue, workers = $workers, key = $key, overflow = $overflow, retry = TIMES, backoff = $backoff
            )]
            fn $name(_: &Placed) -> Result<(), Error> {
                count();
                Ok(())
            }
        )*
    };
}

queued! {
    first(3, 2, |e| e.customer, "block", "1ms..5ms");
    second(SIZE + 3, 3, |e: &Placed| e.shop, "drop_newest", (SHORT, LONG));
}

macro_rules! keyed {
    ($name:ident, $event:ident, $key:expr, $queue:tt) => {
        #[listener(queue = $queue, workers = 2, key = |$event| $key)]
        fn $name(_: &Placed) {
            count();
        }
    };
}

keyed!(third, e, e.customer, 7);

struct Mailer;

impl Mailer {
    const SIZE: usize = 5;
}

#[listeners]
impl Mailer {
    #[listener(queue = Self::SIZE, workers = SIZE, key = |e| e.customer, retry = TIMES, backoff = (SHORT, LONG), when = |e| e.shop > 0)]
    fn method(&self, _: &Placed) -> Result<(), Error> {
        count();
        Ok(())
    }

    #[listener(queue = Self::SIZE, workers = SIZE, key = |e| (e.shop, e.line.1.len()), overflow = "reject", when = |e| e.shop > 0)]
    fn function(_: &Placed) {
        count();
    }
}

fn main() {
    use Overflow::{Block, DropNewest, DropOldest, Reject};

    let usual = (100, 5_000);
    let mut builder = Bus::builder();
    macro_rules! policies {
        ($($function:path: $queue:literal, $workers:literal, $overflow:ident, $retries:literal, $backoff:expr;)*) => {
            $(
                builder = builder.tune($function, move |policy| {
                    let queue = policy.queue_capacity().unwrap();
                    let (workers, overflow) = (policy.max_workers(), policy.on_overflow());
                    let (retries, (min, max)) = (policy.max_retries(), policy.retry_backoff());
                    let backoff = (min.as_millis(), max.as_millis());
                    let expected = ($queue, $workers, $overflow, $retries, $backoff);
                    assert_eq!((queue, workers, overflow, retries, backoff), expected, stringify!($function));
                    policy
                });
            )*
        };
    }
    policies! {
        constants: 8, 3, DropOldest, 3, (1, 5);
        literals: 8, 2, Block, 3, (1, 1_500);
        mixed: 5, 2, Block, 1, (1, 5);
        patterns: 8, 2, Block, 0, usual;
        any: 8, 2, Block, 0, usual;
        asynchronous: 4, 2, Reject, 0, usual;
        first: 3, 2, Block, 2, (1, 5);
        second: 7, 3, DropNewest, 2, (1, 5);
        third: 7, 2, Block, 0, usual;
        Mailer::method: 5, 4, Block, 2, (1, 5);
        Mailer::function: 5, 4, Reject, 0, usual;
    }

    let bus = builder.build().expect("nothing is missing");
    let _mailer = bus.attach(Arc::new(Mailer)).expect("nothing is missing");
    let placed = Placed { customer: "Ada".to_owned(), shop: 1, line: (2, "tea".to_owned()) };
    let report = bus.emit(placed).report();
    assert_eq!((report.queued(), report.failed()), (9, 0), "{report:?}");
    assert!(bus.shutdown_blocking(Duration::from_secs(60)).expect("it is not inside a delivery").is_clean());
    assert_eq!(CALLS.load(Ordering::SeqCst), 9);
}
