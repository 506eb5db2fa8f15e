//! Names of the prelude mean something else where the attributes stand.
#![allow(dead_code, non_camel_case_types, unused_macros)]

mod shadows {
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub trait Send {}
    pub trait Sync {}
    pub trait Clone {}
    pub trait Default {}
    pub trait Fn {}
    pub trait Into {}
    pub struct bool;
    pub struct str;
    pub struct u32;
    pub struct usize;
}

macro_rules! file { () => { compile_error!("the wrong macro") } }
macro_rules! line { () => { compile_error!("the wrong macro") } }
macro_rules! concat { ($($any:tt)*) => { compile_error!("the wrong macro") } }
macro_rules! module_path { () => { compile_error!("the wrong macro") } }
macro_rules! stringify { ($($any:tt)*) => { compile_error!("the wrong macro") } }
macro_rules! unreachable { ($($any:tt)*) => { compile_error!("the wrong macro") } }

mod shop {
    #[allow(unused_imports)]
    use super::shadows::*;
    use tidings::{event, listener, listeners, AnyEvent, Context};

    #[event("shop.placed", version = 3, stoppable, unheard = "warn")]
    pub struct Placed {
        pub total: ::core::primitive::u32,
    }

    #[event("shop.page")]
    pub struct Page<T>(pub T);

    #[listener("shop.*", early, when = |e| e.total > 1, id = "shop.charge", emits(Placed), before = audit)]
    pub fn charge(
        e: &Placed,
        _count: ::core::option::Option<&::core::primitive::u64>,
        _cx: Context<'_>,
    ) -> ::core::result::Result<(), ::std::fmt::Error> {
        assert!(e.total == 2);
        ::core::result::Result::Ok(())
    }

    #[listener("shop.**", Placed)]
    pub fn audit(_: &AnyEvent<'_>) {}

    #[listener(when = |e| e.total > 1)]
    pub async fn wire(_: &Placed) -> ::core::option::Option<Page<::core::primitive::u8>> {
        ::core::option::Option::None
    }

    pub struct Mailer;

    #[listeners]
    impl Mailer {
        #[listener]
        fn confirm(&self, _: &Placed, _cx: Context<'_>) {}

        #[listener]
        async fn later(&self, _: &Placed) {}
    }
}

fn main() {
    let bus = tidings::Bus::builder().build().expect("no state is missing");
    let _mailer = bus.attach(std::sync::Arc::new(shop::Mailer)).expect("no state is missing");
    let report = bus.emit(shop::Placed { total: 2 }).report();
    assert_eq!(report.ran(), 3);
}
