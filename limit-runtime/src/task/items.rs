//! What tasks are made from: the items of an iterator or of a stream.

use futures_util::stream::{self, Stream};

/// The items of an iterator or of a stream, pulled one at a time.
///
/// Implemented for everything that is [`IntoIterator`] and for every [`Stream`]. `Kind` tells the two
/// apart, and is found out by the compiler. For a type that is both, say which is meant:
/// `value.into_iter()`.
pub trait Items<Kind> {
    /// What is pulled.
    type Item;
    /// All of it, as a stream.
    type Stream: Stream<Item = Self::Item>;

    /// Makes a stream of it. Nothing is pulled yet.
    fn into_stream(self) -> Self::Stream;
}

/// Of [`Items`]: an iterator's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OfIterator;

/// Of [`Items`]: a stream's.
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
