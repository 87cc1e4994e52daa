//! Calls that hold permits, and calls that wait.

use serde::Serialize;

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
