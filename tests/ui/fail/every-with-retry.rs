use tidings::listener;

#[listener(every = "10s", retry = 3, backoff = "1s..2s", retry_if = |_| true)]
fn tick() -> Result<(), String> {
    Ok(())
}

fn main() {}
