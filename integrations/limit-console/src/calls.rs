//! Calls that hold permits, and calls that wait.

use limit_runtime::LimiterHandle;
use serde::Serialize;

/// The most calls of which each is listed.
#[cfg(feature = "diagnostics")]
const LISTED: usize = 50;
/// The most calls that are counted by place.
#[cfg(feature = "diagnostics")]
const COUNTED: usize = 10_000;
/// The most places that are listed.
#[cfg(feature = "diagnostics")]
const PLACES: usize = 100;

/// Calls of one kind, the oldest first.
pub(crate) struct Calls {
    pub(crate) listed: Vec<CallRow>,
    pub(crate) places: Vec<PlaceRow>,
}

/// The calls from one place, in JSON. `openapi.json` describes the fields.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlaceRow {
    place: String,
    calls: usize,
    /// The permits of these calls together.
    weight: u64,
    /// The age of the oldest call in seconds.
    oldest: f64,
}

/// A call, in JSON. `openapi.json` describes the fields.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CallRow {
    /// The location in the source code.
    place: String,
    task: Option<String>,
    /// The age in seconds.
    age: f64,
    weight: u32,
}

#[cfg(feature = "diagnostics")]
impl From<&limit_runtime::diagnostics::Call> for CallRow {
    fn from(call: &limit_runtime::diagnostics::Call) -> Self {
        Self {
            place: call.place().to_string(),
            task: call.task().map(|task| task.to_string()),
            age: call.age().as_secs_f64(),
            weight: call.weight(),
        }
    }
}

/// Lists the calls that hold permits and those that wait, if calls are recorded.
#[cfg(feature = "diagnostics")]
pub(crate) fn calls(handle: &LimiterHandle) -> [Option<Calls>; 2] {
    if !limit_runtime::diagnostics::is_recording() {
        return [None, None];
    }
    let calls = [handle.oldest_holders(COUNTED), handle.oldest_waiters(COUNTED)];
    calls.map(|calls| Some(Calls::new(&calls)))
}

#[cfg(not(feature = "diagnostics"))]
pub(crate) fn calls(_: &LimiterHandle) -> [Option<Calls>; 2] {
    [None, None]
}

#[cfg(feature = "diagnostics")]
impl Calls {
    /// Lists calls, and counts them by place. The oldest call is the first one.
    fn new(calls: &[limit_runtime::diagnostics::Call]) -> Self {
        use std::collections::HashMap;

        let mut places: Vec<PlaceRow> = Vec::new();
        let mut found = HashMap::new();
        for call in calls {
            let index = *found.entry(call.place()).or_insert(places.len());
            if index == places.len() {
                let (place, oldest) = (call.place().to_string(), call.age().as_secs_f64());
                places.push(PlaceRow { place, calls: 0, weight: 0, oldest });
            }
            places[index].calls += 1;
            places[index].weight += u64::from(call.weight());
        }
        places.truncate(PLACES);
        Self { listed: calls.iter().take(LISTED).map(CallRow::from).collect(), places }
    }
}
