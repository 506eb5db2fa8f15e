//! `World::send` and handlers of `evenio`.

use evenio::prelude::{GlobalEvent, Receiver, World};

use crate::harness::Contestant;
use crate::work;

#[derive(GlobalEvent)]
struct Paid {
    amount: u64,
}

fn handle<const N: usize>(world: &mut World) {
    world.add_handler(|received: Receiver<Paid>| work::add(received.event.amount, N));
}

pub(super) fn contestant(name: &'static str, listeners: usize) -> Contestant {
    let mut world = World::new();
    add_listeners!(listeners, handle, &mut world);
    Contestant::new(name, listeners, move |amount| world.send(Paid { amount }))
}
