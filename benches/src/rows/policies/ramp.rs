//! A limiter with a ramp that is over: each call takes the lock and looks at the clock.

use std::time::Duration;

use limit_runtime::Limiter;

use super::{FIXED, OURS, timed_workers};
use crate::rows::tasks::in_a_row;
use crate::rows::{Row, Selection, against_peer};
use crate::subjects::{LIMIT, PEER, body};

pub(super) fn ramp(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("ramp", LIMIT).ramp(Duration::from_millis(1));
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            body(value)
        }),
    ];
    let what = "permit free, a ramp that is over; beside it: the same limit without a ramp";
    against_peer(selection, name, what, contestants)
}
