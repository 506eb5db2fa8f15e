#[tidings::main]
extern "C" fn main() {}
