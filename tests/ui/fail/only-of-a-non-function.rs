use tidings::Bus;


fn main() {
    let _bus = Bus::builder().only("billing.charge").build();
}
