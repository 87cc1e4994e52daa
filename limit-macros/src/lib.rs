//! The `#[concurrency_limit]` attribute of the `limit-runtime` crate.
//!
//! Depend on `limit-runtime`, which exports the attribute together with the types that its output
//! names. This crate alone is of no use.
//!
//! The attribute works in three layers, each of which uses only those before it: `args` parses and
//! normalises the arguments, `function` takes the function apart, and `expand` makes the tokens.
#![forbid(unsafe_code)]

mod args;
mod errors;
mod expand;
mod function;
mod syntax;

use args::RefusalHandling;
use errors::Errors;
use function::Target;
use proc_macro::TokenStream;
use syn::Result;

/// Never runs more than a given number of calls of an async function at once.
///
/// A call over the limit waits until a running call ends. Waiting calls are served first come, first
/// served.
///
/// ```text
/// use limit_runtime::concurrency_limit;
///
/// #[concurrency_limit(3)]
/// async fn download(url: Url) -> Result<Bytes, Error> { … }
/// ```
///
/// # Arguments
///
/// `#[concurrency_limit(LIMIT, options…)]`: first the limit, then the options in any order. Each
/// argument below leads to its example.
///
/// | argument | effect |
/// |---|---|
/// | [`LIMIT`][option-limit] | At most so many calls run at once: a number, an expression, or a range within which the limit [finds itself](#limits-that-find-themselves). |
/// | [`all(LIMITER, …)`](#several-limits-as-one) | Existing limiters take the place of LIMIT: the call takes the permits of all of them, or none. |
#[doc = args::options_table!()]
///
#[doc = args::options_links!()]
///
/// The call evaluates the values of `limiter`, `max_wait`, `priority`, `weight`, `key`, `key_weight`, `share` and
/// `enabled` on its first poll, in the order written. These values may use the function's arguments. Their
/// borrows and locks are dropped before the call waits.
///
/// The limiter evaluates LIMIT once for each scope, and every other value once. LIMIT is a number
/// from 1 up, or an expression of type `usize` that a `static` can name: a const, a path, a call such
/// as `config().max_downloads`. It cannot name the function's arguments, its generic parameters or
/// `Self`, because one limiter serves all calls, all instantiations and all types. It cannot name
/// the generic parameters of the surrounding `impl` block either; there the compiler itself reports
/// the error. The ends of a range are numbers or constants.
///
/// Options that contradict one another are compile errors.
///
/// # Behaviour
///
/// * **A call waits as part of its own future.** It costs no thread while it waits. Dropping the
///   future cancels the call. The attribute changes nothing else: not the function's signature, not
///   whether its future is `Send`, not the order in which its locals are dropped.
/// * **Each tokio runtime has its own permits.** A call finds its runtime on its first poll. So a
///   runtime that stands still cannot keep the permits of another. With `scope = process` all
///   runtimes share the permits, and with `scope = fleet` all processes of a fleet do.
/// * **A call whose permit is free does not yield.** It does not consume tokio's cooperative budget.
///   A loop that awaits nothing but such calls keeps its thread from other tasks. In such a loop,
///   await `tokio::task::consume_budget()` in each round, or `tokio::task::yield_now()` every so
///   often.
/// * **A limiter is a `static`, never a `const`.** Each use of a `const` makes a new limiter, which
///   limits nothing. The attribute's own limiter is a `static`.
/// * **A returned stream needs `permit`.** The permit comes back when the function returns, and a
///   stream runs after that. With `permit = permit` an `async fn` can move the permit into the stream
///   that it returns:
///
/// ```text
/// #[concurrency_limit(3, permit = permit)]
/// async fn rows(query: Query) -> impl Stream<Item = Row> {
///     let rows = database().rows(query).await;
///     rows.map(move |row| {
///         let _permit = &permit;    // held until the stream is dropped
///         row
///     })
/// }
/// ```
///
/// # Existing limiters
///
/// The expression of `limiter` gives a limiter, also behind a reference, a `Box` or an `Arc`. The
/// limiter must outlive the call. An expression that makes a limiter makes a new one for each call,
/// which limits nothing. The name of a `const` does the same. Both are compile errors. For
/// `Limiter::new(…)`, and for a function that returns a `Limiter`, the message says what to write.
/// For a `const` the compiler says that a temporary value is dropped while borrowed (E0716): write a
/// `static`.
///
/// The attribute cannot see whether a function that returns an `Arc<Limiter>` returns the same
/// limiter each time.
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
/// # Several limits as one
///
/// `all(…)` stands in the place of LIMIT. Each element is an expression that gives a limiter, with or without
/// `limiter =`, or a call of one with its key or options: `TENANTS.key(tenant)`, `DB.acquire().weight(2)`. There are 1 to
/// 8 of them. The call takes all permits or none, and calls never wait for each other, in whatever order functions name
/// the limiters. The function `acquire_all` of `limit_runtime` has the rules.
///
/// Beside it stand `max_wait` (for all together), `on_reject`, `overload`, `permit` (the variable is an `AllPermits`),
/// `blocking` and `crate`.
///
/// ```text
/// #[concurrency_limit(all(TENANTS.key(order.tenant), DB, limiter = self.disk))]
/// async fn store(&self, order: Order) { … }
/// ```
///
/// # Limits that find themselves
///
/// With a range in place of LIMIT, the limit becomes the number of calls that the backend works on at a
/// time, and a few more that keep it busy. The limiter learns that number from the times of the calls that
/// waited. `..=200` means `1..=200`. With `key` the total adapts: `3, key = …, total = 4..=200`.
///
/// The value of `overload` is a closure, or the path of a function. It gets a reference to the output of
/// the body and gives a `bool`, or an `Option<Duration>` for which new calls are held off, as an answer with
/// `Retry-After` asks for. The call evaluates it when the body has ended, also by `return` and `?`, and
/// before the permit comes back. It is not asked about calls that are refused or dropped. The body takes
/// the arguments that it names by value, so the closure has only those that are `Copy`, such as references.
/// With `blocking` the closure runs on the pool. `overload` may stand beside `limiter`, because an existing
/// limiter may adapt.
///
/// ```text
/// #[concurrency_limit(4..=200, start = 20, overload = |answer| answer.status == 503)]
/// async fn ask(request: Request) -> Answer { … }
/// ```
///
/// # Calls that are refused
///
/// Calls can be refused with `max_waiting`, `max_waiting_total`, `max_wait` (and `early` beside it), `weight` or
/// `on_deadlock = refuse`, over a fleet with `on_unavailable = refuse` or `on_lease_lost = cancel`, and by an existing
/// limiter that refuses calls.
/// The function then returns a `Result<_, E>` where `E` is `From<Rejected>`, or an `Option`.
///
/// For any other return type, `on_reject` gives the value of a refused call. Its expression looks
/// like a closure, but is a part of the function. It sees the function's arguments, and may
/// `.await`, use `?` and `return`. The call evaluates it in place of the body, without a permit. It
/// does not see errors of the body.
///
/// ```text
/// #[concurrency_limit(3, max_waiting = 100, on_reject = |rejected| fallback(&url, rejected).await)]
/// async fn download(url: Url) -> Page { … }
/// ```
///
/// # Functions that block
///
/// With `blocking` a function that is not async becomes async, and its body runs on tokio's
/// blocking pool. The permit stays with the thread until the work ends, even if the call is dropped.
/// A panic continues in the caller. The arguments and the result move between threads, so they are
/// `Send` and borrow nothing: take `self: Arc<Self>` in place of `&self`, or clone the values that
/// the body needs. (An argument without a name, `_: T`, stays with the caller, and so does an
/// unused one.)
///
/// ```text
/// #[concurrency_limit(4, blocking)]
/// fn hash(self: Arc<Self>, password: String) -> Hash { … }
/// ```
///
/// # Functions that can be limited
///
/// The attribute stands on an `async fn`: free, inherent, in a trait's implementation, or a trait's
/// default method; generic or not. It stands below `#[async_trait]`, above `#[tokio::main]` and
/// `#[tokio::test]`, and on either side of `#[tracing::instrument]`.
///
/// It also stands on a function that returns a future made by an `async` block at its end, alone or
/// inside `Box::pin(…)`. The statements before that block run when the function is called, without
/// a permit. A future that is returned early with `return` has no permit either. Methods after the
/// block may leave it whole, such as `.boxed()`, `.instrument(span)` or `.timeout(duration)`. A
/// method that goes on after the block, such as `.then(…)` or `.map(…)`, would run without the
/// permit, and is a compile error.
///
/// ```text
/// #[concurrency_limit(3)]
/// fn download(&self, url: &str) -> impl Future<Output = Bytes> + use<> {
///     let request = self.client.get(url);        // at once
///     async move { request.send().await }        // with a permit
/// }
/// ```
///
/// With the attribute twice on one function, a call takes the permit of the upper attribute first,
/// then that of the lower. (If an attribute between the two rewrites the body, as
/// `#[tracing::instrument]` does, the lower comes first.) Only the upper one says `blocking`, and
/// both permits stay with the thread.
///
/// All instantiations of a generic function share one limiter, and so do all implementors of a
/// trait that use its default method. A function that awaits itself holds one permit for each
/// level: with fewer permits than levels it waits for itself for ever.
///
/// # Lints
///
/// The compiler's lints and clippy's report the same of a limited function as of the plain one,
/// with these exceptions:
///
/// * `cognitive_complexity` counts one branch more, because waiting is a branch.
/// * `excessive_nesting` sees one block more around the body.
/// * `future_not_send` names the await of the permit, the first across which the arguments live.
/// * With `blocking` the function is async, and `boxed_local`, `missing_const_for_fn`,
///   `must_use_candidate` and `result_unit_err` leave it alone.
/// * With `overload` the compiler says of an argument that is assigned and not read that it is captured,
///   and clippy does not see some conversions without effect (`useless_conversion`).
/// * Lints judge the value of `on_reject` as a closure's.
///
/// # Expansion
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
/// With `overload` the body is the inside of an `async move` block in that arm, which gives the output.
///
/// If calls can be refused, a second arm returns the refusal or evaluates `on_reject`.
///
/// The call holds the permit until the last local and temporary of the body is dropped. It gives the
/// permit back before the caller sees the result: on return, on `?`, on panic, and when the future
/// is dropped half way.
#[proc_macro_attribute]
pub fn concurrency_limit(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expanded = match expand_attribute(arguments.into(), item.clone()) {
        Ok(expanded) => expanded,
        Err(error) => expand::report_error(&item, &error),
    };
    expanded.into()
}

/// Reads the arguments and the function, and limits the function. Goes on after an error, so that
/// the compiler reports those of both.
fn expand_attribute(
    arguments: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> Result<proc_macro2::TokenStream> {
    let mut errors = Errors::default();
    let mentioned = args::find_blocking(&arguments);
    let args = errors.take(args::read(arguments));
    let blocking = args.as_ref().map_or(mentioned, |args| args.blocking.clone());
    let target = errors.take(Target::parse(item, blocking.as_ref()));
    if let Some(target) = &target {
        errors.take(target.check_owns_arguments());
    }
    if let (Some(args), Some(target)) = (&args, &target) {
        errors.take(args::check(args, &target.signature));
        if args.cancels() {
            errors.take(target.check_is_no_stream());
        }
        if let Some(overload) = &args.overload {
            errors.take(target.check_has_output(overload));
        }
        if let RefusalHandling::Returned(option) = &args.refusals {
            errors.take(target.check_carries_refusal(option));
        }
    }
    errors.check()?;
    let limited = args.zip(target).map(|(args, target)| expand::limit_function(&args, target));
    // If one of the two is missing, its error has been returned.
    Ok(limited.unwrap_or_default())
}
