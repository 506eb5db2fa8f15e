use tidings::emit;

struct Placed;

fn main() {
    emit(Placed);
}
