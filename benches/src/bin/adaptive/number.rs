//! Conversions of numbers.

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and makes 0 of NaN"
)]
pub(crate) fn whole(number: f64) -> u32 {
    number as u32
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 of anything")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}
