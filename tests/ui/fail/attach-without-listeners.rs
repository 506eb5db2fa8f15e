use tidings::Bus;

struct Mailer;

fn main() {
    let _subscription = Bus::empty().attach(std::sync::Arc::new(Mailer));
}
