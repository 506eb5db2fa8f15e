use tidings::transport::{connect, serve};
use tidings::{EventLoop, protocol};

#[derive(Default)]
struct Echo;

#[protocol]
impl Echo {}

fn main() {
    let lp = EventLoop::virtual_time();
    let _ = serve::<Echo>(&lp, "localhost:7");
    let _ = connect::<Echo>(&lp, "localhost:7");
}
