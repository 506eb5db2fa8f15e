//! A clock that answers everybody who asks for the time, and clients that ask it: what asyncio does with a `DatagramProtocol`.

use std::error::Error;
use std::time::Duration;

use tidings::event_loop::run;
use tidings::transport::{
    ConnectionLost, ConnectionMade, DatagramReceived, DatagramTransport, ErrorReceived, LOCAL_ADDR,
    SendError, endpoint_with, udp,
};
use tidings::{EventLoop, listener, protocol};

/// A clock that stands still between two questions, so that this program always prints the same.
struct Clock {
    seconds: u64,
}

#[protocol]
impl Clock {
    #[listener]
    fn asked(&mut self, e: &DatagramReceived, t: &DatagramTransport) -> Result<(), SendError> {
        if e.data != "time?" {
            println!("the clock does not answer {:?}", e.data);
            return Ok(());
        }
        let (hours, minutes) = (self.seconds / 3600, self.seconds / 60 % 60);
        let time = format!("{hours:02}:{minutes:02}:{:02}", self.seconds % 60);
        self.seconds += 30;
        // It goes back to where the question came from.
        t.send_to(time, e.from.clone())?;
        Ok(())
    }
}

/// Asks once.
struct Client {
    question: &'static str,
    answer: Option<String>,
}

#[protocol]
impl Client {
    #[listener]
    fn made(&mut self, _: &ConnectionMade, t: &DatagramTransport) -> Result<(), SendError> {
        t.send(self.question)?;
        Ok(())
    }

    #[listener]
    fn answered(&mut self, e: &DatagramReceived, t: &DatagramTransport) {
        self.answer = Some(String::from_utf8_lossy(&e.data).into_owned());
        t.close();
    }

    /// Nobody is there. A datagram that is lost on its way is not heard of at all.
    #[listener]
    fn refused(e: &ErrorReceived, t: &DatagramTransport) {
        println!("no clock: {}", e.error);
        t.close();
    }
}

/// Hears when the clock is closed.
#[listener(when = |e| e.connection.label() == "clock")]
fn stopped(_: &ConnectionLost) {
    println!("the clock is closed");
}

async fn ask(lp: &EventLoop) -> Result<(), Box<dyn Error>> {
    let (clock, _) = endpoint_with(lp, udp("127.0.0.1:0"), || Clock { seconds: 43_200 })
        .label("clock")
        .await?;
    let there = clock
        .info(LOCAL_ADDR)
        .ok_or("an endpoint of UDP has an address")?;

    for question in ["time?", "time?", "how are you?", "time?"] {
        let client = Client {
            question,
            answer: None,
        };
        let at = udp("127.0.0.1:0").connected(there);
        let (transport, client) = endpoint_with(lp, at, || client).await?;
        // Datagrams promise nothing: who needs an answer sets a limit to waiting for it.
        let waited = lp.timeout(Duration::from_secs(1), transport.wait_closed());
        match waited.await {
            Ok(()) => {
                let answer = client.with(|client| client.answer.take())?;
                println!("{question:?} was answered {:?}", answer.unwrap_or_default());
            }
            Err(_) => println!("{question:?} was not answered in time"),
        }
        transport.close();
    }

    clock.close();
    clock.wait_closed().await;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(async |lp| ask(lp).await)??;
    Ok(())
}
