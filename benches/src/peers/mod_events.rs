//! `EventDispatcher::emit` and `dispatch_async` of `mod-events`.

use std::any::Any;
use std::hint::black_box;
use std::rc::Rc;

use mod_events::{Event, EventDispatcher};
use tokio::runtime::Runtime;

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

fn listen_async<const N: usize>(dispatcher: &EventDispatcher) {
    dispatcher.subscribe_async(|event: &Paid| {
        let amount = event.amount;
        async move {
            work::add(amount, N);
            Ok(())
        }
    });
}

pub(super) fn awaited(name: &'static str, listeners: usize, runtime: &Rc<Runtime>) -> Contestant {
    let dispatcher = EventDispatcher::new();
    add_listeners!(listeners, listen_async, &dispatcher);
    let runtime = Rc::clone(runtime);
    Contestant::in_runs(name, listeners, move |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                let amount = black_box(1);
                let _ = dispatcher.dispatch_async(Paid { amount }).await;
            }
        });
    })
}
