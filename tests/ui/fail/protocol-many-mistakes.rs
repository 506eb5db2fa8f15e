use tidings::protocol;
use tidings::transport::EofReceived;

struct Echo;

#[protocol(label = "x")]
impl Echo {
    #[listener(late)]
    const fn data(_: EofReceived) {}

    #[listener]
    async fn eof(self, _: &mut EofReceived) {}

    #[listener]
    #[listener]
    unsafe fn lost<T>(&mut self, _: impl Fn()) -> impl Sized {}

    #[listener]
    fn nothing(&mut self) {}
}

fn main() {}
