//! Raw identifiers lose their `r#` in topics, ids and the catalog.

use tidings::{event, listener, Bus, Event};

#[event]
#[allow(non_camel_case_types)]
struct r#match {
    r#struct: u32,
}

#[event]
enum r#Kind {
    r#Loop { r#in: u32 },
}

#[listener]
fn r#type(r#fn: &r#match) {
    assert_eq!(r#fn.r#struct, 1);
}

#[listener(when = |e| matches!(e, r#Kind::r#Loop { .. }), after = r#type)]
fn r#move(_: &r#Kind, r#dyn: Option<&u32>) {
    assert!(r#dyn.is_none());
}

mod r#mod {
    #[tidings::listener]
    pub(crate) fn r#impl(_: &super::r#match) {}
}

fn main() {
    assert_eq!(r#match::TOPIC, "match");
    let catalog = tidings::catalog();
    let event = catalog.events().iter().find(|e| e.topic() == "match").expect("it is declared");
    assert_eq!(event.fields()[0].name(), "struct");
    let ids: Vec<_> = catalog.listeners().iter().map(|l| l.id().to_owned()).collect();
    let crate_name = module_path!();
    assert!(ids.contains(&format!("{crate_name}::type")), "{ids:?}");
    assert!(ids.iter().any(|id| id.ends_with("::impl")), "{ids:?}");
    let error = Bus::builder().build().expect_err("a relation to a listener of another event");
    assert_eq!(error.problems()[0].code(), tidings::Code::OrderUnrelated);
    let bus = Bus::builder().without(r#move).build().expect("nothing is missing");
    assert_eq!(bus.emit(r#match { r#struct: 1 }).report().ran(), 2);
    bus.emit(r#Kind::r#Loop { r#in: 1 });
}
