//! What children leave behind: no zombies, no descriptors, no memory. Each test runs in a process of its own.
#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::Duration;

use support::{Outcome, Silent, pause, run};
use tidings::transport::{
    PipeDataReceived, ProcessTransport, command, communicate, process, process_with, shell,
};
use tidings::{EventLoop, protocol};

/// Runs the test of this name in a process of its own.
fn alone(name: &str) {
    let program = std::env::current_exe().expect("the test knows its program");
    let output = Command::new(program)
        .args(["--exact", name, "--ignored", "--nocapture"])
        .output()
        .expect("it is there");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("1 passed"), "{text}\n{errors}");
}

/// How many descriptors this process has.
fn descriptors() -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").expect("there is /proc");
    entries.count()
}

/// How many children this process has, with those that nobody has reaped.
fn children() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("there is /proc");
    let of = |task: std::io::Result<std::fs::DirEntry>| {
        let path = task.expect("the entry is there").path().join("children");
        // A thread that has ended meanwhile has none.
        let pids = std::fs::read_to_string(path).unwrap_or_default();
        pids.split_whitespace().count()
    };
    tasks.map(of).sum()
}

/// Counts bytes.
#[derive(Default)]
struct Count(u64);

#[protocol]
impl Count {
    #[listener]
    fn output(&mut self, e: &PipeDataReceived) {
        self.0 += u64::try_from(e.data.len()).expect("a length is no more");
    }
}

async fn ended(t: ProcessTransport) {
    t.wait_closed().await;
}

#[test]
fn as05_two_hundred_children_at_once_leave_nothing_behind() {
    alone("two_hundred_children_at_once");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn two_hundred_children_at_once() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        // What the first one makes stays: the runtime's own.
        ended(process::<Count>(&lp, command("true")).await?.0).await;
        let (before, tasks) = (descriptors(), lp.task_count());
        assert_eq!(children(), 0);
        let mut all = Vec::new();
        for number in 0..200 {
            let line = format!("echo {number}; read line; exit {}", number % 7);
            all.push(process::<Count>(&lp, shell(line)).await?);
        }
        assert_eq!(children(), 200);
        for (t, _) in &all {
            t.pipe(0).ok_or("it is a pipe")?.write("go\n")?;
        }
        for (number, (t, count)) in (0..).zip(all) {
            assert_eq!(t.wait().await.code(), Some(number % 7));
            t.wait_closed().await;
            assert!(count.with(|count| count.0)? >= 2);
        }
        assert_eq!(
            (children(), descriptors(), lp.task_count()),
            (0, before, tasks)
        );
        Ok(())
    });
}

#[test]
fn as09_a_command_that_cannot_be_run_leaves_no_descriptor_behind() {
    alone("commands_that_cannot_be_run");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn commands_that_cannot_be_run() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        ended(process::<Silent>(&lp, command("true")).await?.0).await;
        let before = descriptors();
        for _ in 0..50 {
            assert!(process::<Silent>(&lp, command("/no/such")).await.is_err());
            let both = command("/no/such").stderr_to_stdout();
            assert!(communicate(both, "coffee", 10).await.is_err());
            let panics = process_with::<Silent>(&lp, command("cat"), || panic!("no coffee"));
            assert!(panics.await.is_err());
        }
        assert_eq!((children(), descriptors()), (0, before));
        Ok(())
    });
}

#[test]
fn as08_what_is_given_up_or_dropped_leaves_nothing_behind() {
    alone("given_up_or_dropped");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn given_up_or_dropped() {
    let lp = EventLoop::new().unwrap();
    let before = run(&lp, async {
        ended(process::<Silent>(&lp, command("true")).await?.0).await;
        let before = descriptors();
        for _ in 0..20 {
            let spawn = process::<Silent>(&lp, command("cat"));
            let mut spawn = Box::pin(std::future::IntoFuture::into_future(spawn));
            let first = std::future::poll_fn(|cx| std::task::Poll::Ready(spawn.as_mut().poll(cx)));
            assert!(first.await.is_pending());
            drop(spawn);
            let collect = communicate(command("cat"), vec![0; 1 << 20], 1);
            assert!(collect.await.is_err());
            let endless = communicate(shell("exec sleep 1000"), "", 1);
            assert!(lp.timeout(Duration::from_millis(1), endless).await.is_err());
        }
        while children() > 0 || descriptors() > before {
            pause(&lp).await;
        }
        for _ in 0..20 {
            process::<Silent>(&lp, shell("exec sleep 1000")).await?;
        }
        assert_eq!(children(), 20);
        Ok(before)
    });
    drop(lp);
    assert_eq!(children(), 0);
    assert!(descriptors() < before);
}

/// How much memory this process has had at most, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.expect("Linux tells it").parse().expect("a number")
}

#[test]
fn as10_a_gigabyte_of_output_is_never_in_memory_at_once() {
    alone("a_gigabyte_of_output");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn a_gigabyte_of_output() {
    const ALL: u64 = 1 << 30;
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (first, second) = (command("yes"), format!("head -c {ALL} /dev/zero"));
        let (paused, small) = process::<Count>(&lp, first).await?;
        let stdout = paused.pipe(1).ok_or("it is a pipe")?;
        stdout.pause_reading();
        let (t, count) = process::<Count>(&lp, shell(second)).await?;
        t.wait_closed().await;
        assert_eq!(count.with(|count| count.0)?, ALL);
        assert!(small.with(|count| count.0)? < 1 << 20);
        assert!(paused.status().is_none(), "it waits for us");
        paused.abort();
        paused.wait_closed().await;
        Ok(())
    });
    assert!(peak() < 64 * 1024, "{} KiB", peak());
}

#[test]
fn a_child_has_no_descriptor_of_ours_but_its_streams() {
    alone("descriptors_of_a_child");
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn descriptors_of_a_child() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        // Beside the streams and the directory that it reads there may be what this program was given.
        let before = Command::new("ls").arg("/proc/self/fd").output()?.stdout;
        let (other, _) = process::<Silent>(&lp, command("cat")).await?;
        let listed = communicate(command("ls").arg("/proc/self/fd"), "", 1000).await?;
        assert_eq!(
            String::from_utf8(listed.stdout)?,
            String::from_utf8(before)?
        );
        other.abort();
        ended(other).await;
        Outcome::Ok(())
    });
}
