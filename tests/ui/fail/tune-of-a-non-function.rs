use tidings::Bus;

fn main() {
    let _ = Bus::builder().tune("confirm", |policy| policy.limit(8));
}
