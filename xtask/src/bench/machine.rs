//! What was measured, and on which machine.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::cargo::root;

const PEERS: &[&str] = &[
    "bevy_ecs",
    "evenio",
    "mod-events",
    "kameo",
    "tokio",
    "crossbeam-channel",
    "calloop",
];

pub(super) fn machine(page: &mut String) -> Result<(), Box<dyn Error>> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    writeln!(
        page,
        "- Machine: {model}, {cores} cores, {}",
        line_of("uname", &["-sr"])?
    )?;
    writeln!(page, "- Date: {}", line_of("date", &["-u", "+%F"])?)?;
    writeln!(page, "- Compiler: {}", line_of("rustc", &["--version"])?)?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let peers: Vec<_> = PEERS
        .iter()
        .map(|peer| format!("{peer} {}", locked(&lock, peer).unwrap_or("?")))
        .collect();
    writeln!(
        page,
        "- Peers: {}; eventpp and EnTT were not built",
        peers.join(", ")
    )?;
    Ok(())
}

fn line_of(program: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::locked;

    #[test]
    fn a_locked_version_is_found_by_the_whole_name() {
        let lock = "name = \"tokio-util\"\nversion = \"0.7.1\"\n\nname = \"tokio\"\nversion = \"1.54.1\"\n";

        assert_eq!(locked(lock, "tokio"), Some("1.54.1"));
        assert_eq!(locked(lock, "evenio"), None);
    }
}
