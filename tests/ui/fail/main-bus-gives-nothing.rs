fn setup(bus: tidings::BusBuilder) {
    drop(bus);
}

#[tidings::main(bus = setup)]
async fn main() {}
