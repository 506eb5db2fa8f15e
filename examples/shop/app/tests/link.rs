//! Two shops: one reads the purchases, and the other hears them over a link.
#![cfg(unix)]

#[path = "support/proxy.rs"]
mod proxy;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::LazyLock,
};

use proxy::Fault;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// Nobody waits as long.
const HOUR: &str = "3600000";

/// In the middle of the file: all of it is more than 6 MB on its way.
const MIDDLE: u64 = 3 * 1024 * 1024;

fn command(arguments: &[&str]) -> Command {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    shop.args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shop
}

fn start(arguments: &[&str]) -> Child {
    let shop = command(arguments).spawn();
    shop.expect("the shop was built for this test")
}

fn run(arguments: &[&str]) -> Output {
    let shop = command(arguments).output();
    shop.expect("the shop was built for this test")
}

fn master() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/CDNOW_master.txt");
    let path = path.to_str().expect("the folder of the sources is UTF-8");
    path.to_owned()
}

/// A shop that serves.
struct Server {
    child: Child,
    told: BufReader<ChildStderr>,
    address: SocketAddr,
}

/// How a shop has ended.
#[derive(Debug)]
struct Ended {
    status: Option<i32>,
    page: String,
    told: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the shop prints UTF-8");
        Self {
            status: output.status.code(),
            page: text(output.stdout),
            told: text(output.stderr),
        }
    }

    /// The number behind these words, or before them.
    #[track_caller]
    fn number(&self, line: &str, end: &str) -> u64 {
        let number = self.page.lines().find_map(|printed| {
            let rest = printed.strip_prefix(line)?;
            let rest = rest
                .split(end)
                .next()
                .filter(|_| !end.is_empty())
                .unwrap_or(rest);
            rest.split_whitespace()
                .last()?
                .replace(',', "")
                .parse()
                .ok()
        });
        number.unwrap_or_else(|| panic!("no number of {line:?} in {self:#?}"))
    }

    /// What the modules made of the purchases, and the figures of their queues.
    #[track_caller]
    fn report(&self) -> &str {
        let end = self
            .page
            .find("\nLink\n")
            .or(self.page.find("\nThis run\n"));
        let end = end.unwrap_or_else(|| panic!("no figures: {self:#?}"));
        &self.page[..end]
    }
}

impl Server {
    fn start() -> Self {
        let mut child = start(&["--serve", "127.0.0.1:0", "--grace", HOUR]);
        let stderr = child.stderr.take().expect("it was asked for");
        let mut told = BufReader::new(stderr);
        let line = next_line(&mut told);
        let address = line.trim_end().strip_prefix("shop: listens at ");
        let address = address.and_then(|address| address.parse().ok());
        Self {
            child,
            told,
            address: address.unwrap_or_else(|| panic!("no address: {line}")),
        }
    }

    fn end(mut self) -> Ended {
        let mut told = String::new();
        let read = self.told.read_to_string(&mut told);
        read.expect("the shop prints UTF-8");
        let output = self.child.wait_with_output().expect("it is a child");
        Ended {
            told,
            ..Ended::of(output)
        }
    }
}

fn next_line(told: &mut impl BufRead) -> String {
    let mut line = String::new();
    told.read_line(&mut line).expect("the shop prints UTF-8");
    line
}

/// What the shop prints that reads the master file and hears it on its own.
static MASTER: LazyLock<String> = LazyLock::new(|| alone(&master()));

fn alone(path: &str) -> String {
    let alone = Ended::of(run(&[path]));
    assert_eq!(alone.status, Some(0), "{alone:#?}");
    alone.report().to_owned()
}

#[track_caller]
fn assert_all_came_once(path: &str, server: &Ended, sender: &Ended) {
    assert_eq!(
        (server.status, sender.status),
        (Some(0), Some(0)),
        "{server:#?} {sender:#?}"
    );
    if path == master() {
        assert_eq!(server.report(), *MASTER);
    } else {
        assert_eq!(server.report(), alone(path));
    }
    let read = server.number("of ", "");
    assert_eq!(sender.number("events ", ""), read);
    let link = &server.page[server.page.find("\nLink\n").expect("the figures come last")..];
    let words: Vec<_> = link.split_whitespace().collect();
    assert_eq!(words[2..4], ["purchases", words[5]], "{link}");
}

#[test]
fn purchases_that_are_sent_make_the_report_of_those_that_are_read() {
    let sample = Path::new(&master()).with_file_name("CDNOW_sample.txt");
    for path in [
        sample.to_str().expect("the master's name is UTF-8"),
        &master(),
    ] {
        let server = Server::start();

        let sender = Ended::of(run(&["--send", &server.address.to_string(), path]));
        let server = server.end();

        assert_all_came_once(path, &server, &sender);
        assert_eq!((&*server.told, &*sender.told), ("", ""));
        assert_eq!(sender.number("connections ", ""), 1);
        assert_eq!(sender.number("sent again ", ""), 0);
    }
}

#[test]
fn a_replay_may_be_sent_too() {
    let server = Server::start();
    let address = server.address.to_string();

    let sender = Ended::of(run(&["--send", &address, "--replay", "virtual"]));

    let sample = Path::new(&master()).with_file_name("CDNOW_sample.txt");
    let sample = sample.to_str().expect("the master's name is UTF-8");
    assert_all_came_once(sample, &server.end(), &sender);
}

#[test]
fn a_link_that_is_cut_again_and_again_loses_no_purchase_and_repeats_none() {
    let server = Server::start();
    let proxy = proxy::before(server.address, Fault::Each(512 * 1024));

    let sender = Ended::of(run(&[
        "--send",
        &proxy.to_string(),
        "--patience",
        HOUR,
        &master(),
    ]));
    let server = server.end();

    assert_all_came_once(&master(), &server, &sender);
    // Without what is sent again it takes ten connections and more.
    assert!(sender.number("connections ", "") >= 10, "{sender:#?}");
    assert!(
        sender.told.contains("shop: the link is lost: "),
        "{sender:#?}"
    );
    assert!(
        sender.told.contains("shop: the link is open again"),
        "{sender:#?}"
    );
}

#[test]
fn a_sender_that_is_paused_and_cut_off_meanwhile_goes_on_where_it_was() {
    let mut server = Server::start();
    let (fault, reached, cut) = Fault::first(MIDDLE);
    let proxy = proxy::before(server.address, fault);
    let sender = start(&["--send", &proxy.to_string(), "--patience", HOUR, &master()]);
    let pid = Pid::from_child(&sender);

    reached.recv().expect("the proxy lives");
    kill_process(pid, Signal::STOP).expect("it is this test's child");
    let stopped = waitpid(Some(pid), WaitOptions::UNTRACED).expect("it is this test's child");
    assert!(stopped.is_some_and(|(_, status)| status.stopped()));
    cut.send(()).expect("the proxy lives");
    let told = next_line(&mut server.told);
    assert!(told.starts_with("shop: the link is lost: "), "{told}");
    kill_process(pid, Signal::CONT).expect("it is this test's child");
    let sender = Ended::of(sender.wait_with_output().expect("it is a child"));

    let server = server.end();
    assert_all_came_once(&master(), &server, &sender);
    assert_eq!(server.number("connections ", ""), 2);
}

#[test]
fn a_server_that_dies_is_given_up_and_what_it_has_not_is_told() {
    let mut server = Server::start();
    let (fault, reached, cut) = Fault::first(MIDDLE);
    let proxy = proxy::before(server.address, fault);
    let sender = start(&["--send", &proxy.to_string(), "--patience", "200", &master()]);

    reached.recv().expect("the proxy lives");
    server.child.kill().expect("it is this test's child");
    server.child.wait().expect("it is this test's child");
    cut.send(()).expect("the proxy lives");
    let sender = Ended::of(sender.wait_with_output().expect("it is a child"));

    assert_eq!(sender.status, Some(1), "{sender:#?}");
    let read = sender.number("purchases ", "");
    let delivered = sender.number("link:till/shop.purchased", " delivered");
    assert!(0 < delivered && delivered < read, "{sender:#?}");
    let missing = read - delivered;
    let words =
        format!(": {missing} purchases that were read were not delivered, and no more are read");
    assert!(sender.told.contains(&words), "{sender:#?}");
    assert!(
        sender.told.contains("could not be reached for 200ms"),
        "{sender:#?}"
    );
    assert!(sender.page.contains("not delivered:"), "{sender:#?}");
}

#[test]
fn a_second_sender_is_refused() {
    let server = Server::start();
    let (fault, reached, cut) = Fault::first(MIDDLE);
    let proxy = proxy::before(server.address, fault);
    let first = start(&["--send", &proxy.to_string(), "--patience", HOUR, &master()]);
    reached.recv().expect("the proxy lives");

    let second = Ended::of(run(&[
        "--send",
        &server.address.to_string(),
        "--patience",
        "0",
    ]));

    assert_eq!(second.status, Some(2), "{second:#?}");
    let words = "sessions already: come again later: nothing was sent";
    assert!(second.told.contains(words), "{second:#?}");
    cut.send(()).expect("the proxy lives");
    let first = Ended::of(first.wait_with_output().expect("it is a child"));
    assert_all_came_once(&master(), &server.end(), &first);
}

#[test]
fn what_is_no_shop_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it is bound").to_string();
    let arguments = ["--send", &address, "--patience", "1000", "--grace", HOUR];

    let sender = Ended::of(run(&arguments));

    assert_eq!(sender.status, Some(2), "{sender:#?}");
    let words = "could not be reached for 1s: the peer did not finish its handshake within 1s: nothing was sent";
    assert!(sender.told.contains(words), "{sender:#?}");
}

#[test]
fn a_server_that_was_started_anew_says_that_it_has_not_all() {
    let mut first = Server::start();
    let (fault, reached, cut) = Fault::first(MIDDLE);
    let proxy = proxy::before(first.address, fault);
    let sender = start(&["--send", &proxy.to_string(), "--patience", HOUR, &master()]);

    reached.recv().expect("the proxy lives");
    first.child.kill().expect("it is this test's child");
    first.child.wait().expect("it is this test's child");
    let second = start(&["--serve", &first.address.to_string()]);
    cut.send(()).expect("the proxy lives");
    let sender = Ended::of(sender.wait_with_output().expect("it is a child"));
    let second = Ended::of(second.wait_with_output().expect("it is a child"));

    assert_eq!(
        (sender.status, second.status),
        (Some(0), Some(1)),
        "{second:#?}"
    );
    let (came, sent) = (second.number("purchases ", ""), second.number("of ", ""));
    assert!(0 < came && came < sent, "{second:#?}");
    let words = format!("shop: {came} purchases came and {sent} were sent: ");
    assert!(second.told.contains(&words), "{second:#?}");
}

#[test]
fn a_sender_that_is_stopped_tells_the_other_shop_how_much_it_has_sent() {
    let server = Server::start();
    let address = server.address.to_string();
    let mut sender = start(&["--send", &address, "--grace", HOUR, "-"]);
    let mut input = sender.stdin.take().expect("it was asked for");
    // The broken line is told when all before it are on their way.
    let orders = "1 19970101 9 300.00\n".repeat(30) + "no purchase\n";
    input.write_all(orders.as_bytes()).expect("the shop reads");
    let mut told = BufReader::new(sender.stderr.take().expect("it was asked for"));
    assert!(next_line(&mut told).starts_with("shop: line 31: "));

    kill_process(Pid::from_child(&sender), Signal::INT).expect("it is this test's child");
    let sender = Ended::of(sender.wait_with_output().expect("it is a child"));
    drop(input);
    let server = server.end();

    assert_eq!(
        (sender.status, server.status),
        (Some(130), Some(1)),
        "{server:#?}"
    );
    assert_eq!(server.number("of ", ""), 30);
    assert_eq!(
        server.told,
        "shop: the other shop did not read all of standard input\n"
    );
}

#[test]
fn a_server_that_is_stopped_prints_what_it_has_heard() {
    let server = Server::start();
    let address = server.address.to_string();
    let mut sender = start(&["--send", &address, "--patience", "0", "-"]);
    let mut input = sender.stdin.take().expect("it was asked for");
    let orders = "1 19970101 9 300.00\n".repeat(30) + "no purchase\n";
    input.write_all(orders.as_bytes()).expect("the shop reads");
    let mut told = BufReader::new(sender.stderr.take().expect("it was asked for"));
    assert!(next_line(&mut told).starts_with("shop: line 31: "));

    kill_process(Pid::from_child(&server.child), Signal::TERM).expect("it is this test's child");
    let server = server.end();
    let mut rest = String::new();
    told.read_to_string(&mut rest)
        .expect("the shop prints UTF-8");
    let sender = Ended::of(sender.wait_with_output().expect("it is a child"));

    assert_eq!(server.status, Some(143), "{server:#?}");
    assert!(matches!(sender.status, Some(1 | 2)), "{sender:#?} {rest}");
    assert!(rest.contains("could not be reached for 0ns"), "{rest}");
}

#[test]
fn an_address_that_cannot_be_used_is_told() {
    let in_use = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = in_use.local_addr().expect("it is bound").to_string();
    let beyond = "is not on this machine, and the link is not encrypted";
    for (arguments, words) in [
        (["--serve", &taken], "cannot listen at "),
        (["--serve", "0.0.0.0:0"], beyond),
        (["--send", "192.0.2.1:7000"], beyond),
        (["--serve", "127.0.0.1"], "\"127.0.0.1\" is no address: "),
        (["--send", "nowhere"], "\"nowhere\" is no address: "),
    ] {
        let ended = Ended::of(run(&arguments));

        assert_eq!(ended.status, Some(2), "{ended:#?}");
        assert!(ended.told.contains(words), "{ended:#?}");
        assert_eq!(ended.page, "");
    }
    drop(in_use);
    let ended = Ended::of(run(&["--send", &taken, "--patience", "0"]));

    assert_eq!(ended.status, Some(2), "{ended:#?}");
    let gone = format!("{taken} could not be reached for 0ns: ");
    assert!(ended.told.contains(&gone), "{ended:#?}");
    assert!(ended.told.contains(": nothing was sent"), "{ended:#?}");
}

#[test]
fn a_command_line_that_serves_and_reads_is_refused() {
    for (arguments, words) in [
        (
            ["--serve", "127.0.0.1:0", "purchases.txt"].as_slice(),
            "hears what the other shop reads",
        ),
        (
            &["--serve", "127.0.0.1:0", "--replay", "virtual"],
            "hears what the other shop reads",
        ),
        (
            &["--serve", "127.0.0.1:0", "--send", "127.0.0.1:1"],
            "serves or sends",
        ),
        (&["--send"], "needs an address"),
    ] {
        let ended = Ended::of(run(arguments));

        assert_eq!(ended.status, Some(2), "{ended:#?}");
        assert!(ended.told.contains(words), "{ended:#?}");
    }
}
