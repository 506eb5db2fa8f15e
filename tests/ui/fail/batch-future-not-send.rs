use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(queue = 64, batch = 64)]
async fn index(events: &[&Placed]) {
    let local = std::rc::Rc::new(events.len());
    std::future::ready(()).await;
    drop(local);
}

fn main() {}
