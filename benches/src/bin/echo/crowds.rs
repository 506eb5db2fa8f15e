//! Prints what connections cost that do nothing, that are short, and whose client reads slowly.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use tidings_benches::process::{Server, descriptors, status};

use crate::load::Load;

const IDLE: usize = 1000;
const SHORT: usize = 20_000;
const SLOW: usize = 1 << 30;

/// Asks a server of ours.
///
/// # Errors
///
/// When the server has failed.
pub(crate) fn measure(
    start: impl Fn() -> Result<Server, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    idle(&start()?)?;
    short(&start()?)?;
    slow(&start()?)
}

fn idle(server: &Server) -> Result<(), Box<dyn Error>> {
    let process = server.id();
    let mut load = Load::connect(server.port, IDLE, 1024)?;
    load.run(IDLE)?;
    let waits = || status(&process, "voluntary_ctxt_switches");
    let before = waits()?;
    thread::sleep(Duration::from_secs(1));
    println!("echo idle wake-ups\t{}", waits()? - before);
    Ok(())
}

fn short(server: &Server) -> Result<(), Box<dyn Error>> {
    let process = server.id();
    let cycle =
        |times| (0..times).try_for_each(|_| Load::connect(server.port, 1, 1024)?.run(1).map(drop));
    cycle(SHORT / 10)?;
    let before = (descriptors(&process)?, status(&process, "VmRSS")?);
    cycle(SHORT)?;
    // The server sees the end of the last one when it has answered this.
    cycle(1)?;
    let after = (descriptors(&process)?, status(&process, "VmRSS")?);
    println!(
        "echo short descriptors\t{}",
        after.0.saturating_sub(before.0 + 1)
    );
    println!("echo short memory\t{}", after.1.saturating_sub(before.1));
    Ok(())
}

/// Sends a GiB as fast as the server takes it, to a client that reads a little at a time.
fn slow(server: &Server) -> Result<(), Box<dyn Error>> {
    let process = server.id();
    let mut write = TcpStream::connect(("127.0.0.1", server.port))?;
    let mut read = write.try_clone()?;
    let writer = thread::spawn(move || {
        let piece = vec![7; 64 * 1024];
        (0..SLOW / piece.len()).try_for_each(|_| write.write_all(&piece))
    });
    // The buffers of the system are full before the first byte is read.
    thread::sleep(Duration::from_millis(300));
    let before = status(&process, "VmHWM")?;
    let mut piece = [0; 8 * 1024];
    for _ in 0..SLOW / piece.len() {
        read.read_exact(&mut piece)?;
    }
    writer.join().map_err(|_| "the writer has panicked")??;
    let most = status(&process, "VmHWM")?.max(before);
    println!("echo slow memory\t{}", most / 1024);
    Ok(())
}
