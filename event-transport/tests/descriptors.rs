//! Servers of a process with few file descriptors.
#![cfg(unix)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use support::{Echo, Silent, ends, failures, pause, run};
use tidings::EventLoop;
use tidings::transport::{LOCAL_ADDR, endpoint, serve, tcp, udp};

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

#[test]
fn many_short_endpoints_leave_no_descriptor_and_no_task_behind() {
    again_with_few_descriptors("many_short_endpoints");
}

#[test]
#[ignore = "the test above runs it with few file descriptors"]
fn many_short_endpoints() {
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let (kept, _) = endpoint::<Silent>(&lp, udp("127.0.0.1:0")).await?;
        let there = kept.info(LOCAL_ADDR).ok_or("UDP has an address")?;
        let tasks = lp.task_count();
        for number in 0..500 {
            let at = udp("127.0.0.1:0").connected(there);
            let (t, _) = endpoint::<Silent>(&lp, at).await?;
            t.send("x")?;
            if number % 2 == 0 {
                t.close();
            } else {
                t.abort();
            }
            t.wait_closed().await;
            // One that is in use is refused, and its descriptor is closed again.
            endpoint::<Silent>(&lp, udp(there)).await.unwrap_err();
        }
        while lp.task_count() > tasks {
            pause(&lp).await;
        }
        Ok(())
    });
    assert_eq!(told.len(), 0);
}

#[test]
fn without_a_descriptor_whatever_needs_one_is_an_error_and_the_rest_goes_on() {
    again_with_few_descriptors("openings_with_few_descriptors");
}

#[test]
#[ignore = "the test above runs it with few file descriptors"]
fn openings_with_few_descriptors() {
    use support::{Log, Witness};
    use tidings::transport::{TransportErrorKind, command, connect, connect_with, process};

    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        // What the first child makes stays: the runtime's own.
        let (first, _) = process::<Silent>(&lp, command("true")).await?;
        first.wait_closed().await;
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let log = Log::default();
        let own = log.clone();
        let (t, _) = connect_with(&lp, tcp(addr), move || Witness::of(&own)).await?;
        while server.connections() < 1 {
            pause(&lp).await;
        }
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        for round in 0..3 {
            let error = connect::<Silent>(&lp, tcp(addr)).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Connect);
            assert!(error.to_string().contains("Too many open files"), "{error}");
            let error = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Bind);
            assert!(error.to_string().contains("Too many open files"), "{error}");
            let error = endpoint::<Silent>(&lp, udp("127.0.0.1:0"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Bind);
            assert!(error.to_string().contains("Too many open files"), "{error}");
            let error = process::<Silent>(&lp, command("true")).await;
            let error = error.err().ok_or("there are no pipes for it")?;
            assert_eq!(error.kind(), TransportErrorKind::Spawn);
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let words = format!("{error}: {cause:?}");
            assert!(words.contains("Too many open files"), "{words}");
            let text = format!("ping {round}");
            t.write(text.clone())?;
            log.wait(&lp, &format!("data {text}")).await;
        }
        drop(files);
        connect::<Silent>(&lp, tcp(addr)).await?;
        let (last, _) = process::<Silent>(&lp, command("true")).await?;
        last.wait_closed().await;
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}

#[cfg(feature = "wire")]
#[test]
fn a_server_of_links_without_a_descriptor_says_so_and_goes_on() {
    again_with_few_descriptors("links_with_few_descriptors");
}

#[cfg(feature = "wire")]
mod links {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use serde::{Deserialize, Serialize};
    use tidings::transport::wire::{Access, Identity, Link, LinkLost, Right, envelope};
    use tidings::{Bus, event, listener};

    const SOON: Duration = Duration::from_secs(20);

    #[event("few.said", serde)]
    #[derive(Serialize, Deserialize)]
    struct Said;

    static HEARD: AtomicU32 = AtomicU32::new(0);

    #[listener]
    fn hear(_: &Said) {
        if envelope().is_some() {
            HEARD.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn heard(count: u32) {
        let waits = async {
            while HEARD.load(Ordering::Relaxed) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(SOON, waits).await;
        waited.expect("it is heard");
    }

    pub(super) async fn few() {
        let runtime = tokio::runtime::Handle::current();
        let bus = || Bus::builder().runtime(runtime.clone()).on_failure(|_| ());
        let (here, there) = (bus().build().unwrap(), bus().build().unwrap());
        let bob = Identity::new("bob");
        let access = Access::nothing().allow(&bob, Right::Publish, "few.*");
        let server = Link::new("few").subscribe("few.said").unwrap();
        let server = server.serve(&there, access.unwrap()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        server.listen_tcp(listener, bob).unwrap();
        let said = |name: &str| Link::new(name).publish("few.said").unwrap();
        let first = said("first").connect_tcp(&here, address).unwrap();
        first.opened().await.unwrap();
        let lost = there.next::<LinkLost>();
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        // One for the client, and none for the server's end of it.
        files.pop();
        let _stranger = std::net::TcpStream::connect(address).unwrap();
        let lost = tokio::time::timeout(SOON, lost.into_future()).await;
        let lost = lost.expect("it is told").unwrap();
        assert!(lost.why.contains("Too many open files"), "{lost:?}");
        here.emit(Said).await;
        heard(1).await;
        drop(files);
        let other = Bus::builder().runtime(runtime.clone()).build().unwrap();
        let second = said("second").connect_tcp(&other, address).unwrap();
        tokio::time::timeout(SOON, second.opened())
            .await
            .expect("it is let in")
            .unwrap();
        assert_eq!(first.stats().connections, 1);
        other.emit(Said).await;
        heard(2).await;
    }
}

#[cfg(feature = "wire")]
#[test]
#[ignore = "the test above runs it with few file descriptors"]
fn links_with_few_descriptors() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(links::few());
}
