//! The `#[concurrency_limit]` attribute of the `limit-runtime` crate.
//!
//! Depend on `limit-runtime`, which exports the attribute together with the types that its
//! output names; this crate is of no use alone.
#![forbid(unsafe_code)]

mod args;
mod expand;
mod function;

use args::{Args, Errors, Source};
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
/// | `limiter = EXPR` | In place of LIMIT: use an existing `Limiter`, a `static` or a field such as `self.limiter`, also behind a reference, a `Box` or an `Arc`. Functions naming the same one share permits and queue. The expression is evaluated for each call, when it is first polled. |
/// | `env = "VAR"` | If the environment variable is set, its value replaces LIMIT. Read once. A value that is not a whole number from 1 up is reported and LIMIT is used. |
/// | `crate = path` | Where `limit_runtime` is, if it was renamed or is re-exported. |
///
/// # Where it stands
///
/// On an `async fn`: free, inherent, in a trait's implementation, or a trait's default method;
/// generic or not; below `#[async_trait]`; in either order with `#[tracing::instrument]`; above
/// `#[tokio::main]` and `#[tokio::test]`.
///
/// Also on a function that returns a future made by an `async` block at its end, alone or inside
/// `Box::pin(…)`. What stands before that block runs when the function is called, without a
/// permit; so does a future that is returned early with `return`.
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
/// `#[tracing::instrument]`, the lower comes first.)
///
/// All instantiations of a generic function share one limiter, and so do all implementors of a
/// trait that use its default method. A function that awaits itself holds one permit a level: with
/// fewer permits than levels it waits for itself for ever.
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
    let args = errors.take(Args::parse(arguments));
    let target = errors.take(Target::parse(item));
    if let (Some(Args { source: Source::Own(own), .. }), Some(target)) = (&args, &target) {
        errors.take(own.limit.check(&target.signature));
    }
    errors.check()?;
    Ok(args.zip(target).map(|(args, target)| expand::limited(&args, target)).unwrap_or_default())
}
