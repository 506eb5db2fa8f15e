//! `World::trigger` and observers of `bevy_ecs`.

use bevy_ecs::prelude::{Event, On, World};

use crate::harness::Contestant;
use crate::work;

#[derive(Event)]
struct Paid {
    amount: u64,
}

fn observe<const N: usize>(world: &mut World) {
    world.add_observer(|event: On<Paid>| work::add(event.amount, N));
}

pub(super) fn contestant(name: &'static str, listeners: usize) -> Contestant {
    let mut world = World::new();
    add_listeners!(listeners, observe, &mut world);
    Contestant::new(name, listeners, move |amount| {
        world.trigger(Paid { amount });
    })
}
