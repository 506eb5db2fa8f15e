use tidings::transport::Transport;

fn close(transport: Transport) {
    std::thread::spawn(move || transport.close());
}

fn main() {}
