//! The load: a client of the standard library, with one message on its way on each connection; rustls beside it where there is TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::security::Client;

pub(crate) trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// Connections that wait for their next message.
pub(crate) struct Load {
    streams: Vec<Box<dyn Stream>>,
    message: Vec<u8>,
    back: Vec<u8>,
}

impl Load {
    /// Connects so many times.
    ///
    /// # Errors
    ///
    /// When the server is not there.
    pub(crate) fn connect(port: u16, connections: usize, bytes: usize) -> io::Result<Self> {
        Self::secure(port, connections, bytes, None)
    }

    /// The same with TLS, if there is a client for it.
    ///
    /// # Errors
    ///
    /// When the server is not there.
    pub(crate) fn secure(
        port: u16,
        connections: usize,
        bytes: usize,
        client: Option<&Client>,
    ) -> io::Result<Self> {
        let connect = |_| {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            Ok(match client {
                None => Box::new(stream) as _,
                Some(client) => Box::new(client.secure(stream)?) as _,
            })
        };
        let message: Vec<_> = (0..=u8::MAX).cycle().take(bytes).collect();
        Ok(Self {
            streams: (0..connections).map(connect).collect::<io::Result<_>>()?,
            back: vec![0; message.len()],
            message,
        })
    }

    /// Sends a message on each connection and takes what comes back, until there were at least `messages`. Returns how many there were.
    ///
    /// # Errors
    ///
    /// When something else comes back than what was sent.
    pub(crate) fn run(&mut self, messages: usize) -> io::Result<usize> {
        let rounds = messages.div_ceil(self.streams.len());
        for _ in 0..rounds {
            for stream in &mut self.streams {
                stream.write_all(&self.message)?;
                stream.flush()?;
            }
            for stream in &mut self.streams {
                stream.read_exact(&mut self.back)?;
                if self.back != self.message {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        Ok(rounds * self.streams.len())
    }
}
