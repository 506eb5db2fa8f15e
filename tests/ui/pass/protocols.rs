//! Protocols in odd surroundings: `#[cfg]`, aliases, macros, a path of one's own, our names.
#![deny(warnings)]

use tidings::transport::{self as streams, AfterEof, DataReceived};
use tidings::{Context, protocol};

type Way = streams::Transport;
type Bytes = DataReceived;

struct Table;
struct Registration;

#[derive(Default)]
pub struct Odd {
    heard: usize,
}

#[protocol(crate = ::tidings)]
impl Odd {
    pub const LIMIT: usize = 4;

    /// Counts.
    #[listener]
    pub(crate) fn r#loop(&mut self, Bytes { data }: &Bytes, t: &Way) {
        self.heard += data.len();
        if self.heard > Self::LIMIT {
            t.close();
        }
    }

    #[listener]
    #[cfg(any())]
    fn never(&mut self, _: &Missing) {}

    #[tidings::listener]
    fn eof(
        &self,
        _: &streams::EofReceived,
        #[cfg(any())] never: &Missing,
        table: Option<&Table>,
        #[cfg(all())] cx: Context<'_>,
    ) -> Result<AfterEof, std::io::Error> {
        let _ = (table, cx, Registration);
        Ok(AfterEof::KeepWriting)
    }

    #[listener]
    fn lost(&mut self, _: &streams::ConnectionLost, _t: &Way, _: &str) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! quiet {
    ($name:ident, $event:ty, $param:ty) => {
        struct $name;

        #[protocol]
        impl $name {
            #[listener]
            fn data(&mut self, _: &$event, _: $param) {}
        }
    };
}

quiet!(Quiet, DataReceived, &streams::Transport);

fn main() {
    let lp = tidings::EventLoop::virtual_time();
    let _ = streams::connect_with(&lp, streams::pair().0, || Quiet);
    let _ = streams::connect_with(&lp, streams::pair().0, Odd::default);
}
