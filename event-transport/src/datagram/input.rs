//! The direction from the others.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::addr::DatagramAddr;
use super::state::State;
use crate::error::ConnectionError;
use crate::events::DatagramReceived;
use crate::protocol::{Occurred, Told};
use crate::stream::{Lent, is_to_be_tried_again};

/// How many datagrams are received before the others have their turn.
const AT_ONCE: usize = 16;

/// After so many errors without a datagram or a pause between them, nothing will come any more.
const FAILURES: u32 = 64;

/// Without the bytes if no listener hears it.
type Received = (Option<Bytes>, DatagramAddr);

impl State {
    /// Delivers what has come, and waits for more.
    pub(super) fn receive(self: &Rc<Self>, cx: &mut Context<'_>) {
        for _ in 0..AT_ONCE {
            // What cannot be told now is left to the operating system.
            if self.life.is_closing() || self.life.instance().is_busy() {
                break;
            }
            let Some(Poll::Ready(received)) = self.poll_receive() else {
                self.failures.set(0);
                return;
            };
            match received {
                Ok((data, from)) => {
                    self.failures.set(0);
                    if let Some(data) = data {
                        // What fails is told to the hook: one bad datagram of anybody's must not end the endpoint.
                        let event = DatagramReceived { data, from };
                        let _told: Told = self.tell(&Occurred::Datagram(&event));
                        self.catch_up();
                    }
                }
                Err(error) if is_to_be_tried_again(&error) => break,
                Err(error) => self.receive_failed(error),
            }
        }
        // The others have their turn first.
        cx.waker().wake_by_ref();
    }

    fn receive_failed(self: &Rc<Self>, error: io::Error) {
        let failures = self.failures.get() + 1;
        self.failures.set(failures);
        let error = ConnectionError::io(error);
        if failures < FAILURES {
            self.keep_error(error);
        } else {
            self.abort(Some(error));
        }
    }

    /// One datagram.
    fn poll_receive(&self) -> Option<Poll<io::Result<Received>>> {
        self.with_socket(|socket, cx| {
            let mut lent = Lent::large();
            let mut buffer = ReadBuf::uninit(lent.room());
            let received = socket.poll_receive(cx, &mut buffer);
            received.map(|from| {
                let from = from?;
                if buffer.remaining() == 0 {
                    // The socket has received, so it is well, however many of these somebody sends.
                    self.failures.set(0);
                    let size = buffer.filled().len();
                    let text = format!("a datagram of at least {size} bytes was dropped: there is no room for a larger one");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
                let is_heard = self.life.instance().hears(Occurred::DATAGRAM);
                Ok((is_heard.then(|| Bytes::copy_from_slice(buffer.filled())), from))
            })
        })
    }
}
