use tidings::EventLoop;
use tidings::transport::{connect, pair, serve, tcp};

#[derive(Default)]
struct Echo;

fn main() {
    let lp = EventLoop::virtual_time();
    let _ = serve::<Echo>(&lp, tcp("localhost:7"));
    let _ = connect::<Echo>(&lp, pair().0);
}
