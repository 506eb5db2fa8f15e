//! What a server publishes to its peers, across connections and many threads.
#![cfg(feature = "wire")]

#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/proxy.rs"]
mod proxy;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxy::{Fault, Proxy};
use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Identity, Limits, Link, LinkClient, LinkLost, LinkServer, Right, envelope,
};
use tidings::{Bus, FailureKind, Overflow, Policy, event, listener};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

const SOON: Duration = Duration::from_secs(20);

#[event("price.changed", serde)]
#[derive(Serialize, Deserialize)]
struct Changed {
    of: u32,
    number: u32,
}

#[derive(Default)]
struct Heard {
    all: Mutex<Vec<(u32, u32)>>,
    count: watch::Sender<usize>,
}

#[listener]
fn hear(e: &Changed, heard: Option<&Heard>) {
    if let (Some(heard), Some(_)) = (heard, envelope()) {
        heard.all.lock().unwrap().push((e.of, e.number));
        heard.count.send_modify(|count| *count += 1);
    }
}

impl Heard {
    async fn wait_for(&self, count: usize) {
        let mut now = self.count.subscribe();
        let enough = tokio::time::timeout(SOON, now.wait_for(|now| *now >= count)).await;
        enough
            .unwrap_or_else(|_| panic!("{} were heard", *self.count.borrow()))
            .unwrap();
    }
}

fn bob() -> Identity {
    Identity::new("bob")
}

fn link() -> Link {
    Link::new("prices").backoff(Duration::ZERO, Duration::from_millis(50))
}

struct Setting {
    server_bus: Bus,
    client_bus: Bus,
    heard: Arc<Heard>,
    failures: mpsc::UnboundedReceiver<(String, FailureKind)>,
    server: LinkServer,
    proxy: Proxy,
    client: LinkClient,
}

async fn setting(server: impl FnOnce(Link) -> Link) -> Setting {
    let heard = Arc::new(Heard::default());
    let runtime = tokio::runtime::Handle::current();
    let (sender, failures) = mpsc::unbounded_channel();
    let tell = move |failure: &tidings::Failure| {
        let id = failure.listener().map_or("", |listener| listener.id());
        let _ = sender.send((id.to_owned(), failure.kind()));
    };
    let server_bus = Bus::builder()
        .runtime(runtime.clone())
        .on_failure(tell)
        .build()
        .unwrap();
    let builder = Bus::builder().runtime(runtime).state(Arc::clone(&heard));
    let client_bus = builder.build().unwrap();
    for bus in [&server_bus, &client_bus] {
        bus.on(|_: &LinkLost| ()).forever();
    }
    let access = Access::nothing()
        .allow(&bob(), Right::Subscribe, "price.*")
        .unwrap();
    let server = server(link())
        .publish("price.*")
        .unwrap()
        .serve(&server_bus, access)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::before(listener.local_addr().unwrap()).await;
    server.listen_tcp(listener, bob()).unwrap();
    let client = link().subscribe("price.*").unwrap();
    let client = client.connect_tcp(&client_bus, proxy.address).unwrap();
    client.opened().await.unwrap();
    // The client may be told before the server has its queue.
    while server_bus.queues().is_empty() {
        tokio::task::yield_now().await;
    }
    Setting {
        server_bus,
        client_bus,
        heard,
        failures,
        server,
        proxy,
        client,
    }
}

#[tokio::test]
async fn what_a_server_publishes_waits_for_its_peer_to_come_again() {
    let setting = setting(|link| link).await;
    assert_eq!(
        setting.server_bus.queues()[0].0.id(),
        "link:prices@bob/price.changed"
    );
    let change = |number| setting.server_bus.emit(Changed { of: 0, number });
    change(0).await;
    setting.heard.wait_for(1).await;

    for round in 1..4 {
        let lost = setting.client_bus.next::<LinkLost>();
        setting
            .proxy
            .set(if round == 2 { Fault::Reset } else { Fault::Cut });
        lost.await.unwrap();
        for number in 0..100 {
            change(round * 100 + number).await;
        }
        setting.proxy.set(Fault::None);
    }

    setting.heard.wait_for(301).await;
    let numbers: Vec<u32> = (0..1).chain(100..400).collect();
    let heard: Vec<u32> = setting
        .heard
        .all
        .lock()
        .unwrap()
        .iter()
        .map(|e| e.1)
        .collect();
    assert_eq!(heard, numbers);
    setting.client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_session_that_nobody_resumes_is_forgotten_and_told() {
    let mut setting = setting(|link| link.resume_within(Duration::from_millis(20))).await;
    let lost = setting.server_bus.next::<LinkLost>();
    drop(setting.client);
    lost.await.unwrap();
    setting.server_bus.emit(Changed { of: 0, number: 1 }).await;

    let told = tokio::time::timeout(SOON, setting.failures.recv())
        .await
        .unwrap()
        .unwrap();

    assert_eq!(
        told,
        (
            "link:prices@bob/price.changed".to_owned(),
            FailureKind::Abandoned
        )
    );
    assert_eq!(setting.server.sessions().len(), 0);
    assert!(setting.server_bus.queues().is_empty());
}

#[tokio::test]
async fn a_server_that_closes_has_its_peers_take_all_there_is() {
    let setting = setting(|link| link).await;
    for number in 0..500 {
        setting.server_bus.emit(Changed { of: 0, number }).await;
    }

    setting.server.close(SOON).await.unwrap();

    assert_eq!(setting.heard.all.lock().unwrap().len(), 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_threads_emit_arrives_across_cuts_each_in_its_order() {
    const EACH: u32 = 400;
    let limits = Limits::default().unacknowledged(50);
    let queue = |queue: Policy| queue.queue(20).overflow(Overflow::Block);
    let small = move |link: Link| link.queue(queue).limits(limits);
    let setting = setting(small).await;
    let emitters: Vec<_> = (0..4)
        .map(|of| {
            let bus = setting.server_bus.clone();
            // A full queue has a plain thread wait.
            std::thread::spawn(move || {
                (0..EACH).for_each(|number| {
                    assert_eq!(bus.emit(Changed { of, number }).report().queued(), 1);
                });
            })
        })
        .collect();

    for part in 1..=3 {
        setting.heard.wait_for(part * EACH as usize).await;
        let lost = setting.client_bus.next::<LinkLost>();
        setting.proxy.set(Fault::Cut);
        lost.await.unwrap();
        setting.proxy.set(Fault::None);
    }
    setting.heard.wait_for(4 * EACH as usize).await;

    for emitter in emitters {
        emitter.join().unwrap();
    }
    let heard = setting.heard.all.lock().unwrap().clone();
    for of in 0..4 {
        let own: Vec<u32> = heard.iter().filter(|e| e.0 == of).map(|e| e.1).collect();
        assert_eq!(own, (0..EACH).collect::<Vec<_>>());
    }
    setting.client.close(SOON).await.unwrap();
}
