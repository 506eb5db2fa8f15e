fn setup(name: &str) -> usize {
    name.len()
}

#[tidings::main(bus = setup)]
async fn main() {}
