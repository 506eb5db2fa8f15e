//! A server that sends back what comes, three clients of it, and a listener that hears of every connection: asyncio's first example of transports and
//! protocols.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidings::event_loop::run;
use tidings::transport::{
    ConnectionLost, ConnectionMade, DataReceived, PEER_ADDR, Transport, WriteError, connect_with,
    serve, tcp,
};
use tidings::{Bus, EventLoop, listener, protocol};

/// One for each connection of the server.
#[derive(Default)]
struct Echo {
    bytes: usize,
}

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        self.bytes += e.data.len();
        t.write(e.data.clone())?;
        Ok(())
    }

    #[listener]
    fn lost(&mut self, _: &ConnectionLost, total: &Total) {
        total.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// Says something, and closes when all of it has come back.
struct Client {
    says: &'static str,
    answer: Vec<u8>,
}

#[protocol]
impl Client {
    #[listener]
    fn made(&mut self, _: &ConnectionMade, t: &Transport) -> Result<(), WriteError> {
        t.write(self.says)?;
        Ok(())
    }

    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) {
        self.answer.extend_from_slice(&e.data);
        if self.answer.len() == self.says.len() {
            t.close();
        }
    }
}

/// How many bytes all connections have sent back.
#[derive(Default)]
struct Total(AtomicUsize);

/// Hears of the connections of everything that has a label.
#[listener(when = |e| e.connection.label() == "echo")]
fn audit(e: &ConnectionMade) {
    let is_local = e
        .connection
        .peer_addr()
        .is_some_and(|peer| peer.ip().is_loopback());
    println!("a connection, from this machine: {is_local}");
}

async fn serve_three(lp: &EventLoop) -> Result<(), Box<dyn Error>> {
    let server = serve::<Echo>(lp, tcp("127.0.0.1:0")).label("echo").await?;
    let addr = server.local_addrs()[0];

    for says in ["hello", "how are you?", "goodbye"] {
        let client = Client {
            says,
            answer: Vec::new(),
        };
        let (transport, client) = connect_with(lp, tcp(addr), || client).await?;
        assert_eq!(transport.info(PEER_ADDR), Some(addr));
        transport.wait_closed().await;
        let answer = client.with(|client| String::from_utf8_lossy(&client.answer).into_owned())?;
        println!("{says:?} came back as {answer:?}");
    }

    let aborted = server.drain(Duration::from_secs(10)).await;
    println!("the server is closed, {aborted} connections were aborted");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let total = Arc::new(Total::default());
    let bus = Bus::builder().state(Arc::clone(&total)).build()?;
    let _bus = bus.install()?;
    run(async |lp| serve_three(lp).await)??;
    println!("{} bytes came back", total.0.load(Ordering::Relaxed));
    Ok(())
}
