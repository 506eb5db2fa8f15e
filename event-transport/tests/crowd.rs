//! Many connections, and much over one: what they cost, by count.
//!
//! The clients are a process of their own, this program once more, with nothing but the standard library.
#![cfg(target_os = "linux")]

mod support;

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{Echo, ends, failures, pause, run, until};
use tidings::event_loop::LoopError;
use tidings::transport::{
    AfterEof, ConnectionMade, EofReceived, Transport, WriteError, WriteLimits, WriteState, serve,
    tcp,
};
use tidings::{EventLoop, protocol};

const VARIABLE: &str = "TIDINGS_CROWD";

/// How many short connections there are at a time.
const FEW: usize = 50;

/// They count what the whole process has.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Raises the limit of descriptors, and gives how many connections it allows, up to so many.
fn room_for(connections: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the soft limit may be raised to the hard one");
    let limit = maximum.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    // Some are for the rest of the program.
    connections.min(limit.saturating_sub(64))
}

/// A process of clients.
struct Clients {
    child: Child,
    stdin: ChildStdin,
    told: Receiver<String>,
}

impl Clients {
    fn start(what: &str, addr: SocketAddr, count: usize) -> Self {
        let program = std::env::current_exe().expect("the test knows its program");
        let mut child = Command::new(program)
            .args(["--exact", "clients", "--ignored", "--nocapture"])
            .env(VARIABLE, format!("{what} {addr} {count}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process can be started");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let (tell, told) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some((_, told)) = line.split_once("clients: ") {
                    // A test that has failed listens no more.
                    let _ = tell.send(told.to_owned());
                }
            }
        });
        Self {
            stdin: child.stdin.take().expect("it was asked for"),
            child,
            told,
        }
    }

    /// Waits until they say so.
    async fn said(&self, lp: &EventLoop, what: &str) {
        loop {
            match self.told.try_recv() {
                Ok(told) => return assert_eq!(told, what),
                Err(TryRecvError::Empty) => pause(lp).await,
                Err(TryRecvError::Disconnected) => panic!("the clients ended before `{what}`"),
            }
        }
    }

    /// Lets them go on.
    fn go_on(&mut self) {
        self.stdin.write_all(b"\n").expect("the clients wait");
    }

    fn end(mut self) {
        let status = self.child.wait().expect("it is this test's child");
        assert!(status.success(), "{status}");
    }
}

#[test]
#[ignore = "the clients of the other tests, in a process of their own"]
fn clients() -> Result<(), Box<dyn Error>> {
    let Ok(wanted) = std::env::var(VARIABLE) else {
        return Ok(());
    };
    let words: Vec<_> = wanted.split(' ').collect();
    let (addr, count): (SocketAddr, usize) = (words[1].parse()?, words[2].parse()?);
    match words[0] {
        "hold" => {
            assert_eq!(room_for(count), count);
            let mut streams = Vec::new();
            for _ in 0..count {
                streams.push(TcpStream::connect(addr)?);
            }
            for (number, stream) in streams.iter_mut().enumerate() {
                stream.write_all(&u64::try_from(number)?.to_le_bytes())?;
            }
            for (number, stream) in streams.iter_mut().enumerate() {
                let mut answer = [0; 8];
                stream.read_exact(&mut answer)?;
                assert_eq!(u64::from_le_bytes(answer), u64::try_from(number)?);
            }
            println!("clients: all have their answers");
            io::stdin().read_line(&mut String::new())?;
        }
        "short" => {
            for begun in (0..count).step_by(FEW) {
                let streams: io::Result<Vec<_>> =
                    (0..FEW).map(|_| TcpStream::connect(addr)).collect();
                let mut streams = streams?;
                for stream in &mut streams {
                    stream.write_all(b"x")?;
                }
                for stream in &mut streams {
                    stream.read_exact(&mut [0])?;
                }
                drop(streams);
                if begun + FEW == count / 10 {
                    println!("clients: a tenth is over");
                    io::stdin().read_line(&mut String::new())?;
                }
            }
            println!("clients: all are over");
        }
        "read" => {
            let mut stream = TcpStream::connect(addr)?;
            let (mut buffer, mut bytes) = (vec![0; 64 * 1024], 0);
            loop {
                match stream.read(&mut buffer)? {
                    0 => break,
                    read => bytes += read,
                }
            }
            assert_eq!(bytes, count);
            println!("clients: all has come");
        }
        other => panic!("nobody asks for `{other}`"),
    }
    Ok(())
}

/// The memory that this process has in use, in bytes.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    let pages: usize = pages.expect("the second figure is the memory in use");
    pages * rustix::param::page_size()
}

fn sockets() -> usize {
    let files = std::fs::read_dir("/proc/self/fd").expect("Linux has it");
    let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:"));
    sockets.count()
}

/// How often this thread has waited.
fn waits() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("Linux has it");
    let waits = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    let waits = waits.and_then(|waits| waits.trim().parse().ok());
    waits.expect("Linux counts them")
}

#[test]
fn ten_thousand_connections_at_once_have_their_answers_and_leave_nothing() {
    const WANTED: usize = 10_000;
    const EACH: usize = 8 * 1024;
    let _alone = alone();
    let count = room_for(WANTED);
    if count < WANTED / 10 {
        println!("skipped: there are descriptors for {count} connections, not for {WANTED}");
        return;
    }
    if count < WANTED {
        println!("ran with {count} connections and not {WANTED}: there are no more descriptors");
    }
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let mut clients = Clients::start("hold", server.local_addrs()[0], count);
        let before = (lp.task_count(), sockets(), memory());
        clients.said(&lp, "all have their answers").await;
        assert_eq!(server.connections(), count);
        let grown = memory().saturating_sub(before.2);
        assert!(
            grown < count * EACH,
            "{grown} bytes for {count} connections"
        );

        clients.go_on();
        clients.end();
        until(&lp, &server, 0).await;
        assert_eq!((lp.task_count(), sockets()), (before.0, before.1));
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}

#[test]
fn a_thousand_idle_connections_wake_nobody() {
    const WANTED: usize = 1000;
    let _alone = alone();
    let count = room_for(WANTED);
    if count < WANTED {
        println!("skipped: there are descriptors for {count} connections, not for {WANTED}");
        return;
    }
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let mut clients = Clients::start("hold", server.local_addrs()[0], count);
        clients.said(&lp, "all have their answers").await;
        assert_eq!(server.connections(), count);
        // Whatever they are woken for, it would be in this time.
        lp.sleep(Duration::from_millis(100)).await;
        let before = waits();
        lp.sleep(Duration::from_secs(1)).await;
        let waited = waits() - before;
        assert!(
            waited <= 10,
            "the thread waited {waited} times during one sleep"
        );
        clients.go_on();
        clients.end();
        until(&lp, &server, 0).await;
        Ok(())
    });
}

#[test]
fn twenty_thousand_short_connections_leave_nothing() {
    const COUNT: usize = 20_000;
    let _alone = alone();
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let (server, log) = ends(&lp).await?;
        let mut clients = Clients::start("short", server.local_addrs()[0], COUNT);
        clients.said(&lp, "a tenth is over").await;
        until(&lp, &server, 0).await;
        let before = (lp.task_count(), sockets(), memory());
        clients.go_on();
        clients.said(&lp, "all are over").await;
        until(&lp, &server, 0).await;
        while log.len() < COUNT {
            pause(&lp).await;
        }
        let after = (lp.task_count(), sockets());
        assert_eq!(after, (before.0, before.1));
        // The log of the test has grown: a few bytes for each connection.
        let grown = memory().saturating_sub(before.2);
        assert!(
            grown < 4 * 1024 * 1024,
            "{grown} bytes are left of {COUNT} connections"
        );
        clients.end();
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}

const BYTES: usize = 1 << 30;
const MARK: usize = 64 * 1024;
const PIECE: usize = 64 * 1024;

/// Writes as much as it may, as fast as the pressure allows.
#[derive(Default)]
struct Flood;

#[protocol]
impl Flood {
    #[listener]
    fn made(_: &ConnectionMade, t: &Transport) -> Result<(), LoopError> {
        let task = t.event_loop().spawn(flood(t.clone()))?;
        task.detach();
        Ok(())
    }

    #[listener]
    fn eof(_: &EofReceived) -> AfterEof {
        AfterEof::KeepWriting
    }
}

async fn flood(t: Transport) -> Result<(), WriteError> {
    for _ in 0..BYTES / PIECE {
        // Each has memory of its own, so that what waits can be seen.
        if t.write(vec![b'x'; PIECE])? == WriteState::OverHigh {
            assert!(t.write_buffer_size() <= MARK + PIECE);
            t.writable().await?;
        }
    }
    t.close();
    Ok(())
}

#[test]
fn a_gibibyte_to_a_slow_reader_keeps_the_memory_bounded() {
    const BOUND: usize = 4 * 1024 * 1024;
    let _alone = alone();
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let server = serve::<Flood>(&lp, tcp("127.0.0.1:0"));
        let server = server.write_limits(WriteLimits::high(MARK)).await?;
        let clients = Clients::start("read", server.local_addrs()[0], BYTES);
        until(&lp, &server, 1).await;
        let before = memory();
        let mut most = before;
        while server.connections() > 0 {
            most = most.max(memory());
            pause(&lp).await;
        }
        let grown = most - before;
        assert!(grown < BOUND, "{grown} bytes while a gibibyte was sent");
        clients.said(&lp, "all has come").await;
        clients.end();
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}
