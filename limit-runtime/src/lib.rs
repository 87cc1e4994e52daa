//! stub: to be replaced by the real thing; the signatures stay.
#![forbid(unsafe_code)]
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, unused)]
use once_cell::sync::OnceCell;
use std::{fmt, future::Future, pin::Pin, sync::Arc, task::{Context, Poll}};

pub use limit_macros::concurrency_limit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope { Runtime, Process }

pub struct Limiter { name: &'static str, limit: fn() -> usize, n: usize, cell: OnceCell<usize> }
impl fmt::Debug for Limiter { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("Limiter") } }
impl Limiter {
    pub const fn new(name: &'static str, limit: usize) -> Self { Self { name, n: limit, limit: || 0, cell: OnceCell::new() } }
    /// the limit is an expression, evaluated once for each scope on first use
    pub const fn lazy(name: &'static str, limit: fn() -> usize) -> Self { Self { name, n: 0, limit, cell: OnceCell::new() } }
    pub const fn scope(self, scope: Scope) -> Self { self }
    pub const fn env(self, variable: &'static str) -> Self { self }
    pub fn acquire(&self) -> Acquire<'_> { Acquire(self) }
    pub fn acquire_many(&self, weight: u32) -> AcquireMany<'_> { AcquireMany(self) }
    pub fn try_acquire(&self) -> Result<Permit, Rejected> { Ok(Permit(())) }
    pub fn limit(&self) -> usize { self.n }
    pub fn set_limit(&self, limit: usize) {}
    pub fn name(&self) -> &str { self.name }
    pub fn snapshot(&self) -> Snapshot { todo!() }
}
pub struct Acquire<'a>(&'a Limiter);
impl Future for Acquire<'_> { type Output = Permit; fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Permit> { Poll::Ready(Permit(())) } }
pub struct AcquireMany<'a>(&'a Limiter);
impl Future for AcquireMany<'_> { type Output = Result<Permit, Rejected>; fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> { Poll::Ready(Ok(Permit(()))) } }
#[must_use]
pub struct Permit(());
impl Drop for Permit { fn drop(&mut self) {} }
#[derive(Debug)]
pub struct Rejected;
impl fmt::Display for Rejected { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("rejected") } }
impl std::error::Error for Rejected {}
/// `Display` prints one aligned line
#[derive(Clone, Debug)]
pub struct Snapshot { pub name: String, pub total: Figures }
impl fmt::Display for Snapshot { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("snapshot") } }
#[derive(Clone, Debug)]
pub struct Figures { pub limit: usize, pub in_use: usize, pub waiting: usize, pub most_waiting: usize, pub admitted_at_once: u64, pub admitted_after_waiting: u64, pub cancelled: u64 }
/// every limiter that has been used
pub fn limiters() -> Vec<Snapshot> { Vec::new() }
pub fn find(name: &str) -> Option<Snapshot> { None }
