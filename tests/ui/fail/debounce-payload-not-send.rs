use std::rc::Rc;

use tidings::{event, listener};

#[event]
struct Placed(Rc<u32>);

#[listener(debounce = "200ms")]
fn search(_: &Placed) {}

fn main() {}
