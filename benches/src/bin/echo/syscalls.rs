//! Counting the calls of the operating system, by strace.

use std::error::Error;
use std::fs;
use std::process::Command;

use tidings_benches::harness::per_call;
use tidings_benches::process::Server;

use crate::load::Load;

const CONNECTIONS: usize = 10;
const FEW: usize = 1_000;
const MANY: usize = 6_000;

/// How many calls a message of 1 KiB takes, with ten on their way. What the start takes is not counted.
///
/// # Errors
///
/// When there is no strace, or it may not trace.
pub(crate) fn count(command: &[String]) -> Result<f64, Box<dyn Error>> {
    let more = traced(command, MANY)? - traced(command, FEW)?;
    Ok(per_call(more, (MANY - FEW) as u64))
}

fn traced(command: &[String], messages: usize) -> Result<f64, Box<dyn Error>> {
    let page = std::env::temp_dir().join(format!("tidings-echo-{}", std::process::id()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "calls,name", "-o"]);
    strace.arg(&page).args(command);
    let server = Server::start(&mut strace)?;
    Load::connect(server.port, CONNECTIONS, 1024)?.run(messages)?;
    let tracer = server.id();
    let child = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"))?;
    // It ends with what it traces, and writes its page then.
    Command::new("kill").arg(child.trim()).status()?;
    server.ended()?;
    let text = fs::read_to_string(&page)?;
    fs::remove_file(&page)?;
    let total = text.lines().find_map(|line| line.strip_suffix("total"));
    let total = total.ok_or("strace has counted nothing")?;
    Ok(total.trim().parse()?)
}
