use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for an input of known length.
pub(crate) fn of_bytes(length: u64) -> ProgressBar {
    on_terminal(
        || ProgressBar::new(length),
        "{bar:40} {bytes}/{total_bytes} {eta}",
    )
}

/// A bar for an input whose end is not known.
pub(crate) fn unknown_length() -> ProgressBar {
    on_terminal(ProgressBar::new_spinner, "{spinner} {bytes} {elapsed}")
}

fn on_terminal(bar: impl FnOnce() -> ProgressBar, template: &str) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template)
        .expect("the template parses because it is one of the two above");
    bar().with_style(style)
}
