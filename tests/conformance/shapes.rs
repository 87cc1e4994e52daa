//! Every shape of function that `#[concurrency_limit]` accepts, compiled and run: as it is in a
//! file, and again from inside two kinds of `macro_rules!` wrapper.
#![deny(warnings)]
#![allow(
    clippy::manual_async_fn,
    clippy::pedantic,
    reason = "odd shapes are what is tested; lints are compared by the diagnostics test"
)]
#![forbid(unsafe_code)]

// A user may have renamed the dependency like this.
extern crate limit_runtime as renamed;

#[path = "shapes/adaptive.rs"]
mod adaptive;
#[path = "shapes/blocking.rs"]
mod blocking;
#[path = "shapes/boxed_traits.rs"]
mod boxed_traits;
#[path = "shapes/existing.rs"]
mod existing;
#[path = "fragments.rs"]
mod fragments;
#[path = "shapes/functions.rs"]
mod functions;
#[path = "shapes/futures.rs"]
mod futures;
#[path = "shapes/hygiene.rs"]
mod hygiene;
#[path = "shapes/judged.rs"]
mod judged;
#[path = "shapes/limits.rs"]
mod limits;
#[path = "shapes/methods.rs"]
mod methods;
#[path = "shapes/options.rs"]
mod options;
#[path = "shapes/others.rs"]
mod others;
#[path = "shapes/permits.rs"]
mod permits;
#[path = "support.rs"]
mod support;
#[path = "shapes/together.rs"]
mod together;
#[path = "shapes/unchanged.rs"]
mod unchanged;
#[path = "shapes/verdicts.rs"]
mod verdicts;

mod as_items {
    macro_rules! as_items {
        ($($item:item)*) => { $($item)* };
    }
    include!(concat!(env!("OUT_DIR"), "/as_items.rs"));
}

mod as_body {
    include!(concat!(env!("OUT_DIR"), "/as_body.rs"));
}
