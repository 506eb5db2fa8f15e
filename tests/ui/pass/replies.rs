//! Replies that look odd: a result, nothing, a reference, of a method and of a macro.
#![deny(warnings)]

use std::sync::Arc;

use tidings::{Bus, event, listener, listeners};

/// Who asks is refused without a failure.
#[event(reply = Result<u32, String>)]
struct Withdraw(u32);

#[listener(reply)]
fn withdraw(e: &Withdraw) -> Result<u32, String> {
    if e.0 > 100 { Err("too much".to_owned()) } else { Ok(e.0) }
}

#[event(reply = ())]
struct Ping;

#[listener(reply)]
async fn pong(_: &Ping) {}

#[event(reply = &'static str)]
struct GetName;

struct Shop;

#[listeners]
impl Shop {
    #[listener(reply)]
    fn name(&self, _: &GetName) -> &'static str {
        "shop"
    }
}

macro_rules! question {
    ($event:ident, $reply:ty, $answer:expr) => {
        #[event(reply = $reply)]
        struct $event;

        const _: () = {
            #[listener(reply)]
            fn answer(_: &$event) -> $reply {
                $answer
            }
        };
    };
}

question!(GetNumber, Vec<u8>, vec![7]);

fn main() {
    let bus = Bus::builder().on_failure(|_| ()).build().unwrap();
    let _attached = bus.attach(Arc::new(Shop)).unwrap();
    assert_eq!(bus.request(Withdraw(500)).now().unwrap(), Err("too much".to_owned()));
    assert_eq!(bus.request(GetName).now().unwrap(), "shop");
    assert_eq!(bus.request(GetNumber).now().unwrap(), [7]);
    drop(bus.request(Ping));
}
