//! A bus that cannot be built: `main` is not called, and everything that is wrong is said.

use tidings::{event, listener};

#[event]
struct Placed;

struct Shelf;

struct Lorry;

#[listener]
fn store(_: &Placed, _shelf: &Shelf) {}

#[listener]
fn load(_: &Placed, _lorry: &Lorry) {}

#[tidings::main]
fn main() {
    println!("main was called");
}
