//! A TCP proxy that cuts its connections where a test wants it.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// What becomes of the connections.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Each is cut after so many bytes towards the server.
    Each(u64),
    /// The first is held after so many bytes, until the test lets it be cut. The others are left alone.
    First(u64, Arc<Hold>),
}

/// Where the proxy and the test meet.
pub(crate) struct Hold {
    reached: Sender<()>,
    go: Mutex<Receiver<()>>,
}

impl Fault {
    /// The fault, what tells that it has come, and what lets it happen.
    pub(crate) fn first(bytes: u64) -> (Self, Receiver<()>, Sender<()>) {
        let (reached, is_reached) = channel();
        let (go, goes) = channel();
        let hold = Hold {
            reached,
            go: Mutex::new(goes),
        };
        (Self::First(bytes, Arc::new(hold)), is_reached, go)
    }
}

/// Where to connect to in the place of the server. The proxy lives as long as the test.
pub(crate) fn before(server: SocketAddr, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                // The client finds its connection closed.
                continue;
            };
            let fault = match &fault {
                Fault::First(..) if number > 0 => None,
                fault => Some(fault.clone()),
            };
            pass(client, server, fault);
        }
    });
    address
}

fn pass(client: TcpStream, server: TcpStream, fault: Option<Fault>) {
    let two = |stream: &TcpStream| stream.try_clone().expect("a descriptor is left");
    let (from_server, to_client) = (two(&server), two(&client));
    thread::spawn(move || copy(from_server, to_client, None));
    thread::spawn(move || copy(client, server, fault.as_ref()));
}

/// Ends both directions when one ends.
fn copy(mut from: TcpStream, mut to: TcpStream, fault: Option<&Fault>) {
    let most = match fault {
        Some(Fault::Each(bytes) | Fault::First(bytes, _)) => *bytes,
        None => u64::MAX,
    };
    let mut left = most;
    let mut buffer = [0; 16 * 1024];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let bytes = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
        left -= bytes as u64;
        if left > 0 {
            continue;
        }
        if let Some(Fault::First(_, hold)) = fault {
            // A test that has failed waits for nothing.
            let _ = hold.reached.send(());
            let _ = hold.go.lock().map(|go| go.recv());
        }
        break;
    }
    // Whoever has closed it already is ahead of this.
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
