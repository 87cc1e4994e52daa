//! Outputs that come as they are there, in the order of the input again.
//!
//! Written by hand, and with parameters for what could be named as an associated type: what a function
//! returns as `impl Future` is not seen to be `Send` by the compiler when it is made of an iterator over
//! references and a closure ("implementation of `FnOnce` is not general enough").

use super::results::Results;
use super::start::Start;
use crate::unwind::quietly;
use futures_util::stream::{Enumerate, FuturesUnordered, Stream, StreamExt};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A future whose output has its place in the input.
    #[derive(Debug)]
    pub struct Numbered<F> {
        place: usize,
        #[pin]
        future: F,
    }
}

fn numbered<F>((place, future): (usize, F)) -> Numbered<F> {
    Numbered { place, future }
}

impl<F: Future> Future for Numbered<F> {
    type Output = (usize, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(this.future.poll(context));
        Poll::Ready((*this.place, output))
    }
}

type NumberedResults<S, F, N, R> =
    Results<Enumerate<S>, N, fn((usize, F)) -> Numbered<F>, FuturesUnordered<R>>;

fn results<S: Stream, F, N, R>(futures: S, start: N) -> NumberedResults<S, F, N, R> {
    Results::new(futures.enumerate(), start, numbered)
}

fn in_order<T>(outputs: &mut Vec<(usize, T)>) -> Vec<T> {
    let mut outputs = std::mem::take(outputs);
    outputs.sort_unstable_by_key(|&(place, _)| place);
    outputs.into_iter().map(|(_, output)| output).collect()
}

pin_project! {
    /// The future of `gather`.
    #[must_use = "futures do nothing unless polled"]
    pub struct Gathered<S, F, N, R, T> {
        #[pin]
        results: NumberedResults<S, F, N, R>,
        outputs: Vec<(usize, T)>,
    }
}

impl<S: Stream<Item = F>, F, N, R, T> Gathered<S, F, N, R, T> {
    pub(super) fn new(futures: S, start: N) -> Self {
        Self { results: results(futures, start), outputs: Vec::new() }
    }
}

impl<S, F, N, R, T> Future for Gathered<S, F, N, R, T>
where
    S: Stream<Item = F>,
    N: Start<Numbered<F>, Running = R>,
    R: Future<Output = (usize, T)>,
{
    type Output = Vec<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        let mut this = self.project();
        while let Some(output) = ready!(this.results.as_mut().poll_next(context)) {
            this.outputs.push(output);
        }
        Poll::Ready(in_order(this.outputs))
    }
}

impl<S, F, N, R, T> fmt::Debug for Gathered<S, F, N, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathered").field("outputs", &self.outputs.len()).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of `try_gather`.
    #[must_use = "futures do nothing unless polled"]
    pub struct TryGathered<S, F, N, R, T, E> {
        // Until there is an error.
        #[pin]
        results: Option<NumberedResults<S, F, N, R>>,
        outputs: Vec<(usize, T)>,
        error: std::marker::PhantomData<fn() -> E>,
    }
}

impl<S: Stream<Item = F>, F, N, R, T, E> TryGathered<S, F, N, R, T, E> {
    pub(super) fn new(futures: S, start: N) -> Self {
        let results = Some(results(futures, start));
        Self { results, outputs: Vec::new(), error: std::marker::PhantomData }
    }
}

impl<S, F, N, R, T, E> Future for TryGathered<S, F, N, R, T, E>
where
    S: Stream<Item = F>,
    N: Start<Numbered<F>, Running = R>,
    R: Future<Output = (usize, Result<T, E>)>,
{
    type Output = Result<Vec<T>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let results = this.results.as_mut().as_pin_mut();
            let results = results.expect("not polled after it was ready");
            match ready!(results.poll_next(context)) {
                Some((place, Ok(output))) => this.outputs.push((place, output)),
                Some((_, Err(error))) => {
                    // What panics as it is dropped does not take the error along.
                    quietly(|| this.results.set(None));
                    for output in this.outputs.drain(..) {
                        quietly(|| drop(output));
                    }
                    return Poll::Ready(Err(error));
                }
                None => return Poll::Ready(Ok(in_order(this.outputs))),
            }
        }
    }
}

impl<S, F, N, R, T, E> fmt::Debug for TryGathered<S, F, N, R, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryGathered").field("outputs", &self.outputs.len()).finish_non_exhaustive()
    }
}
