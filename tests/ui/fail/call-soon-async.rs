use std::time::Duration;

use tidings::EventLoop;

fn main() {
    let lp = EventLoop::virtual_time();
    lp.call_soon(async |_| {}).unwrap();
    lp.call_later(Duration::ZERO, |_| async {}).unwrap();
}
