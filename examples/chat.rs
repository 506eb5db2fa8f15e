//! A server and two clients, each a program of its own, that say things to each other over TLS.
//!
//! Run without arguments it starts all three of them, cuts one client off and lets it come back: nothing is lost. By hand:
//!
//! ```text
//! chat keys FOLDER NAME..             makes certificates for a server and for these clients
//! chat server ADDRESS [FOLDER]        listens there until its input ends
//! chat client ADDRESS NAME [FOLDER]   says every line of its input
//! ```
//!
//! The folder is `chat-keys` unless another one is named.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde::{Deserialize, Serialize};
use tidings::transport::tls::rustls::pki_types::CertificateDer;
use tidings::transport::tls::rustls::pki_types::pem::PemObject;
use tidings::transport::tls::{Pem, TlsClient, TlsServer};
use tidings::transport::wire::{
    Access, Identity, Link, LinkLost, LinkOpened, Right, Secrets, envelope,
};
use tidings::{Bus, event, listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the certificate of the server names.
const SERVER: &str = "server.chat.example";
const SOON: Duration = Duration::from_secs(10);
const USAGE: &str = "write `chat`, `chat keys FOLDER NAME..`, `chat server ADDRESS [FOLDER]` or `chat client ADDRESS NAME [FOLDER]`";

#[event("chat.joined", serde)]
#[derive(Serialize, Deserialize)]
struct Joined {
    who: String,
}

#[event("chat.say", serde)]
#[derive(Serialize, Deserialize)]
struct Say {
    who: String,
    text: String,
}

#[listener]
fn joined(e: &Joined) {
    // What this program says itself has no envelope.
    if envelope().is_some() {
        println!("{} is here", e.who);
    }
}

#[listener]
fn heard(e: &Say) {
    if envelope().is_some() {
        println!("{}: {}", e.who, e.text);
    }
}

/// The peers that were here, and whether they are away.
#[derive(Default)]
struct Peers(Mutex<BTreeMap<String, bool>>);

#[listener]
fn lost(e: &LinkLost, peers: &Peers) {
    match peers.0.lock().unwrap().get_mut(&e.peer) {
        Some(true) => {}
        Some(away) => {
            *away = true;
            println!("-- {} is away", e.peer);
        }
        None => println!("-- {e}"),
    }
}

#[listener]
fn opened(e: &LinkOpened, peers: &Peers) {
    let mut peers = peers.0.lock().unwrap();
    if peers.insert(e.peer.clone(), false) == Some(true) {
        println!("-- {} is back", e.peer);
    }
}

fn bus() -> Result<Bus> {
    let bus = Bus::builder().runtime(Handle::current());
    Ok(bus.state(Peers::default()).build()?)
}

fn link() -> Result<Link> {
    Ok(Link::new("chat").publish("chat.*")?.subscribe("chat.*")?)
}

fn keys(folder: &Path, names: &[String]) -> Result<()> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = &mut authority.distinguished_name;
    name.push(DnType::CommonName, "the authority of this chat");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let issue = |name: &str, file: String| -> Result<_> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &authority)?;
        // What the certificate cannot name is no name of a file either.
        if Identity::from_certificate(certificate.der()).is_err() {
            return Err(
                format!("`{name}` is no name for a client: write one like `ann.lee`").into(),
            );
        }
        let pem = (format!("{file}.pem"), certificate.pem());
        Ok([pem, (format!("{file}.key"), key.serialize_pem())])
    };
    let mut files = vec![issue(SERVER, "server".to_owned())?];
    for name in names {
        files.push(issue(name, format!("clients/{name}"))?);
    }
    fs::create_dir_all(folder.join("clients"))?;
    fs::write(folder.join("authority.pem"), authority.pem())?;
    for (file, text) in files.into_iter().flatten() {
        fs::write(folder.join(file), text)?;
    }
    Ok(())
}

async fn server(folder: &Path, address: &str) -> Result<()> {
    let bus = bus()?;
    let mut access = Access::nothing();
    let clients = fs::read_dir(folder.join("clients")).map_err(|error| {
        let folder = folder.display();
        format!("no certificates are in {folder}: write `chat keys {folder} NAME..` ({error})")
    })?;
    for file in clients {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "pem") {
            let client = Identity::from_certificate(&CertificateDer::from_pem_file(&path)?)?;
            access = access.allow(&client, Right::Publish, "chat.*")?;
            access = access.allow(&client, Right::Subscribe, "chat.*")?;
        }
    }
    let pem = |name| Pem::file(folder.join(name));
    let tls = TlsServer::builder(pem("server.pem"), pem("server.key"));
    let tls = tls.client_roots(pem("authority.pem")).build()?;
    // What comes from one client goes out to the others.
    let server = link()?.relay(1).serve(&bus, access)?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen at {address}: {error}"))?;
    println!("{}", listener.local_addr()?);
    server.listen_tls(listener, &tls, Secrets::none())?;

    each_line(|_| ()).await?;
    Ok(server.close(SOON).await?)
}

async fn client(folder: &Path, address: &str, name: &str) -> Result<()> {
    let bus = bus()?;
    let own = |end| Pem::file(folder.join("clients").join(format!("{name}.{end}")));
    let tls = TlsClient::builder()
        .roots(Pem::file(folder.join("authority.pem")))
        .certificate(own("pem"), own("key"))
        .build()?
        .server_name(SERVER)?;
    let link = link()?.connect_tls(&bus, address, &tls)?;
    link.opened().await?;
    let who = name.to_owned();
    bus.emit(Joined { who }).await;

    let (bus, who) = (bus.clone(), name.to_owned());
    each_line(move |text| {
        let who = who.clone();
        bus.emit(Say { who, text });
    })
    .await?;
    // What was said while the server was away goes out first.
    Ok(link.close(SOON).await?)
}

/// Does something with each line of the input, on a thread that may wait for it.
async fn each_line(f: impl Fn(String) + Send + 'static) -> Result<()> {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lines();
        let all = lines.try_for_each(|line| line.map(&f));
        // Nobody waits any more if the program has ended.
        let _ = ended.send(all);
    });
    Ok(end.await??)
}

/// One of the programs, with its input and output in this one's hands.
struct Program {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(name: &'static str, args: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("it has an input")?;
        let output = child.stdout.take().ok_or("it has an output")?;
        Ok(Self {
            name,
            child,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.output.next().ok_or("it has ended")??)
    }

    fn says(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(self.input, "{text}")?)
    }

    /// Waits for so many lines of its output.
    fn shows(&mut self, lines: usize) -> Result<()> {
        for _ in 0..lines {
            let line = self.line()?;
            println!("{:>6} | {line}", self.name);
        }
        Ok(())
    }

    /// It has no more to show, and ends well.
    fn end(mut self) -> Result<()> {
        drop(self.input);
        for line in self.output {
            println!("{:>6} | {}", self.name, line?);
        }
        if !self.child.wait()?.success() {
            return Err(format!("{} did not end well", self.name).into());
        }
        Ok(())
    }
}

/// Passes connections on to the server, while it is up.
async fn wire(listener: TcpListener, server: SocketAddr, mut up: watch::Receiver<bool>) {
    let mut down = up.clone();
    while up.wait_for(|up| *up).await.is_ok() {
        let Ok((mut client, _)) = listener.accept().await else {
            continue;
        };
        if let Ok(mut server) = TcpStream::connect(server).await {
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = down.wait_for(|up| !up) => {}
            }
        }
    }
}

/// The three programs, and a wire to Bob's that is cut.
fn show() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("tidings-chat-{}", std::process::id()));
    keys(&folder, &["ann".to_owned(), "bob".to_owned()])?;
    let path = folder.to_str().ok_or("the name of the folder is text")?;
    let mut server = Program::start("server", &["server", "127.0.0.1:0", path])?;
    let address = server.line()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let to_bob = listener.local_addr()?.to_string();
    let up = watch::Sender::new(true);
    runtime.spawn(wire(listener, address.parse()?, up.subscribe()));

    let mut ann = Program::start("ann", &["client", &address, "ann", path])?;
    server.shows(1)?;
    let mut bob = Program::start("bob", &["client", &to_bob, "bob", path])?;
    server.shows(1)?;
    ann.shows(1)?;
    ann.says("Good morning, Bob.")?;
    server.shows(1)?;
    bob.shows(1)?;

    println!("Bob's wire is cut.");
    up.send_replace(false);
    bob.shows(1)?;
    server.shows(1)?;
    bob.says("Good morning! Did you say anything?")?;
    ann.says("Shall we meet at ten?")?;
    ann.says("In the small room.")?;
    server.shows(2)?;

    println!("It is repaired.");
    up.send_replace(true);
    bob.shows(3)?;
    server.shows(2)?;
    ann.shows(1)?;

    bob.end()?;
    ann.end()?;
    server.end()?;
    Ok(fs::remove_dir_all(folder)?)
}

/// The one that is named last, if one is.
fn folder_of<'a>(rest: &[&'a str]) -> Result<&'a Path> {
    match rest {
        [] => Ok(Path::new("chat-keys")),
        [folder] => Ok(Path::new(*folder)),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    match args[..] {
        [] => show(),
        ["keys", folder, ref names @ ..] => {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            keys(folder.as_ref(), &names)
        }
        ["server", address, ref folder @ ..] => {
            runtime()?.block_on(server(folder_of(folder)?, address))
        }
        ["client", address, name, ref folder @ ..] => {
            runtime()?.block_on(client(folder_of(folder)?, address, name))
        }
        _ => Err(USAGE.into()),
    }
}
