//! Watches whose other side closes, and watches that are removed.
#![cfg(unix)]

#[path = "support/fifo.rs"]
mod fifo_support;
mod support;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use fifo_support::Named;
use rustix::fs::OFlags;
use support::{Log, pause, run};
use tidings::EventLoop;
use tidings::transport::{WatchHandle, WatchState, watch_readable, watch_writable};

/// More turns than anybody needs to hear of something.
async fn turns(lp: &EventLoop) {
    for _ in 0..50 {
        pause(lp).await;
    }
}

#[test]
fn al42_a_drained_watch_is_told_once_that_the_other_side_has_closed() {
    let lp = EventLoop::new().unwrap();
    let calls = Rc::new(Cell::new(0));
    let log = Log::default();
    run(&lp, async {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let own = Rc::clone(&calls);
        let watch = watch_writable(&lp, ours, move |_: &UnixStream| {
            own.set(own.get() + 1);
            WatchState::Drained
        })?;
        turns(&lp).await;
        assert_eq!(calls.get(), 1);
        drop(theirs);
        turns(&lp).await;
        assert_eq!(calls.get(), 2);
        assert!(watch.is_watched());
        // Another callback has heard nothing of it yet.
        let own = log.clone();
        watch.replace(move |_: &UnixStream| {
            own.add("closed");
            WatchState::Drained
        });
        turns(&lp).await;
        assert_eq!(log.take(), ["closed"]);
        Ok(())
    });
}

#[test]
fn al42_the_end_of_a_socket_is_read_once() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let own = log.clone();
        let _watch = watch_readable(&lp, ours, move |mut fd: &UnixStream| {
            let mut buffer = [0; 10];
            match fd.read(&mut buffer) {
                Ok(0) => own.add("end"),
                Ok(size) => {
                    own.add(String::from_utf8_lossy(&buffer[..size]));
                    return WatchState::More;
                }
                Err(_would_block) => {}
            }
            WatchState::Drained
        })?;
        theirs.write_all(b"coffee")?;
        drop(theirs);
        turns(&lp).await;
        assert_eq!(log.take(), ["coffee", "end"]);
        Ok(())
    });
}

#[test]
fn al42_a_fifo_with_a_silent_second_writer_is_waited_for() {
    let lp = EventLoop::new().unwrap();
    let (log, calls) = (Log::default(), Rc::new(Cell::new(0)));
    run(&lp, async {
        let named = Named::new("watched")?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits())?;
        let fd = File::options()
            .read(true)
            .custom_flags(flags)
            .open(&named.0)?;
        let (own, count) = (log.clone(), Rc::clone(&calls));
        let _watch = watch_readable(&lp, fd, move |mut fd: &File| {
            count.set(count.get() + 1);
            let mut buffer = [0; 10];
            match fd.read(&mut buffer) {
                Ok(size) => {
                    own.add(String::from_utf8_lossy(&buffer[..size]));
                    WatchState::More
                }
                Err(_would_block) => WatchState::Drained,
            }
        })?;
        let mut first = named.writer()?;
        first.write_all(b"one")?;
        drop(first);
        log.wait(&lp, "").await;
        let mut second = named.writer()?;
        turns(&lp).await;
        let before = calls.get();
        turns(&lp).await;
        assert_eq!(calls.get(), before, "there is nothing to be read");
        second.write_all(b"two")?;
        log.wait(&lp, "two").await;
        Ok(())
    });
}

#[test]
fn al42_a_watch_that_is_removed_lets_its_callback_go() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (ours, mut theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let held = Rc::new(());
        let own = Rc::clone(&held);
        let watch = watch_readable(&lp, ours.try_clone()?, move |_: &UnixStream| {
            assert!(Rc::strong_count(&own) > 1);
            WatchState::Drained
        })?;
        assert!(watch.remove());
        assert_eq!(Rc::strong_count(&held), 1);
        let own = Rc::clone(&held);
        watch.replace(move |_: &UnixStream| {
            assert!(Rc::strong_count(&own) > 1);
            WatchState::Drained
        });
        assert_eq!(Rc::strong_count(&held), 1, "it is never called");
        // One that ends its own watch, by a handle that it has itself.
        let handle: Rc<RefCell<Option<WatchHandle<UnixStream>>>> = Rc::default();
        let (same, own) = (Rc::clone(&handle), Rc::clone(&held));
        let watch = watch_readable(&lp, ours, move |_: &UnixStream| {
            assert!(Rc::strong_count(&own) > 1);
            if let Some(handle) = &*same.borrow() {
                handle.remove();
            }
            WatchState::More
        })?;
        *handle.borrow_mut() = Some(watch);
        theirs.write_all(b"x")?;
        while Rc::strong_count(&held) > 1 {
            pause(&lp).await;
        }
        assert_eq!(Rc::strong_count(&handle), 1);
        Ok(())
    });
}
