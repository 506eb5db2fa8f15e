//! D1: a bus that ends wherever its last handle is dropped, with state that panics on its way out.

use std::sync::{Arc, Mutex};

use tidings::{Bus, Failure, FailureKind, Installed, emit, event, listener};

static GUARD: Mutex<Option<Installed>> = Mutex::new(None);

struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        panic!("the state's own drop");
    }
}

#[event]
struct Quit;

#[listener]
fn quit(_: &Quit, _: &Loud) {
    let guard = GUARD.lock().unwrap().take();
    drop(guard);
}

type Told = Arc<Mutex<Vec<(FailureKind, String)>>>;

fn bus() -> (Bus, Told) {
    let told = Told::default();
    let hook = Arc::clone(&told);
    let bus = Bus::builder()
        .state(Loud)
        .on_failure(move |failure: &Failure| {
            let told = (failure.kind(), failure.message().to_owned());
            hook.lock().unwrap().push(told);
        });
    (bus.build().unwrap(), told)
}

#[test]
fn d1_a_listener_that_drops_the_last_handle_does_not_unwind_out_of_emit() {
    let (bus, told) = bus();
    *GUARD.lock().unwrap() = Some(bus.install().unwrap());
    assert_eq!(emit(Quit).report().ran(), 1);
    let told = told.lock().unwrap();
    assert_eq!(
        *told,
        [(
            FailureKind::Panic,
            "dropping the bus with its state panicked: the state's own drop".to_owned()
        )]
    );
}
