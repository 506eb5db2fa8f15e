//! A child process whose output comes as events: its protocol cuts lines and answers the child, listeners of the bus hear the lines and the end.

#[cfg(unix)]
mod build {
    use std::error::Error;

    use tidings::transport::{
        PipeDataReceived, ProcessExited, ProcessTransport, command, communicate, process, shell,
    };
    use tidings::{EventLoop, emit, event, listener, protocol};

    /// A child has written a line.
    #[event]
    struct Line {
        /// 1 is its standard output, 2 its standard error.
        fd: i32,
        text: String,
    }

    #[listener]
    fn show(line: &Line) {
        let from = if line.fd == 2 { "warning" } else { "build" };
        println!("{from}: {}", line.text);
    }

    /// Hears of the end of every child that has a label.
    #[listener]
    fn audit(e: &ProcessExited) {
        println!("{} has ended: {}", e.connection.label(), e.status);
    }

    /// One for each child: it cuts what comes into lines, and answers questions.
    #[derive(Default)]
    struct Build {
        begun: [Vec<u8>; 3],
    }

    #[protocol]
    impl Build {
        #[listener]
        fn output(
            &mut self,
            e: &PipeDataReceived,
            t: &ProcessTransport,
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            let begun = &mut self.begun[usize::try_from(e.fd)?];
            begun.extend_from_slice(&e.data);
            while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = begun.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                let is_question = text.ends_with('?');
                emit(Line { fd: e.fd, text });
                if let Some(stdin) = t.pipe(0).filter(|_| is_question) {
                    stdin.write("release\n")?;
                }
            }
            Ok(())
        }
    }

    /// Its output and its errors are two pipes, and only its questions keep them in one order.
    const SCRIPT: &str = r#"
        echo "which profile?"
        read profile
        echo "compiling for $profile, all of it?"
        read answer
        echo "a value is never read, go on?" >&2
        read answer
        exit 3
    "#;

    pub(super) async fn run(lp: &EventLoop) -> Result<(), Box<dyn Error>> {
        let (child, _) = process::<Build>(lp, shell(SCRIPT))
            .label("the build")
            .await?;
        let status = child.wait().await;
        child.wait_closed().await;
        println!("its code is {:?}", status.code());

        let sorted = communicate(command("sort"), "tea\ncoffee\n", 1024).await?;
        let lines = String::from_utf8(sorted.stdout)?;
        let lines: Vec<_> = lines.lines().collect();
        println!("sorted, without events: {lines:?}");

        let missing = command("no-such-compiler").env("PATH", "/bin");
        if let Err(error) = process::<Build>(lp, missing).await {
            println!("{error}");
        }
        Ok(())
    }
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _bus = tidings::Bus::builder().build()?.install()?;
    tidings::event_loop::run(async |lp| build::run(lp).await)??;
    Ok(())
}

#[cfg(not(unix))]
fn main() {}
