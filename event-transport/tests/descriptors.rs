//! Servers of a process with few file descriptors.
#![cfg(unix)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use support::{Echo, ends, failures, pause, run};
use tidings::EventLoop;
use tidings::transport::{serve, tcp};

/// Runs the test of this name in a process of its own, which has few file descriptors.
fn again_with_few_descriptors(name: &str) {
    let program = std::env::current_exe().expect("the test knows its program");
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 24 && exec \"$0\" --exact \"$1\" --ignored --nocapture",
        ])
        .arg(program)
        .arg(name)
        .output()
        .expect("there is a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "{text}\n{errors}");
}

#[test]
fn av02_without_a_descriptor_accepting_waits_a_second_and_goes_on() {
    again_with_few_descriptors("with_few_descriptors");
}

#[test]
#[ignore = "the test above runs it with few file descriptors"]
fn with_few_descriptors() {
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let mut waiting = TcpStream::connect(addr)?;
        while server.connections() < 1 {
            pause(&lp).await;
        }
        // One for the client, and none for the server's end of it.
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        files.pop();
        let mut next = TcpStream::connect(addr)?;
        while told.len() == 0 {
            pause(&lp).await;
        }
        let begun = lp.elapsed();
        waiting.write_all(b"ping")?;
        waiting.set_nonblocking(true)?;
        while waiting.peek(&mut [0; 4]).is_err() {
            pause(&lp).await;
        }
        assert_eq!(server.connections(), 1);
        files.clear();
        while server.connections() < 2 {
            pause(&lp).await;
        }
        assert!(lp.elapsed() >= begun + Duration::from_millis(900));
        next.write_all(b"pong")?;
        next.set_nonblocking(true)?;
        while next.peek(&mut [0; 4]).is_err() {
            pause(&lp).await;
        }
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("a server named `127.0.0.1:"),
        "{told:?}"
    );
}

#[test]
fn many_short_connections_leave_no_descriptor_and_no_task_behind() {
    again_with_few_descriptors("many_short_connections");
}

#[test]
#[ignore = "the test above runs it with few file descriptors"]
fn many_short_connections() {
    const COUNT: usize = 500;
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let (server, log) = ends(&lp).await?;
        let addr = server.local_addrs()[0];
        let tasks = lp.task_count();
        let peer = thread::spawn(move || {
            for _ in 0..COUNT {
                let mut peer = TcpStream::connect(addr)?;
                peer.write_all(b"x")?;
                peer.read_exact(&mut [0])?;
            }
            Ok::<_, std::io::Error>(())
        });
        while log.len() < COUNT {
            pause(&lp).await;
        }
        peer.join().expect("no panic")?;
        assert_eq!((lp.task_count(), server.connections()), (tasks, 0));
        Ok(())
    });
    assert_eq!(told.len(), 0);
}
