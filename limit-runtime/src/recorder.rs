//! Records of the calls that hold permits or wait for them: where each was made, by which task,
//! since when.
//!
//! A record names a limiter and a semaphore by their numbers. This module knows no limiters. The
//! module `diagnostics` reads the records and turns the numbers into names.
//!
//! From the bottom up, each file uses only those before it: `site`, `clock` and `agent` say where, when and who; `info` is
//! what is said of a call, `slot` the room for that, and `slots` has all of them; `moved` and `polling` note what becomes
//! of permits; `hooks` tells `diagnostics`; `call` is the record of a call.

mod agent;
mod call;
mod clock;
mod hooks;
mod info;
pub(crate) mod moved;
mod polling;
mod site;
mod slot;
pub(crate) mod slots;

pub(crate) use agent::Agent;
pub(crate) use call::{CallPlace, CallRecord};
pub(crate) use hooks::{
    Hooks, is_recording, on_each, on_end, on_taken_back, record, tell_of_taken_back,
};
pub(crate) use info::Info;
pub(crate) use polling::Polling;
pub(crate) use site::{Arrival, CallSite, Kind, PollPoint};
pub(crate) use slot::Record;
