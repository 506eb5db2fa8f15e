use tidings::transport::{DatagramReceived, serve, tcp};
use tidings::{EventLoop, protocol};

#[derive(Default)]
struct Clock;

#[protocol]
impl Clock {
    #[listener]
    fn asked(&mut self, _: &DatagramReceived) {}
}

fn main() {
    let lp = EventLoop::new().unwrap();
    let _ = serve::<Clock>(&lp, tcp("127.0.0.1:0"));
}
