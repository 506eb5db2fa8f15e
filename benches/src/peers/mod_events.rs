//! `EventDispatcher::emit` of `mod-events`.

use std::any::Any;

use mod_events::{Event, EventDispatcher};

use crate::harness::Contestant;
use crate::work;

#[derive(Debug, Clone)]
struct Paid {
    amount: u64,
}

impl Event for Paid {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn listen<const N: usize>(dispatcher: &EventDispatcher) {
    dispatcher.on(|event: &Paid| work::add(event.amount, N));
}

pub(super) fn contestant(name: &'static str, listeners: usize) -> Contestant {
    let dispatcher = EventDispatcher::new();
    add_listeners!(listeners, listen, &dispatcher);
    Contestant::new(name, listeners, move |amount| {
        dispatcher.emit(Paid { amount });
    })
}
