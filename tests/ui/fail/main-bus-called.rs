#[tidings::main(bus = setup())]
async fn main() {}

fn setup(bus: tidings::BusBuilder) -> tidings::BusBuilder {
    bus
}
