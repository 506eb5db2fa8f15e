use tidings::EventLoop;

fn main() {
    let lp = EventLoop::virtual_time();
    lp.call_soon(|_| 5).unwrap();
    let task = lp.spawn(async {}).unwrap();
    task.on_done(|lp| lp.call_soon(|_| ()));
}
