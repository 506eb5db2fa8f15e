//! How the events of this package are declared: as the attribute would, but so that the compiler does not propose them for whatever is no event.

pub(crate) use event_core::Event;
pub(crate) use event_core::private as __private;

/// Declares events, as `#[event("topic")]` does.
///
/// Behind `on buses` there are those that a bus may carry, with what happens if nobody hears one. The others only protocols hear: they are not registered, and no catalog has them.
macro_rules! declare {
    (on buses { $($event:ident $topic:literal $docs:literal [$($field:literal $ty:literal),*] $(=> $unheard:ident)?)* }
     only protocols { $($quiet:ident $quiet_topic:literal)* }) => {
        $(
            const _: () = {
                use $crate::declared::__private::{EventInfo, EventRegistration, Field, Slot, submit};

                static INFO: EventInfo =
                    EventInfo::new($topic, 1, concat!(module_path!(), "::", stringify!($event)))
                        .with_docs($docs)
                        $(.with_unheard($crate::declared::__private::Unheard::$unheard))?
                        .with_fields(const { &[$(Field::new($field, $ty)),*] });
                static SLOT: Slot<$event> = Slot::new();

                $crate::declared::implement!($event, $topic, Some(&SLOT), true);
                submit! {
                    EventRegistration::new(&INFO, Some(<$event as $crate::declared::Event>::__ops)).own()
                }
            };
        )*
        $(
            const _: () = {
                use $crate::declared::__private::EventInfo;

                static INFO: EventInfo = EventInfo::new(
                    $quiet_topic,
                    1,
                    concat!(module_path!(), "::", stringify!($quiet)),
                );

                $crate::declared::implement!($quiet, $quiet_topic, None, false);
            };
        )*
    };
}

macro_rules! implement {
    ($event:ident, $topic:literal, $slot:expr, $on_buses:literal) => {
        #[diagnostic::do_not_recommend]
        impl $crate::declared::Event for $event {
            const TOPIC: &'static str = $topic;
            const VERSION: u32 = 1;
            const __STOPPABLE: bool = false;
            const __ON_BUSES: bool = $on_buses;

            fn __slot() -> Option<&'static $crate::declared::__private::Slot<Self>> {
                $slot
            }

            fn __info() -> &'static $crate::declared::__private::EventInfo {
                &INFO
            }

            fn __ops() -> &'static $crate::declared::__private::EventOps {
                const { &$crate::declared::__private::EventOps::of::<Self>() }
            }

            fn __share() -> Option<$crate::declared::__private::Sharing<Self>> {
                $crate::declared::__private::Probe::<Self>::new().share()
            }
        }
    };
}

pub(crate) use {declare, implement};
