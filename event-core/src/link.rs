//! Naming the crates whose listeners a binary wants.

/// Links crates for their listeners, and makes it an error of [`BusBuilder::build`](crate::BusBuilder::build) if one brings none.
///
/// A dependency that no code names is not linked, and its listeners are then silently absent. This names it. A renamed dependency
/// is written with its own name: `link!(shipping = "acme-shipping")`.
///
/// ```text
/// tidings::link!(orders, billing, shipping = "acme-shipping");
/// ```
#[macro_export]
macro_rules! link {
    ($($krate:ident $(= $name:literal)?),+ $(,)?) => {
        const _: () = {
            $(
                #[allow(unused_imports, clippy::single_component_path_imports)]
                use ::$krate as _;
                $crate::__link_request!($krate $(= $name)?);
            )+
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __link_request {
    ($krate:ident) => {
        $crate::private::submit! { $crate::private::LinkRequest::new(::core::stringify!($krate)) }
    };
    ($krate:ident = $name:literal) => {
        $crate::private::submit! { $crate::private::LinkRequest::new($name) }
    };
}

/// Says why an event cannot be `serde`: the feature is off.
#[cfg(not(feature = "json"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __json_codec {
    ($event:ty) => {
        ::core::compile_error!("`#[event(serde)]` needs the feature `json`: write `tidings = { version = \"..\", features = [\"json\"] }`")
    };
}
