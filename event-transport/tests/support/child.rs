//! What the tests of child processes share.

use std::error::Error;

use super::Log;
use tidings::transport::{
    Command, ConnectionLost, ConnectionMade, PipeClosed, PipeDataReceived, ProcessExited,
    ProcessTransport, ProtocolRef, WritingPaused, WritingResumed, process_with,
};
use tidings::{EventLoop, protocol};

/// Writes down everything that a process does, its output by lines.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) log: Log,
    pub(crate) output: [String; 3],
}

impl Notes {
    pub(crate) fn of(log: &Log) -> Self {
        Self {
            log: log.clone(),
            ..Self::default()
        }
    }
}

#[protocol]
impl Notes {
    #[listener]
    fn made(&mut self, _: &ConnectionMade) {
        self.log.add("made");
    }

    #[listener]
    fn output(&mut self, e: &PipeDataReceived) {
        let fd = usize::try_from(e.fd).expect("a pipe that is read");
        let text = &mut self.output[fd];
        text.push_str(std::str::from_utf8(&e.data).expect("the tests write text"));
        while let Some((line, rest)) = text.split_once('\n') {
            self.log.add(format!("{fd}: {line}"));
            *text = rest.to_owned();
        }
    }

    #[listener]
    fn closed(&mut self, e: &PipeClosed) {
        self.log.add(match &e.error {
            None => format!("closed {}", e.fd),
            Some(error) => format!("closed {}: {:?}", e.fd, error.kind()),
        });
    }

    #[listener]
    fn exited(&mut self, e: &ProcessExited) {
        self.log.add(e.status.to_string());
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        self.log.add(match &e.error {
            None => "lost".to_owned(),
            Some(error) => format!("lost: {error}"),
        });
    }

    #[listener]
    fn paused(&mut self, _: &WritingPaused) {
        self.log.add("paused");
    }

    #[listener]
    fn resumed(&mut self, _: &WritingResumed) {
        self.log.add("resumed");
    }
}

/// A process whose events are written down.
pub(crate) async fn noted(
    lp: &EventLoop,
    log: &Log,
    command: impl Into<Command>,
) -> Result<(ProcessTransport, ProtocolRef<Notes, ProcessTransport>), Box<dyn Error>> {
    let own = log.clone();
    Ok(process_with(lp, command, move || Notes::of(&own)).await?)
}
