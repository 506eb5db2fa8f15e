#[tidings::main]
struct Program;

fn main() {}
