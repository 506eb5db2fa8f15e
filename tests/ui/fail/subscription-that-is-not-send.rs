use tidings::{Bus, event};

#[event("orders.placed")]
struct Placed {
    total: u32,
}


fn main() {
    let seen = std::rc::Rc::new(());
    Bus::empty().on(move |_: &Placed| drop(seen.clone())).forever();
}
