//! One task of `tokio` for each listener, all of them joined.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::harness::Contestant;
use crate::work;

struct Paid {
    amount: u64,
}

type Start = fn(Arc<Paid>) -> JoinHandle<()>;

#[expect(clippy::unused_async, reason = "it is ready at once")]
async fn hear<const N: usize>(event: Arc<Paid>) {
    work::add(event.amount, N);
}

fn listen<const N: usize>(listeners: &mut Vec<Start>) {
    listeners.push(|event| tokio::spawn(hear::<N>(event)));
}

pub(super) fn contestant(
    name: &'static str,
    listeners: usize,
    runtime: &Rc<Runtime>,
) -> Contestant {
    let mut starts = Vec::new();
    add_listeners!(listeners, listen, &mut starts);
    let runtime = Rc::clone(runtime);
    Contestant::in_runs(name, listeners, move |calls| {
        runtime.block_on(async {
            for _ in 0..calls {
                let event = Arc::new(Paid {
                    amount: black_box(1),
                });
                let tasks: Vec<_> = starts
                    .iter()
                    .map(|start| start(Arc::clone(&event)))
                    .collect();
                for task in tasks {
                    task.await.expect("the listener does not panic");
                }
            }
        });
    })
}
