//! A limiter as a [tower] layer.
//!
//! [`LimitLayer`] puts a [`Limiter`](crate::Limiter) in front of any `tower_service::Service`: routes of
//! axum, servers and clients of tonic, connectors of hyper and reqwest.
//!
//! ```
//! use limit_runtime::Limiter;
//! use limit_runtime::tower::LimitLayer;
//!
//! static API: Limiter = Limiter::new("api", 100);
//!
//! let layer = LimitLayer::new(&API); // `Router::new()…layer(layer)`, `ServiceBuilder::new().layer(layer)`
//! # let _ = layer;
//! ```
//!
//! # What shares permits
//!
//! Everything that is made from one layer, and all clones of that: the limit is the limiter's, however
//! many copies of the service there are. A server that clones its service for each connection, or a
//! router that has one for each route, has one limit all the same. As ever each runtime has its own
//! permits, unless the limiter's scope is the process.
//!
//! # Where a call waits
//!
//! In its response future. `poll_ready` passes on what the inner service says and **reserves nothing**:
//! a clone that is ready, and then is never called, keeps nothing from anybody. (With a limit that is
//! taken in `poll_ready`, a few idle clones, such as a load balancer or a pool of connections makes,
//! can hold all permits for ever.) The inner service is called once there is a permit, and not before: a call
//! that waits has the inner service that was ready for it, and what that has reserved: of a `Buffer` or a
//! tonic `Channel` a place in its queue, of tower's own limit a permit.
//!
//! What heeds readiness, such as tower's `load_shed` and `balance`, sees nothing of such a limit. There
//! is [`reserving`](LimitLayer::reserving) for it, at that price: the permit is taken in `poll_ready`, and
//! the inner service is called in `call`. For shedding load the limiter's own
//! [`max_waiting`](crate::Limiter::max_waiting) is better.
//!
//! # Calls that are refused
//!
//! A layer over a `Limiter` refuses nobody and has the inner service's error type. Over a
//! `Limiter<Rejected>` the error is a boxed one, as usual in tower, which is a
//! [`Rejected`](crate::Rejected) if the call was refused; or, as servers want it, a response that
//! [`on_reject`](LimitLayer::on_reject) makes of it. (axum's routers take no services that fail: there it
//! is `on_reject`, or axum's `HandleErrorLayer`.)
//!
//! # How long the permit is held
//!
//! Until the response is there. For HTTP that is the moment when the head is ready and the body may
//! still be streaming: `until_body_end` (feature `http-body`) holds it to the end of the body. A connection
//! that goes on beyond that, as a web socket, keeps the permit if its handler takes it along: it is in the
//! request's extensions, as a `SharedPermit`.
//! [`hand_over`](LimitLayer::hand_over) gives it to the response in whatever form.
//!
//! Needs the feature `tower`.
//!
//! [tower]: https://docs.rs/tower

#[cfg(feature = "http-body")]
mod body;
mod future;
mod hold;
mod layer;
mod mode;
mod refusals;
mod reserve;
mod service;
#[cfg(feature = "http-body")]
mod shared;

#[cfg(feature = "http-body")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-body")))]
pub use body::{PermitBody, UntilBodyEnd};
pub use future::{ReservedFuture, ResponseFuture};
pub use hold::{HandOver, Hold, UntilResponse};
pub use layer::LimitLayer;
pub use mode::{OnCall, Reserving};
pub use refusals::{AsError, BoxError, OnReject, Refusals};
pub use service::Limit;
#[cfg(feature = "http-body")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-body")))]
pub use shared::SharedPermit;
