use tidings::listener;

#[listener(every = "10s")]
fn first() {}

#[listener(every = "10s", early, before = second)]
fn tick() {}

#[listener(every = "10s", late, after = first)]
fn second() {}

fn main() {}
