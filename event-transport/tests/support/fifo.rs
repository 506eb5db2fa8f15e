//! FIFOs for the tests.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::fs::File;
use std::path::PathBuf;

/// A FIFO that is removed at the end.
pub(crate) struct Named(pub(crate) PathBuf);

impl Named {
    pub(crate) fn new(name: &str) -> std::io::Result<Self> {
        let name = format!("tidings-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status()?;
        assert!(made.success());
        Ok(Self(path))
    }

    /// One that writes to it.
    pub(crate) fn writer(&self) -> std::io::Result<File> {
        File::options().write(true).open(&self.0)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("it is there until now");
    }
}
