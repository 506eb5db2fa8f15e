#[tidings::main]
const fn main() {}
