//! Limits and times that are constant expressions, in functions, in macros and in impl blocks.

use std::time::Duration;

use tidings::{Bus, event, listener, listeners};

#[event]
struct Placed;

const SIZE: usize = 4;
const TIMEOUT: Duration = Duration::from_millis(250);

mod settings {
    pub const fn size(base: usize) -> usize {
        base + 1
    }
}

#[listener(limit = SIZE * 2, timeout = TIMEOUT, overlap = "serial")]
async fn sum(_: &Placed) {}

#[listener(limit = settings::size(SIZE), timeout = Duration::from_secs(1))]
async fn call(_: &Placed) {}

#[listener(limit = { let size = SIZE; size - 1 }, timeout = " 1h 30m ",)]
async fn block(_: &Placed) {}

#[listener(limit = 8_usize, overlap = "parallel")]
async fn literal(_: &Placed) {}

macro_rules! limited {
    ($($name:ident($limit:expr, $overlap:literal, $timeout:expr);)*) => {
        $(
            #[tidings::listener(limit = $limit, overlap = $overlap, timeout = $timeout)]
            async fn $name(_: &Placed) {}
        )*
    };
}

limited! {
    first(3, "latest", "5s");
    second(SIZE + 3, "drop", TIMEOUT);
}

macro_rules! timed {
    ($name:ident, $timeout:literal, $limit:literal) => {
        #[listener(timeout = $timeout, limit = $limit)]
        async fn $name(_: &Placed) {}
    };
}

timed!(third, "7ms", 2);

struct Mailer;

impl Mailer {
    const SIZE: usize = 5;
}

#[listeners]
impl Mailer {
    #[listener(limit = SIZE * 2, timeout = TIMEOUT)]
    async fn method(&self, _: &Placed) {}

    #[listener(limit = Self::SIZE, timeout = TIMEOUT)]
    async fn function(_: &Placed) {}
}

/// Limit, overlap and milliseconds of a function.
fn policy(function: &str) -> (usize, String, Option<u128>) {
    let listeners = tidings::catalog().listeners();
    let listener = listeners.iter().find(|l| l.function() == function).expect(function);
    let policy = listener.policy().expect(function);
    let time = policy.time_limit().map(|time| time.as_millis());
    (policy.max_in_flight(), policy.on_overlap().to_string(), time)
}

fn main() {
    for (function, limit, overlap, time) in [
        ("sum", 8, "serial", Some(250)),
        ("call", 5, "parallel", Some(1_000)),
        ("block", 3, "parallel", Some(5_400_000)),
        ("literal", 8, "parallel", None),
        ("first", 3, "latest", Some(5_000)),
        ("second", 7, "drop", Some(250)),
        ("third", 2, "parallel", Some(7)),
        ("Mailer::function", 5, "parallel", Some(250)),
    ] {
        assert_eq!(policy(function), (limit, overlap.to_owned(), time), "{function}");
    }
    let bus = Bus::builder().build().expect("nothing is missing");
    let _mailer = bus.attach(std::sync::Arc::new(Mailer)).expect("nothing is missing");
}
