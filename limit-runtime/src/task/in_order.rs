//! Outputs that come as they are there, in the order of the input again.

use futures_util::stream::{Stream, StreamExt, TryStreamExt};

pub(super) async fn in_order<T>(results: impl Stream<Item = (usize, T)>) -> Vec<T> {
    sorted(results.collect().await)
}

pub(super) async fn try_in_order<T, E>(
    results: impl Stream<Item = Result<(usize, T), E>>,
) -> Result<Vec<T>, E> {
    results.try_collect().await.map(sorted)
}

fn sorted<T>(mut outputs: Vec<(usize, T)>) -> Vec<T> {
    outputs.sort_unstable_by_key(|&(place, _)| place);
    outputs.into_iter().map(|(_, output)| output).collect()
}
