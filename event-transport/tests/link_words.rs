//! What links say where nobody listens to their events.
#![cfg(feature = "wire")]

#[path = "../../tests/support/child.rs"]
mod child;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{
    Access, Identity, Link, LinkClient, LinkError, LinkOpened, LinkServer, Right,
};
use tidings::{Bus, event, listener};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_secs(5);

#[event("till.sold", serde)]
#[derive(Serialize, Deserialize)]
struct Sold;

#[event("till.opened", serde)]
#[derive(Serialize, Deserialize)]
struct Opened;

#[event("till.local")]
struct Local;

#[event("office.price", serde)]
#[derive(Serialize, Deserialize)]
struct Price;

#[listener]
fn price(_: &Price) {}

fn link() -> Link {
    Link::new("till").backoff(Duration::ZERO, Duration::from_millis(20))
}

fn bus() -> Bus {
    let runtime = tokio::runtime::Handle::current();
    let builder = Bus::builder().runtime(runtime);
    builder.build().expect("the bus is complete")
}

/// Nobody is where it connects to. With something for each try.
fn away(bus: &Bus) -> (LinkClient, mpsc::UnboundedReceiver<()>) {
    let (tell, tries) = mpsc::unbounded_channel();
    let refused = move || {
        // The second test looks at none of them.
        let _ = tell.send(());
        async {
            let error = io::Error::new(io::ErrorKind::ConnectionRefused, "nobody is there");
            Err::<DuplexStream, _>(error)
        }
    };
    let link = link().publish("till.*").unwrap();
    (link.connect(bus, refused).unwrap(), tries)
}

#[tokio::test]
async fn a_link_without_a_connection_says_why_once_where_nobody_listens() {
    let name = "a_link_without_a_connection_says_why_once_where_nobody_listens";
    if !child::is_child() {
        let printed = child::printed_by(name);
        let why = "tidings: the link `till` has no connection: nobody is there";
        assert_eq!(printed, [why]);
        return;
    }
    let here = bus();
    let (client, mut tries) = away(&here);
    for _ in 0..3 {
        tries.recv().await.expect("it tries again");
    }
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_link_that_is_closed_without_a_connection_says_why_it_has_none() {
    let here = bus();
    let (client, _tries) = away(&here);
    assert!(client.opened().await.is_err());
    here.emit(Sold).await;

    let late = client.close(Duration::from_millis(1)).await.unwrap_err();

    let LinkError::TimedOut {
        last: Some(last), ..
    } = &late
    else {
        panic!("{late}");
    };
    assert_eq!(last.to_string(), "nobody is there");
    assert_eq!(
        late.to_string(),
        "the peer did not acknowledge everything within 1ms, and there is no connection (nobody is there): what is left is reported by the queues"
    );
    assert_eq!(format!("{late:?}"), late.to_string());
}

#[tokio::test]
async fn all_that_is_wrong_with_a_link_is_told_at_once() {
    let link = link().publish("tlil.*").unwrap();
    let link = link.publish("till.local").unwrap();
    let link = link.subscribe("nobody.knows").unwrap();

    let refused = link.serve(&bus(), Access::nothing()).unwrap_err();

    assert_eq!(
        format!("{refused:?}").lines().collect::<Vec<_>>(),
        [
            "the link cannot be made: 3 problems",
            "  no event of the program that is declared `#[event(serde)]` has a topic like `tlil.*`; did you mean `till.sold`?",
            "  the event `till.local` cannot cross a link: declare it `#[event(serde)]`",
            "  no event of the program that is declared `#[event(serde)]` has a topic like `nobody.knows`",
        ]
    );
}

#[tokio::test]
async fn a_link_that_cannot_connect_says_where_to() {
    let here = bus();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let link = link().publish("till.*").unwrap();

    let client = link.connect_tcp(&here, address).unwrap();

    let error = client.opened().await.unwrap_err();
    let begins = format!("cannot connect to {address}: ");
    assert!(error.to_string().starts_with(&begins), "{error}");
    client.close(SOON).await.unwrap();
}

/// A client that publishes what the server does not want, and hears what it does not publish.
async fn unmatched(here: &Bus, there: &Bus) {
    let till = Identity::new("till-7");
    let access = Access::nothing();
    let access = access.allow(&till, Right::Publish, "**").unwrap();
    let server = Link::new("office").subscribe("till.opened").unwrap();
    let server: Arc<LinkServer> = Arc::new(server.serve(there, access).unwrap());
    let accepting = Arc::clone(&server);
    let dial = move || {
        let (ours, theirs) = tokio::io::duplex(4096);
        accepting.accept(theirs, till.clone());
        async { Ok::<_, io::Error>(ours) }
    };
    let link = link().publish("till.*").unwrap();
    let link = link.publish("till.sold").unwrap();
    let link = link.subscribe("office.*").unwrap();
    let client = link.connect(here, dial).unwrap();
    client.opened().await.unwrap();
    here.emit(Sold).await;
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn a_link_tells_when_it_opens_what_the_peer_does_not_exchange() {
    let (here, there) = (bus(), bus());
    let (ours, theirs) = (here.next::<LinkOpened>(), there.next::<LinkOpened>());

    unmatched(&here, &there).await;

    let ours = ours.await.unwrap();
    assert_eq!(ours.unwanted, ["till.sold"]);
    assert_eq!(ours.unoffered, ["office.price"]);
    let theirs = theirs.await.unwrap();
    assert_eq!(theirs.unwanted, [""; 0]);
    assert_eq!(theirs.unoffered, [""; 0]);
}

#[tokio::test]
async fn a_client_warns_of_what_it_names_and_the_server_does_not_exchange() {
    let name = "a_client_warns_of_what_it_names_and_the_server_does_not_exchange";
    if !child::is_child() {
        assert_eq!(
            child::printed_by(name),
            [
                "tidings: the link `till` publishes `till.sold`, of which the peer `office` subscribes to nothing: it is not sent",
                "tidings: the link `till` subscribes to `office.*`, of which the peer `office` publishes nothing",
            ]
        );
        return;
    }
    unmatched(&bus(), &bus()).await;
}
