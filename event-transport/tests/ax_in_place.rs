//! Protocols that take bytes into memory of their own.

mod support;

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use support::{Flag, Log, Silent, Witness, failures, pause, run};
use tidings::transport::{
    AfterEof, BufferFilled, ConnectionLost, EofReceived, ReadInto, Transport, WriteError, connect,
    connect_with, pair, serve, tcp,
};
use tidings::{EventLoop, protocol};

/// Gathers messages of four bytes where they come in.
#[derive(Default)]
struct Fours {
    buffer: [u8; 4],
    filled: usize,
    log: Log,
    /// Reads no more than one message.
    one: bool,
}

impl ReadInto for Fours {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }
}

#[protocol]
impl Fours {
    #[listener]
    fn filled(&mut self, e: &BufferFilled, t: &Transport) {
        assert!(e.bytes > 0);
        self.filled += e.bytes;
        if self.filled == 4 {
            self.log.add(String::from_utf8_lossy(&self.buffer));
            if self.one {
                return t.pause_reading();
            }
            self.filled = 0;
        }
    }

    #[listener]
    fn eof(&mut self, _: &EofReceived) -> AfterEof {
        self.log.add(format!("eof after {}", self.filled));
        AfterEof::Close
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        let error = e.error.as_ref().map(ToString::to_string);
        self.log.add(error.unwrap_or_else(|| "lost".to_owned()));
    }
}

#[test]
fn ax25_bytes_come_into_the_memory_of_the_protocol_however_they_are_cut() {
    for piece in [1, 3, 4, 5, 14] {
        let lp = EventLoop::virtual_time();
        let log = Log::default();
        let own = log.clone();
        run(&lp, async {
            let (ours, theirs) = pair();
            let fours = move || Fours {
                log: own,
                ..Fours::default()
            };
            let (reader, _) = connect_with(&lp, theirs, fours).await?;
            let (writer, _) = connect::<Silent>(&lp, ours).await?;
            for piece in b"onlytextthatfi".chunks(piece) {
                writer.write(piece.to_vec())?;
                pause(&lp).await;
            }
            writer.close();
            reader.wait_closed().await;
            Ok(())
        });
        let whole = ["only", "text", "that", "eof after 2", "lost"];
        assert_eq!(log.take(), whole, "in pieces of {piece}");
    }
}

#[test]
fn ax25_an_empty_buffer_ends_the_connection_with_words() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    let log = Log::default();
    let own = log.clone();
    run(&lp, async {
        let (ours, theirs) = pair();
        let full = move || Fours {
            filled: 4,
            log: own,
            ..Fours::default()
        };
        let (reader, _) = connect_with(&lp, theirs, full).await?;
        let (_writer, _) = connect::<Silent>(&lp, ours).await?;
        reader.wait_closed().await;
        Ok(())
    });
    let words = "`ReadInto::buffer` gave an empty buffer";
    let (log, told) = (log.take(), told.take());
    assert_eq!((log.len(), told.len()), (1, 1), "{log:?} {told:?}");
    assert!(log[0].contains(words), "{log:?}");
    assert!(told[0].contains(words), "{told:?}");
    assert!(told[0].contains("Fours::filled"), "{told:?}");
}

#[test]
fn ax25_a_protocol_without_room_pauses_and_is_asked_again_when_it_resumes() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    let log = Log::default();
    let own = log.clone();
    run(&lp, async {
        let (ours, theirs) = pair();
        let one = move || Fours {
            one: true,
            log: own,
            ..Fours::default()
        };
        let (reader, fours) = connect_with(&lp, theirs, one).await?;
        let (writer, _) = connect::<Silent>(&lp, ours).await?;
        writer.write("fourmore")?;
        for message in ["four", "more"] {
            log.wait(&lp, message).await;
            for _ in 0..10 {
                pause(&lp).await;
            }
            assert_eq!(log.take(), [message]);
            assert!(!reader.is_reading() && !reader.is_closing());
            fours.with(|fours| fours.filled = 0)?;
            reader.resume_reading();
        }
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}

/// Gives memory that cannot be given.
#[derive(Default)]
struct Broken;

impl ReadInto for Broken {
    fn buffer(&mut self) -> &mut [u8] {
        panic!("no memory")
    }
}

#[protocol]
impl Broken {
    #[listener]
    fn filled(_: &BufferFilled) {
        unreachable!("nothing can be filled");
    }
}

#[test]
fn ax25_memory_that_panics_is_told_and_the_connection_lost() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let (ours, theirs) = pair();
        let (reader, _) = connect::<Broken>(&lp, theirs).await?;
        let (_writer, _) = connect::<Silent>(&lp, ours).await?;
        reader.wait_closed().await;
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("no memory"), "{told:?}");
}

/// Reads a greeting in place, and leaves what follows to another.
#[derive(Default)]
struct Greeting {
    buffer: [u8; 2],
    log: Log,
    is_done: Flag,
}

impl ReadInto for Greeting {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

#[protocol]
impl Greeting {
    #[listener]
    fn filled(
        &mut self,
        e: &BufferFilled,
        t: &Transport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        assert_eq!(&self.buffer[..e.bytes], b"hi");
        self.is_done.set(true);
        t.upgrade(Witness::of(&self.log))?;
        Ok(())
    }
}

#[test]
fn ax25_a_protocol_of_each_kind_takes_the_place_of_the_other() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let own = log.clone();
    run(&lp, async {
        let (ours, theirs) = pair();
        let greeting = move || Greeting {
            log: own,
            ..Greeting::default()
        };
        let (reader, _) = connect_with(&lp, theirs, greeting).await?;
        let (writer, _) = connect::<Silent>(&lp, ours).await?;
        writer.write("hi and more")?;
        log.wait(&lp, "data  and more").await;
        let last = Fours {
            log: log.clone(),
            ..Fours::default()
        };
        reader.upgrade(last)?;
        writer.write("last")?;
        log.wait(&lp, "last").await;
        Ok(())
    });
}

/// Sends back what comes, out of memory of its own.
struct Echo {
    buffer: Vec<u8>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            buffer: vec![0; 16 * 1024],
        }
    }
}

impl ReadInto for Echo {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

#[protocol]
impl Echo {
    #[listener]
    fn filled(&mut self, e: &BufferFilled, t: &Transport) -> Result<(), WriteError> {
        t.write(self.buffer[..e.bytes].to_vec()).map(drop)
    }
}

#[test]
fn ax25_a_server_over_tcp_reads_in_place() {
    const BYTES: usize = 4 * 1024 * 1024;
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let peer = thread::spawn(move || {
            let mut writer = TcpStream::connect(addr)?;
            let mut reader = writer.try_clone()?;
            let text: Vec<u8> = (0..=250).cycle().take(BYTES).collect();
            let sent = text.clone();
            let writing = thread::spawn(move || writer.write_all(&sent));
            let mut answer = vec![0; BYTES];
            reader.read_exact(&mut answer)?;
            writing.join().expect("no panic")?;
            Ok::<_, std::io::Error>(answer == text)
        });
        while !peer.is_finished() {
            pause(&lp).await;
        }
        assert!(peer.join().expect("no panic")?);
        Ok(())
    });
}
