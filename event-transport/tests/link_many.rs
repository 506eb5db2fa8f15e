//! A link server with more connections than it has by default, most of which say nothing.
#![cfg(all(unix, feature = "wire"))]

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings::transport::wire::{Access, Identity, Limits, Link, Right, envelope};
use tidings::{Bus, event, listener};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;

const MANY: usize = 10_000;
/// What the test itself, and the system, need besides.
const OTHERS: usize = 200;
const LONG: Duration = Duration::from_secs(600);

#[event("many.told", serde)]
#[derive(Serialize, Deserialize)]
struct Told {
    number: u32,
}

struct Ear(mpsc::UnboundedSender<u32>);

#[listener]
fn hear(e: &Told, ear: Option<&Ear>) {
    if let (Some(ear), Some(_)) = (ear, envelope()) {
        ear.0.send(e.number).expect("the test listens");
    }
}

/// How many descriptors a process may have.
fn descriptors() -> usize {
    let output = Command::new("sh").args(["-c", "ulimit -n"]).output();
    let output = output.expect("there is a shell").stdout;
    let text = String::from_utf8_lossy(&output);
    // Without a limit it is a word.
    text.trim().parse().unwrap_or(usize::MAX)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_that_say_nothing_leave_another_one_unharmed() {
    if descriptors() < MANY + OTHERS {
        println!("skipped: {MANY} connections need more descriptors than there are");
        return;
    }
    let (sender, mut heard) = mpsc::unbounded_channel();
    let there = Bus::builder().state(Ear(sender)).build().unwrap();
    let bob = Identity::new("bob");
    let access = Access::nothing().allow(&bob, Right::Publish, "many.*");
    let server = Link::new("many")
        .subscribe("many.*")
        .unwrap()
        .connections(MANY + 1)
        .limits(Limits::default().handshake(LONG))
        .serve(&there, access.unwrap())
        .unwrap();
    // A connection that finds no room in the backlog is tried again seconds later.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(4096).unwrap();
    let address = listener.local_addr().unwrap();
    server.listen_tcp(listener, bob).unwrap();
    let mut crowd = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crowd", "--ignored", "--nocapture"])
        .env("MANY_ADDRESS", address.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = crowd.stdout.take().unwrap();
    let came = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        // So that nobody writes to where nobody reads.
        let came = lines.any(|line| line.contains("all are here"));
        (came, lines)
    });
    let (came, _lines) = tokio::time::timeout(LONG, came).await.unwrap().unwrap();
    assert!(came, "all of them connect");

    // Connections are accepted one after the other: this one after all of those.
    let here = Bus::builder().build().unwrap();
    let link = Link::new("one").publish("many.*").unwrap();
    let link = link.connect_tcp(&here, address).unwrap();
    here.emit(Told { number: 7 }).await;

    let told = tokio::time::timeout(LONG, heard.recv()).await;
    assert_eq!(told.expect("the link is open"), Some(7));
    link.close(LONG).await.unwrap();
    drop(crowd.stdin.take());
    assert!(crowd.wait().unwrap().success());
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn crowd() {
    let address = std::env::var("MANY_ADDRESS").expect("the test above says where");
    let address: SocketAddr = address.parse().unwrap();
    let all: Vec<TcpStream> = (0..MANY)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    println!("all are here");
    // Until the test has seen enough.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(all);
}
