use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

/// The page on which the modules write their parts of the report.
///
/// It is state of the bus, so a test reads what was written and the program prints it.
pub struct Page(Mutex<Box<dyn Write + Send>>);

impl Page {
    /// A page that goes to `out`.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(out)))
    }

    /// Writes the title of the page.
    ///
    /// # Errors
    ///
    /// What the output answers, for example that a pipe was closed.
    pub fn title(&self, title: &str) -> io::Result<()> {
        self.write(format_args!("{}\n", underlined(title, "=")))
    }

    /// Writes one section: an empty line, its title and its body.
    ///
    /// # Errors
    ///
    /// What the output answers, for example that a pipe was closed.
    pub fn section(&self, title: &str, body: impl fmt::Display) -> io::Result<()> {
        self.write(format_args!("\n{}\n{body}", underlined(title, "-")))
    }

    fn write(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_fmt(text)?;
        // A full disk or a closed pipe is the failure of the section that meets it.
        out.flush()
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

fn underlined(title: &str, line: &str) -> String {
    format!("{title}\n{}", line.repeat(title.chars().count()))
}
