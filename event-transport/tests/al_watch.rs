//! Watches of file descriptors.
#![cfg(unix)]

mod support;

use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

#[cfg(target_os = "linux")]
use rustix::event::{EventfdFlags, eventfd};
use rustix::pipe::{PipeFlags, pipe_with};
#[cfg(target_os = "linux")]
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::{Flag, Log, failures, pause, run};
use tidings::EventLoop;
use tidings::transport::{
    TransportErrorKind, WatchHandle, WatchState, watch_readable, watch_writable,
};

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("there are sockets");
    ours.set_nonblocking(true).expect("it is a socket");
    theirs.set_nonblocking(true).expect("it is a socket");
    (ours, theirs)
}

/// Reads once, at most so many bytes, and writes them down.
fn read_some<F>(log: &Log, mut fd: F, most: usize) -> Result<WatchState, std::io::Error>
where
    F: Read,
{
    let mut buffer = vec![0; most];
    match fd.read(&mut buffer) {
        Ok(0) => {
            log.add("end");
            Ok(WatchState::Drained)
        }
        Ok(size) => {
            log.add(String::from_utf8_lossy(&buffer[..size]));
            Ok(WatchState::More)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(WatchState::Drained),
        Err(error) => Err(error),
    }
}

fn watch(lp: &EventLoop, fd: UnixStream, log: &Log) -> WatchHandle<UnixStream> {
    let log = log.clone();
    let watched = watch_readable(lp, fd, move |fd: &UnixStream| read_some(&log, fd, 2));
    watched.expect("a socket can be watched")
}

#[test]
fn al42_the_callback_is_called_while_there_is_more_and_again_when_something_comes() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let _watch = watch(&lp, ours, &log);
        theirs.write_all(b"abcde")?;
        log.wait(&lp, "e").await;
        assert_eq!(log.take(), ["ab", "cd", "e"]);
        theirs.write_all(b"f")?;
        log.wait(&lp, "f").await;
        drop(theirs);
        log.wait(&lp, "end").await;
        Ok(())
    });
}

#[test]
fn al42_other_items_come_between_two_calls() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"abcd")?;
        let (own, between) = (log.clone(), log.clone());
        let same = lp.clone();
        let _watch = watch_readable(&lp, ours, move |fd: &UnixStream| {
            let between = between.clone();
            same.call_soon(move |_| between.add("between"))?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(read_some(&own, fd, 2)?)
        })?;
        log.wait(&lp, "cd").await;
        assert_eq!(log.take()[..3], ["ab", "between", "cd"]);
        Ok(())
    });
}

#[test]
fn al42_another_callback_takes_the_place_of_the_first() {
    let lp = EventLoop::new().unwrap();
    let (first, second) = (Log::default(), Log::default());
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let watch = watch(&lp, ours, &first);
        theirs.write_all(b"a")?;
        first.wait(&lp, "a").await;
        let own = second.clone();
        watch.replace(move |fd: &UnixStream| read_some(&own, fd, 2));
        theirs.write_all(b"b")?;
        second.wait(&lp, "b").await;
        assert_eq!(first.take(), ["a"]);
        Ok(())
    });
}

#[test]
fn al42_a_callback_may_replace_and_remove_itself() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let handle: Rc<RefCell<Option<WatchHandle<UnixStream>>>> = Rc::default();
        let (same, own) = (Rc::clone(&handle), log.clone());
        let watched = watch_readable(&lp, ours, move |_: &UnixStream| {
            own.add("first");
            let (same_again, own) = (Rc::clone(&same), own.clone());
            if let Some(handle) = &*same.borrow() {
                handle.replace(move |_: &UnixStream| {
                    own.add("second");
                    if let Some(handle) = &*same_again.borrow() {
                        own.add(format!("{} {}", handle.remove(), handle.remove()));
                    }
                    WatchState::More
                });
            }
            WatchState::More
        })?;
        *handle.borrow_mut() = Some(watched);
        theirs.write_all(b"a")?;
        log.wait(&lp, "true false").await;
        assert_eq!(log.take(), ["first", "second", "true false"]);
        // The descriptor was let go with the watch.
        while theirs.read(&mut [0]).is_err() {
            pause(&lp).await;
        }
        assert_eq!(log.len(), 0);
        assert!(
            !handle
                .borrow()
                .as_ref()
                .is_some_and(WatchHandle::is_watched)
        );
        Ok(())
    });
}

#[test]
fn al42_removing_says_whether_there_was_a_watch_and_closes_the_descriptor() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let tasks = lp.task_count();
        let watch = watch(&lp, ours, &log);
        assert!(watch.is_watched());
        assert!(watch.remove());
        assert!(!watch.remove());
        while lp.task_count() > tasks {
            pause(&lp).await;
        }
        assert_eq!(theirs.read(&mut [0])?, 0, "the other side is closed");
        Ok(())
    });
    assert_eq!(log.len(), 0);
}

#[test]
fn al42_a_watch_ends_when_its_handle_is_dropped_unless_it_is_kept() {
    let lp = EventLoop::new().unwrap();
    let (dropped, kept) = (Log::default(), Log::default());
    run(&lp, async {
        let (one, mut other) = pair();
        drop(watch(&lp, one, &dropped));
        let (two, mut theirs) = pair();
        watch(&lp, two, &kept).forever();
        theirs.write_all(b"a")?;
        kept.wait(&lp, "a").await;
        assert_eq!(other.read(&mut [0])?, 0);
        Ok(())
    });
    assert_eq!(dropped.len(), 0);
}

#[test]
fn al42_a_callback_that_fails_or_panics_is_told_to_the_hook_and_called_again() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let told = failures(&lp);
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let own = log.clone();
        let mut calls = 0;
        let _watch = watch_readable(&lp, ours, move |fd: &UnixStream| {
            calls += 1;
            match calls {
                1 => Err("not today".into()),
                2 => panic!("not at all"),
                _ => read_some(&own, fd, 10)
                    .map_err(Box::<dyn std::error::Error + Send + Sync>::from),
            }
        })?;
        theirs.write_all(b"now")?;
        log.wait(&lp, "now").await;
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("a callback named `watch_readable`"),
        "{told:?}"
    );
    assert!(told[0].contains("not today"), "{told:?}");
    assert!(told[1].contains("not at all"), "{told:?}");
}

#[test]
fn al42_what_can_be_written_is_told_when_there_is_room() {
    let lp = EventLoop::new().unwrap();
    let is_writable = Flag::default();
    run(&lp, async {
        let (mut ours, mut theirs) = pair();
        let mut written = 0;
        while let Ok(count) = ours.write(&[7; 4096]) {
            written += count;
        }
        let seen = Rc::clone(&is_writable);
        let _watch = watch_writable(&lp, ours, move |mut fd: &UnixStream| {
            match fd.write(b"!") {
                Ok(_) => seen.set(true),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            WatchState::Drained
        })?;
        pause(&lp).await;
        assert!(!is_writable.get());
        let mut read = 0;
        let mut buffer = [0; 4096];
        while read < written {
            read += theirs.read(&mut buffer)?;
        }
        while !is_writable.get() {
            pause(&lp).await;
        }
        Ok(())
    });
}

#[test]
fn al42_both_directions_of_one_descriptor_are_watched_side_by_side() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = pair();
        let ours = Rc::new(ours);
        let (reads, writes) = (log.clone(), log.clone());
        let _reads = watch_readable(&lp, Rc::clone(&ours), move |fd: &Rc<UnixStream>| {
            read_some(&reads, &**fd, 10)
        })?;
        let _writes = watch_writable(&lp, ours, move |_: &Rc<UnixStream>| {
            writes.add("writable");
            WatchState::Drained
        })?;
        log.wait(&lp, "writable").await;
        theirs.write_all(b"a")?;
        log.wait(&lp, "a").await;
        Ok(())
    });
}

#[test]
fn al42_a_pipe_and_its_end_are_heard() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK)?;
        let own = log.clone();
        let _watch = watch_readable(&lp, File::from(reader), move |fd: &File| {
            read_some(&own, fd, 100)
        })?;
        let mut writer = File::from(writer);
        writer.write_all(b"hello")?;
        log.wait(&lp, "hello").await;
        drop(writer);
        log.wait(&lp, "end").await;
        Ok(())
    });
}

#[test]
fn al42_the_writer_of_a_pipe_learns_that_its_reader_has_gone() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK)?;
        let mut writer = File::from(writer);
        while writer.write(&[7; 4096]).is_ok() {}
        let own = log.clone();
        let _watch = watch_writable(&lp, writer, move |mut fd: &File| {
            if let Err(error) = fd.write(b"!") {
                own.add(format!("{:?}", error.kind()));
            }
            WatchState::Drained
        })?;
        drop(reader);
        log.wait(&lp, "BrokenPipe").await;
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn al42_a_counter_of_events_is_heard() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let counter = Rc::new(eventfd(0, EventfdFlags::NONBLOCK)?);
        let own = log.clone();
        let _watch = watch_readable(&lp, Rc::clone(&counter), move |fd: &Rc<OwnedFd>| {
            let mut count = [0; 8];
            match rustix::io::read(fd, &mut count) {
                Ok(_) => own.add(u64::from_ne_bytes(count).to_string()),
                Err(error) => assert_eq!(error, rustix::io::Errno::WOULDBLOCK),
            }
            WatchState::Drained
        })?;
        rustix::io::write(&counter, &2_u64.to_ne_bytes())?;
        log.wait(&lp, "2").await;
        rustix::io::write(&counter, &3_u64.to_ne_bytes())?;
        log.wait(&lp, "3").await;
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn al42_a_terminal_is_heard() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let mut program = File::options()
            .write(true)
            .open(std::str::from_utf8(name.to_bytes())?)?;
        rustix::io::ioctl_fionbio(&terminal, true)?;
        let own = log.clone();
        let _watch = watch_readable(&lp, File::from(terminal), move |fd: &File| {
            read_some(&own, fd, 100)
        })?;
        program.write_all(b"ready")?;
        log.wait(&lp, "ready").await;
        Ok(())
    });
}

#[test]
fn al42_a_regular_file_is_refused() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))?;
        let refused = watch_readable(&lp, file, |_: &File| WatchState::Drained).unwrap_err();
        assert_eq!(refused.kind(), TransportErrorKind::Watch);
        let words = refused.to_string();
        assert!(words.contains("it is a regular file"), "{words}");
        Ok(())
    });
}

#[test]
fn al42_a_descriptor_that_blocks_is_refused() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (ours, _theirs) = UnixStream::pair()?;
        let refused = watch_readable(&lp, ours, |_: &UnixStream| WatchState::Drained).unwrap_err();
        assert_eq!(refused.kind(), TransportErrorKind::Watch);
        let words = refused.to_string();
        assert!(words.contains("`set_nonblocking(true)`"), "{words}");
        Ok(())
    });
}

#[test]
fn al42_without_a_reactor_there_is_no_watch() {
    let lp = EventLoop::virtual_time();
    let (ours, _theirs) = pair();
    let refused = watch_readable(&lp, ours, |_: &UnixStream| WatchState::Drained).unwrap_err();
    assert_eq!(refused.kind(), TransportErrorKind::NoReactor);
}

#[test]
fn al42_a_loop_that_is_closed_lets_the_descriptor_go() {
    let lp = EventLoop::new().unwrap();
    let (ours, mut theirs) = pair();
    let watched = lp.run_until_complete(async { watch(&lp, ours, &Log::default()) });
    let watch = watched.unwrap();
    drop(lp);
    assert!(!watch.is_watched());
    assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
}
