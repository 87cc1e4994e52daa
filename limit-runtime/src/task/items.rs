//! The items of an iterator or of a stream.

use futures_util::stream::{self, Stream};

/// The items of an iterator or of a stream, pulled one at a time.
///
/// Every [`IntoIterator`] and every [`Stream`] implements it. `Kind` tells the two apart, and the
/// compiler infers it. For a type that is both, say which is meant: `value.into_iter()`.
pub trait Items<Kind> {
    /// The type of one item.
    type Item;
    /// The stream of all items.
    type Stream: Stream<Item = Self::Item>;

    /// Makes a stream of the items. Nothing is pulled yet.
    fn into_stream(self) -> Self::Stream;
}

/// The kind of [`Items`] that an iterator has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OfIterator;

/// The kind of [`Items`] that a stream has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OfStream;

impl<I: IntoIterator> Items<OfIterator> for I {
    type Item = I::Item;
    type Stream = stream::Iter<I::IntoIter>;

    fn into_stream(self) -> Self::Stream {
        stream::iter(self)
    }
}

impl<S: Stream> Items<OfStream> for S {
    type Item = S::Item;
    type Stream = S;

    fn into_stream(self) -> S {
        self
    }
}
