//! `PubSub` of `kameo_actors`, with one actor for each listener.
//!
//! A publication ends when the mailboxes have taken it, so the last actor tells who waits for its end.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kameo::Actor;
use kameo::actor::Spawn;
use kameo::message::{Context, Message};
use kameo_actors::DeliveryStrategy;
use kameo_actors::pubsub::PubSub;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::harness::Contestant;
use crate::work;

#[derive(Clone)]
struct Paid {
    amount: u64,
}

/// What the listeners of one publication have left to do.
#[derive(Default)]
struct Open {
    left: AtomicUsize,
    ended: Notify,
}

#[derive(Actor)]
struct Listener<const N: usize>(Arc<Open>);

impl<const N: usize> Message<Paid> for Listener<N> {
    type Reply = ();

    async fn handle(&mut self, event: Paid, _: &mut Context<Self, Self::Reply>) {
        work::add(event.amount, N);
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.ended.notify_one();
        }
    }
}

fn listen<const N: usize>((topic, open): (&mut PubSub<Paid>, &Arc<Open>)) {
    topic.subscribe(Listener::<N>::spawn(Listener(Arc::clone(open))));
}

pub(super) fn contestant(
    name: &'static str,
    listeners: usize,
    runtime: &Rc<Runtime>,
) -> Contestant {
    let mut topic = PubSub::new(DeliveryStrategy::Guaranteed);
    let open = Arc::new(Open::default());
    let entered = runtime.enter();
    add_listeners!(listeners, listen, (&mut topic, &open));
    drop(entered);
    let runtime = Rc::clone(runtime);
    Contestant::in_runs(name, listeners, move |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                open.left.store(listeners, Ordering::Release);
                let amount = black_box(1);
                topic.publish(Paid { amount }).await;
                open.ended.notified().await;
            }
        });
    })
}
