use tidings::{event, listener};

#[event]
struct Drawn {
    canvas: std::rc::Rc<u32>,
    page: u32,
}

#[listener(queue = 64, workers = 2, key = |e| e.page, when = |e| e.page > 1, retry = 2, retry_if = |e| e.is::<std::io::Error>())]
fn save(_: &Drawn) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
