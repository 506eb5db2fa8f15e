//! What other threads give to an event loop: nothing that the inbox took is lost, and the driver's wait ends.
#![cfg(tidings_loom)]

#[path = "../../../../event-runtime/src/event_loop/shared.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod shared;
#[path = "../../../../event-runtime/src/sync.rs"]
mod sync;

use std::future::poll_fn;
use std::panic::Location;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use outcome::Ended;
use shared::{Message, RemoteCall, Shared};
use sync::atomic::Ordering;
use tasks::TaskKey;

/// What a message is called with.
struct EventLoop;

mod outcome {
    pub(super) type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

mod tasks {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(super) struct TaskKey(pub(super) u32);
}

fn step(key: u32) -> Message {
    Message::Step(TaskKey(key))
}

fn keys(messages: Vec<Message>) -> Vec<u32> {
    let key = |message: &Message| match message {
        Message::Step(TaskKey(key)) => *key,
        Message::Call(..) | Message::Nothing => u32::MAX,
    };
    messages.iter().map(key).collect()
}

/// Turns and waits, as a driver does, until `done` of what came so far.
fn run(shared: &Shared, mut done: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut got = Vec::new();
    block_on(poll_fn(|cx| {
        loop {
            if shared.has_mail.load(Ordering::Acquire) {
                got.extend(keys(shared.take()));
            }
            if done(&got) {
                return Poll::Ready(());
            }
            if shared.listen(cx.waker()) {
                return Poll::Pending;
            }
        }
    }));
    got
}

/// Starts a thread that posts these.
fn posts(shared: &Arc<Shared>, keys: &'static [u32]) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for key in keys {
            assert!(shared.post(step(*key)).is_ok());
        }
    })
}

#[test]
fn al31_what_a_thread_posts_ends_the_wait_and_keeps_its_order() {
    loom::model(|| {
        let shared = Arc::new(Shared::new(false));
        let thread = posts(&shared, &[1, 2]);
        assert_eq!(run(&shared, |got| got.len() == 2), [1, 2]);
        thread.join().unwrap();
        assert!(keys(shared.take()).is_empty());
    });
}

#[test]
fn al31_of_what_two_threads_post_nothing_is_lost() {
    let mut model = loom::model::Builder::new();
    // All interleavings of three threads take minutes.
    model.preemption_bound = Some(2);
    model.check(|| {
        let shared = Arc::new(Shared::new(false));
        let threads = [posts(&shared, &[1]), posts(&shared, &[2])];
        let mut got = run(&shared, |got| got.len() == 2);
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn al31_a_stop_from_a_thread_ends_the_wait() {
    loom::model(|| {
        let shared = Arc::new(Shared::new(false));
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || theirs.stop());
        let got = run(&shared, |_| shared.take_stop());
        thread.join().unwrap();
        assert!(!shared.take_stop(), "a stop counts once");
        // The message that only ends the wait may come after the stop was seen.
        assert!(got.len() + keys(shared.take()).len() == 1);
    });
}

#[test]
fn al14_what_is_posted_beside_a_close_is_given_back_or_left_to_the_close() {
    loom::model(|| {
        let shared = Arc::new(Shared::new(false));
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let refused = [1, 2].map(|key| theirs.post(step(key)).err());
            refused.into_iter().flatten().collect::<Vec<_>>()
        });
        let mut taken = keys(shared.take());
        taken.extend(keys(shared.close()));
        let refused = keys(thread.join().unwrap());
        let all: Vec<_> = taken.into_iter().chain(refused).collect();
        assert_eq!(all, [1, 2]);
        assert!(shared.is_closed() && keys(shared.take()).is_empty());
        assert!(shared.post(step(3)).is_err());
    });
}

#[test]
fn al02_a_wake_from_the_loops_own_thread_ends_its_wait() {
    loom::model(|| {
        let shared = Arc::new(Shared::new(false));
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            drop(theirs.post(Message::Call(RemoteCall {
                f: Box::new(|_: &EventLoop| -> Ended { Ok(()) }),
                bus: 0,
                place: Location::caller(),
            })))
        });
        // The driver listens, and then something on its own thread is ready; no other waker is to be lost for it.
        let mut is_ready = false;
        let mut turns = 0;
        block_on(poll_fn(|cx| {
            turns += 1;
            if is_ready {
                return Poll::Ready(());
            }
            shared.listen(cx.waker());
            is_ready = true;
            shared.wake();
            Poll::Pending
        }));
        assert!(turns > 1);
        thread.join().unwrap();
        assert_eq!(shared.take().len(), 1);
    });
}
