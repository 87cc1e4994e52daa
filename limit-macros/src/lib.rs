//! The `#[concurrency_limit]` attribute of the `limit-runtime` crate.
//!
//! Depend on `limit-runtime`, which exports the attribute together with the types that its
//! output names; this crate is of no use alone.
#![forbid(unsafe_code)]

mod args;
mod expand;
mod function;

use args::{Args, Errors, Refusal};
use function::Target;
use proc_macro::TokenStream;
use syn::Result;

/// Never runs more than a given number of calls of an async function at once.
///
/// A call over the limit waits its turn, first come, first served, until a call that runs ends. It
/// waits as part of its own future: a waiting call costs no thread, and is cancelled by dropping
/// it. Nothing else about the function changes: not its signature, not whether its future is
/// `Send`, not the order in which its locals are dropped.
///
/// ```text
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(3)]
/// async fn download(url: Url) -> Result<Bytes, Error> { … }
/// ```
///
/// Each tokio runtime has permits of its own, found on the call's first poll, so that a runtime
/// that stands still cannot keep the permits of another. `scope = process` shares them.
///
/// # Arguments
///
/// `#[concurrency_limit(LIMIT, options…)]`: first the limit, then the options in any order.
///
/// LIMIT is a number from 1 up, or any expression of type `usize` that a `static` can name: a
/// const, a path, a call such as `config().max_downloads`. It is evaluated once for each scope, on
/// first use. It cannot name the function's arguments, its generic parameters or `Self`, because
/// one limiter serves all calls, all instantiations and all types; nor the generic parameters of
/// the `impl` block around it, of which the compiler itself complains.
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | The limiter's name in figures and errors; without it the function's path, `module::function`. |
/// | `scope = runtime` | Each runtime has its own permits. The default. |
/// | `scope = process` | All runtimes of the process share the permits. |
/// | `limiter = EXPR` | In place of LIMIT: use an existing `Limiter`, a `static` or a field such as `self.limiter`, also behind a reference, a `Box` or an `Arc`. Functions naming the same one share permits and queue. The expression is evaluated for each call, when it is first polled; it gives one that is there already, see below. |
/// | `env = "VAR"` | If the environment variable is set, its value replaces LIMIT. Read once. A value that is not a whole number from 1 up is reported and LIMIT is used. |
/// | `max_waiting = N` | At most N calls wait; the next is refused at once. With 0 no call ever waits. With `key` the bound is for each key. An expression of type `usize` that a `static` can name. |
/// | `max_wait = "50ms"` | A call that has waited that long is refused. A free permit is taken even at zero. A span of time in `ns`, `us`, `ms`, `s`, `m`, `h` and `d`, several in a row as in `"1m30s"`; or an expression, of type `Duration` or `Instant` (tokio's or the standard library's). |
/// | `order = fifo` | First come, first served. The default. |
/// | `order = lifo` | The newest is served first; with a full queue the oldest is refused to let the newest in. |
/// | `priority = expr` | A `u8`, higher first, and first come, first served within one. A waiter counts as having come a second earlier for each level, so that nobody waits for ever under a steady stream of higher ones. |
/// | `weight = expr` | A `u32`, how many permits the call takes. More than the limit: refused at once, and nobody waits for it. 0: takes none and never waits, but is counted. |
/// | `key = expr` | The limit holds for each key, of any type that is `Hash + Eq + Clone + Send + 'static`. An argument or a field that is the key is cloned, and stays the body's. A key without holders and waiters takes no memory. |
/// | `total = N` | Beside `key`: a cap over all keys, under which they are served in turn, so that a busy one cannot starve the others. |
/// | `per = "60s"` | At most LIMIT starts in any window of that length, and at most LIMIT calls at once. The call itself is not held up by the window. A span of time, or a constant of type `Duration`. |
/// | `on_reject = \|rejected\| expr` | What a refused call gives: the expression is evaluated in the function's place. See below. |
/// | `permit = ident` | What the body calls its permit, to move it to where the work goes on: a spawned task, `spawn_blocking`, a stream that is returned. Otherwise it is held until the body ends. |
/// | `blocking` | On a function that is not async. See below. |
/// | `enabled = expr` | A `bool`; false: this call is let in whatever the limit, and counted. |
/// | `shadow` | No call waits, none is refused; what would have been is counted. To find out what a limit would mean. |
/// | `crate = path` | Where `limit_runtime` is, if it was renamed or is re-exported. |
///
/// The expressions of `limiter`, `key`, `weight`, `priority`, `max_wait` and `enabled` belong to the
/// call: they may use its arguments, and are evaluated when it is first polled, in the order written.
/// What they borrow or lock on the way is let go before anything waits. The others belong to the
/// limiter, and are evaluated once. Options that contradict one another are compile errors.
///
/// # Existing limiters
///
/// An expression that makes a limiter makes one for each call, which limits nothing. So does the name
/// of a `const`, whose value is made anew wherever it is named. Both are compile errors: of
/// `Limiter::new(…)`, and of a function that returns a `Limiter`, the message says what to write; of a
/// `const` the compiler says that a temporary value is dropped while borrowed (E0716). Write a
/// `static`.
///
/// What nobody can see is whether a function that returns an `Arc<Limiter>` gives the same one twice.
///
/// ```text
/// static DATABASE: Limiter = Limiter::new("database", 10);
///
/// #[concurrency_limit(limiter = DATABASE)]
/// async fn find(id: u64) -> Row { … }
///
/// #[concurrency_limit(limiter = DATABASE)]
/// async fn store(row: Row) { … }
/// ```
///
/// # Calls that are refused
///
/// Calls can be refused if there is `max_waiting`, `max_wait` or `weight`, or if an existing limiter
/// refuses some. Then the function must be able to say so: it returns a `Result<_, E>` where `E` is
/// `From<Rejected>`, or an `Option`. Or `on_reject` says what is given instead. It is written like a
/// closure and is none: it is a part of the function, sees its arguments, and may `.await`, use `?`
/// and `return`. The body has not run then, no permit is held, and an error of the body never comes
/// here.
///
/// ```text
/// #[concurrency_limit(3, max_waiting = 100, on_reject = |rejected| fallback(&url, rejected).await)]
/// async fn download(url: Url) -> Page { … }
/// ```
///
/// # Functions that block
///
/// With `blocking` a function that is not async becomes so, and its body runs on tokio's blocking pool,
/// with a permit that stays with the thread until the work ends, also if the caller went away. A panic
/// goes on in the caller. Arguments and result move between threads, so they are `Send` and borrow
/// nothing: take `self: Arc<Self>` where you would have taken `&self`, or clone what is needed. (An
/// argument that the function gives no name, `_: T`, stays with the caller, and so does one that is
/// not used.)
///
/// ```text
/// #[concurrency_limit(4, blocking)]
/// fn hash(self: Arc<Self>, password: String) -> Hash { … }
/// ```
///
/// # Where it stands
///
/// On an `async fn`: free, inherent, in a trait's implementation, or a trait's default method;
/// generic or not; below `#[async_trait]`; in either order with `#[tracing::instrument]`; above
/// `#[tokio::main]` and `#[tokio::test]`.
///
/// Also on a function that returns a future made by an `async` block at its end, alone or inside
/// `Box::pin(…)`. What stands before that block runs when the function is called, without a
/// permit; so does a future that is returned early with `return`. Behind the block may stand methods
/// that leave it whole, such as `.boxed()`, `.instrument(span)` or `.timeout(duration)`. One that goes
/// on after the block, such as `.then(…)` or `.map(…)`, would do so without the permit, and is a
/// compile error.
///
/// ```text
/// #[concurrency_limit(3)]
/// fn download(&self, url: &str) -> impl Future<Output = Bytes> + use<> {
///     let request = self.client.get(url);        // at once
///     async move { request.send().await }        // with a permit
/// }
/// ```
///
/// Twice on one function: a call takes the permit of the upper attribute first, then that of the
/// lower. (With another attribute between the two that rewrites the body, such as
/// `#[tracing::instrument]`, the lower comes first.) The upper alone says `blocking`, and both permits
/// stay with the thread.
///
/// All instantiations of a generic function share one limiter, and so do all implementors of a
/// trait that use its default method. A function that awaits itself holds one permit a level: with
/// fewer permits than levels it waits for itself for ever.
///
/// # Lints
///
/// The compiler's lints and clippy's say of a limited function what they say of the plain one. A few
/// differ, of necessity: to wait is a branch (`cognitive_complexity` counts one more), and the body is
/// in one block more (`excessive_nesting`); the first await, across which arguments live, is that of
/// the permit (`future_not_send`); and with `blocking` the function is async, which some lints leave
/// alone (`boxed_local`, `missing_const_for_fn`, `must_use_candidate`, `result_unit_err`). The value of
/// `on_reject` is judged as a closure's is.
///
/// # What it makes
///
/// The body of the function becomes the only arm of a `match` on the permit:
///
/// ```text
/// async fn download(url: Url) -> Result<Bytes, Error> {
///     match { static … : Limiter = …; ….acquire() }.await {
///         permit => { … }
///     }
/// }
/// ```
///
/// Where calls can be refused there is a second arm, which returns the refusal or evaluates `on_reject`.
///
/// The permit is held until the last local and temporary of the body is dropped, and given back
/// before the caller sees the result: on return, on `?`, on panic, and when the future is dropped
/// half way.
#[proc_macro_attribute]
pub fn concurrency_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expanded = match limit(arguments.into(), item.clone()) {
        Ok(expanded) => expanded,
        Err(error) => expand::refused(&item, &error),
    };
    expanded.into()
}

fn limit(
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> Result<proc_macro2::TokenStream> {
    let mut errors = Errors::default();
    let mentioned = args::blocking_in(&arguments);
    let args = errors.take(Args::parse(arguments));
    let blocking = args.as_ref().map_or(mentioned, |args| args.blocking.clone());
    let target = errors.take(Target::parse(item, blocking.as_ref()));
    if let (Some(args), Some(target)) = (&args, &target) {
        errors.take(args.check(&target.signature));
        if let Refusal::Returned(option) = &args.refusal {
            errors.take(target.check_carries_refusal(option));
        }
    }
    errors.check()?;
    Ok(args.zip(target).map(|(args, target)| expand::limited(&args, target)).unwrap_or_default())
}
