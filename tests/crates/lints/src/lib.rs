//! Every form of the attributes and every use of an emission, under the strictest lints: what is generated must not raise any.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    clippy::pedantic,
    clippy::nursery
)]

pub mod emissions;
pub mod events;
pub mod listeners;
pub mod methods;
pub mod protocols;
