use tidings::listener;

#[listener(every = "10s")]
async fn tick() {
    let kept = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(kept);
}

fn main() {}
