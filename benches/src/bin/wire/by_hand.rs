//! What one would write by hand: JSON envelopes with their lengths before them, a bounded channel, and an acknowledgement of each.

use std::error::Error;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::{Reading, hear, reading};

#[derive(Serialize, Deserialize)]
struct Envelope {
    origin: u64,
    number: u64,
    time: SystemTime,
    topic: String,
    version: u32,
    content_type: String,
    cause: Option<(u64, u64)>,
    trace: (u64, u64),
    payload: Reading,
}

/// Hears events, and says after each batch how many there were.
///
/// # Errors
///
/// When the system refuses.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that has sent all hangs up.
        let _ = answer(stream).await;
    }
}

async fn answer(mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::with_capacity(64 * 1024, read);
    let mut count = 0_u64;
    let mut frame = Vec::new();
    loop {
        let length = read.read_u32().await?;
        frame.resize(usize::try_from(length)?, 0);
        read.read_exact(&mut frame).await?;
        let envelope: Envelope = serde_json::from_slice(&frame)?;
        hear(&envelope.payload);
        count += 1;
        if read.buffer().is_empty() {
            write.write_u64(count).await?;
        }
    }
}

/// Sends so many events, and waits until all are acknowledged.
///
/// # Errors
///
/// When the server is not there.
pub(crate) async fn send(port: u16, events: u64) -> Result<(), Box<dyn Error>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut read, write) = stream.into_split();
    let (queue, waiting) = mpsc::channel(1024);
    let writer = tokio::spawn(pass_on(waiting, BufWriter::with_capacity(64 * 1024, write)));
    let (acknowledged, mut last) = watch::channel(0);
    let reader = tokio::spawn(async move {
        while let Ok(count) = read.read_u64().await {
            acknowledged.send_replace(count);
        }
    });
    for number in 0..events {
        queue.send(reading(number)).await?;
    }
    last.wait_for(|count| *count == events).await?;
    drop(queue);
    writer.await??;
    reader.abort();
    Ok(())
}

async fn pass_on(
    mut waiting: mpsc::Receiver<Reading>,
    mut write: BufWriter<tokio::net::tcp::OwnedWriteHalf>,
) -> std::io::Result<()> {
    let mut number = 0;
    while let Some(payload) = waiting.recv().await {
        number += 1;
        let envelope = Envelope {
            origin: 7,
            number,
            time: SystemTime::now(),
            topic: "bench.reading".to_owned(),
            version: 1,
            content_type: "application/json".to_owned(),
            cause: None,
            trace: (7, number),
            payload,
        };
        let frame = serde_json::to_vec(&envelope)?;
        let length = u32::try_from(frame.len()).map_err(std::io::Error::other)?;
        write.write_u32(length).await?;
        write.write_all(&frame).await?;
        if waiting.is_empty() {
            write.flush().await?;
        }
    }
    write.flush().await
}
