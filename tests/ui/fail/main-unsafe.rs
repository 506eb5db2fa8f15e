#[tidings::main]
unsafe fn main() {}
