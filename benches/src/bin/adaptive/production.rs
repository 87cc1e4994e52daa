//! The very files of limit-runtime that choose its limits.
#![expect(dead_code, reason = "a limiter uses more of them than a simulation does")]

#[path = "../../../../limit-runtime/src/adaptive/cohort.rs"]
mod cohort;
#[path = "../../../../limit-runtime/src/adaptive/controller.rs"]
pub(crate) mod controller;
#[path = "../../../../limit-runtime/src/adaptive/estimator.rs"]
mod estimator;
#[path = "../../../../limit-runtime/src/adaptive/moments.rs"]
mod moments;
#[path = "../../../../limit-runtime/src/adaptive/rules.rs"]
pub(crate) mod rules;
