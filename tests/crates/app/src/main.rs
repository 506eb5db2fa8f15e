//! A program whose listeners live in other crates: prints the ids of those that are linked, then what a bus of one crate says.

use tidings::{Bus, catalog};

tidings::link!(linked, shipping = "its-own-name");

fn main() {
    for listener in catalog().listeners() {
        println!("{}", listener.id());
    }
    if let Err(error) = Bus::builder().crates(["unlinked"]).build() {
        println!("{error}");
    }
}
