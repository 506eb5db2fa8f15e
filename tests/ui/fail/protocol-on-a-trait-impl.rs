use tidings::protocol;

struct Echo<T>(T);

#[protocol]
impl<T> Drop for Echo<T> {
    #[listener]
    fn drop(&mut self) {}
}

fn main() {}
