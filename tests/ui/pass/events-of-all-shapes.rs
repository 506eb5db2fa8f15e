//! Bounds, defaults, where clauses and odd fields on events.
#![allow(dead_code)]

use std::fmt::Debug;

use tidings::{event, listener, Bus, Event};

#[event]
struct Unit;
#[event]
struct Empty {}
#[event]
struct Tuple(u32, #[allow(unused)] pub(crate) Vec<Option<&'static str>>);
#[event("shapes.page")]
struct Page<T: Debug = u8, const N: usize = 2>([T; N])
where
    T: Clone;
#[event("shapes.boxed")]
struct Boxed<T: ?Sized + 'static> {
    value: Box<T>,
}
#[event]
struct HTTPServer2Started {
    call: fn(&str) -> u32,
    raw: *const u8,
    other: Box<dyn FnOnce(u32) -> Result<(), String>>,
}
#[event]
enum Never {}

#[listener]
fn page(_: &Page<String, 3>) {}
#[listener]
fn boxed(_: &Boxed<str>) {}
#[listener]
fn started(_: &HTTPServer2Started) {}
#[listener]
fn never(_: &Never) {}
#[listener(Unit, Empty, Tuple)]
fn any(_: &tidings::AnyEvent<'_>) {}

fn main() {
    assert_eq!(HTTPServer2Started::TOPIC, "http_server2_started");
    assert_eq!(<Page>::TOPIC, <Page<String, 9>>::TOPIC);
    let bus = Bus::builder().build().expect("nothing is missing");
    assert_eq!(bus.emit(Page([const { String::new() }; 3])).report().ran(), 1);
    assert_eq!(bus.emit(Boxed::<str> { value: "x".into() }).report().ran(), 1);
    assert_eq!(bus.emit(Unit).report().ran(), 1);
    assert_eq!(bus.emit(Empty {}).report().ran(), 1);
    assert_eq!(bus.emit(Tuple(1, Vec::new())).report().ran(), 1);
}
