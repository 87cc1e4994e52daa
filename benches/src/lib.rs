//! Code that the programs of this package share.
#![forbid(unsafe_code)]

pub mod machine;
pub mod measure;
pub mod processors;
pub mod table;

/// Returns the middle value, or the mean of the two in the middle, or `NaN` if there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}
