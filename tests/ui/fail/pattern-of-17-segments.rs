use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.*")]
fn charge(_: &Placed) {}

fn main() {}
