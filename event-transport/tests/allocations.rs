//! What a message costs: its payload is the only allocation.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use support::raw::raw;
use support::run;
use tidings::transport::{
    BufferFilled, DataReceived, ReadInto, Transport, WriteError, connect_with, stream,
};
use tidings::{Bus, Context, EventLoop, protocol};

/// Sends back what comes, and counts it.
struct Echo(Rc<Cell<usize>>);

#[protocol]
impl Echo {
    #[listener]
    fn data(
        &mut self,
        e: &DataReceived,
        t: &Transport,
        step: &usize,
        cx: Context<'_>,
    ) -> Result<(), WriteError> {
        self.0.set(self.0.get() + step + cx.depth());
        t.write(e.data.clone()).map(drop)
    }
}

#[test]
fn a_program_without_listeners_of_connections_has_no_events_of_them_in_its_catalog() {
    let mut events = tidings::catalog().events().iter();
    assert!(events.all(|event| !event.topic().starts_with("transport.connection_")));
}

#[test]
fn a_message_allocates_its_payload_and_nothing_else() {
    const MESSAGES: usize = 100;
    let lp = EventLoop::virtual_time();
    let bus = Bus::builder().state(1_usize).build().unwrap();
    let count = Rc::new(Cell::new(0));
    let (raw, script) = raw(usize::MAX);
    let own = Rc::clone(&count);
    let _t = run(&lp, async {
        let (t, _) = connect_with(&lp, stream(raw), move || Echo(own))
            .on(&bus)
            .await?;
        Ok(t)
    });
    // The stream of the test makes room before it is looked at.
    script.with(|state| {
        state.written.reserve(1 << 20);
        state.writes.reserve(1 << 10);
        state.reads.reserve(1 << 10);
    });
    let send = |messages: usize| {
        for _ in 0..messages {
            script.read(&[7; 100]);
        }
        let before = count.get();
        let spent = allocation_counter::measure(|| lp.run_until_idle().unwrap());
        assert_eq!(count.get() - before, messages);
        spent
    };
    send(MESSAGES);
    let spent = send(MESSAGES);
    // A `Bytes` of its own size; with its clone it is counted, in a second, small allocation.
    assert!(spent.count_total <= 2 * MESSAGES as u64, "{spent:?}");
    assert!(spent.bytes_total <= 150 * MESSAGES as u64, "{spent:?}");
}

/// Counts what comes in memory of its own.
struct InPlace {
    buffer: [u8; 100],
    count: Rc<Cell<usize>>,
}

impl ReadInto for InPlace {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

#[protocol]
impl InPlace {
    #[listener]
    fn filled(&mut self, e: &BufferFilled) {
        assert_eq!(self.buffer[..e.bytes], [7; 100]);
        self.count.set(self.count.get() + 1);
    }
}

#[test]
fn ax25_a_message_that_is_read_in_place_allocates_nothing() {
    const MESSAGES: usize = 100;
    let lp = EventLoop::virtual_time();
    let count = Rc::new(Cell::new(0));
    let (raw, script) = raw(usize::MAX);
    let own = Rc::clone(&count);
    let _t = run(&lp, async {
        let in_place = move || InPlace {
            buffer: [0; 100],
            count: own,
        };
        let (t, _) = connect_with(&lp, stream(raw), in_place).await?;
        Ok(t)
    });
    let send = || {
        for _ in 0..MESSAGES {
            script.read(&[7; 100]);
        }
        allocation_counter::measure(|| lp.run_until_idle().unwrap())
    };
    send();
    let spent = send();
    assert_eq!(count.get(), 2 * MESSAGES);
    assert_eq!(spent.count_total, 0, "{spent:?}");
}
