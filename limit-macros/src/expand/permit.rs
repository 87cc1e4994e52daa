//! The expression that waits for a permit.

use super::all;
use super::limiter;
use super::per_call::{PerCallTokens, Usage};
use super::runtime_path::RuntimePath;
use super::tokens::{end_spans, parenthesise};
use crate::args::{Args, PerCall, RefusalHandling, Source};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Signature;

/// Makes the expression that gives the permit or, if calls can be refused, an `Admitted` with it.
///
/// ```text
/// // before
/// 3
///
/// // after
/// {
///     static __CONCURRENCY_LIMIT: Limiter = Limiter::new("module::function", 3);
///     __CONCURRENCY_LIMIT.acquire()
/// }
/// .await
///
/// // before
/// 3, key = tenant, weight = pages.len() as u32
///
/// // after
/// {
///     static __CONCURRENCY_LIMIT: Limiter<Infallible, Keyed> = …;
///     let __key = Clone::clone(&(tenant));
///     let __weight: u32 = (pages.len() as u32);
///     let __permit = IntoAdmitted::into_admitted(
///         __CONCURRENCY_LIMIT.key(__key).acquire().weight(__weight).await
///     );
///     __permit
/// }
///
/// // before
/// limiter = self.limiter
///
/// // after
/// {
///     let __limiter = &(self.limiter);
///     let __permit = IntoAdmitted::into_admitted(acquire(&(*__limiter)).await);
///     __permit
/// }
/// ```
///
/// Each `let` drops the temporaries of its expression before anything waits, such as the guard in
/// `limiter = self.limiters.lock().unwrap().clone()`. The last `let` drops the limiter before the
/// body runs, if it is a temporary.
pub(super) fn wait_for_permit(
    runtime: &RuntimePath,
    args: &Args,
    function: &Signature,
) -> TokenStream {
    let span = Span::mixed_site();
    let is_of_body = args.permit.is_none();
    let limiter = match &args.source {
        Source::Own(own) => Some(limiter::make_static(runtime, own, &function.ident, is_of_body)),
        Source::Existing | Source::All(_) => None,
    };
    let is_infallible = matches!(args.refusals, RefusalHandling::Impossible);
    if args.per_call.is_empty() && args.permit.is_none() && is_infallible {
        return quote_spanned!(span=> { #limiter __CONCURRENCY_LIMIT.acquire() }.await);
    }
    let make_tokens = |argument| PerCallTokens::new(runtime, argument, function);
    let per_call: Vec<_> = args.per_call.iter().map(make_tokens).collect();
    let statements = per_call.iter().map(|tokens| &tokens.statement);
    let share = find_share(runtime, &per_call);
    let (all, acquire) = match &args.source {
        Source::All(all) => {
            let (statements, acquire) = all::acquire(runtime, all, is_of_body, function);
            let setters = per_call.iter().filter_map(|tokens| match &tokens.usage {
                Usage::Setter(setter) => Some(setter),
                Usage::Limiter(_) | Usage::Key(_) | Usage::Share(_) => None,
            });
            (Some(statements), quote_spanned!(span=> #acquire #(#setters)*))
        }
        Source::Own(_) | Source::Existing => (None, acquire(runtime, &per_call, is_of_body)),
    };
    let private = runtime.private(span);
    let outcome = match &args.source {
        // The type says that a call with a weight can be refused, but with `shadow` none is.
        Source::Own(own)
            if own.policy.is_shadow() && args.per_call.iter().any(PerCall::is_fallible) =>
        {
            quote_spanned!(span=> #private::never_refused(#acquire.await))
        }
        Source::Own(_) if is_infallible => quote_spanned!(span=> #acquire.await),
        _ => quote_spanned!(span=> #private::IntoAdmitted::into_admitted(#acquire.await)),
    };
    // Another attribute below this one recognises this expression by its last word: see `hold`.
    quote_spanned!(span=> { #limiter #all #(#statements)* #share let __permit = #outcome; __permit })
}

/// Makes the statement that finds the share of a call.
///
/// ```text
/// // before
/// limiter = API, share = class.name()
///
/// // after
/// let __share = find_share(&(API), &(class.name()));
/// ```
fn find_share(runtime: &RuntimePath, per_call: &[PerCallTokens<'_>]) -> Option<TokenStream> {
    let share = per_call.iter().find_map(|tokens| match &tokens.usage {
        Usage::Share(share) => Some(*share),
        _ => None,
    })?;
    let span = Span::mixed_site();
    let limiter = per_call.iter().find_map(|tokens| match &tokens.usage {
        Usage::Limiter(reference) => Some(reference.clone()),
        _ => None,
    });
    let limiter = limiter.unwrap_or_else(|| quote_spanned!(span=> &__CONCURRENCY_LIMIT));
    // The argument lies at the user's expression: the compiler says there that it is no text.
    let name = parenthesise(share);
    let name = quote_spanned!(end_spans(share).0=> &#name);
    let private = runtime.private(span);
    Some(quote_spanned!(span=> let __share = #private::find_share(#limiter, #name);))
}

/// Makes the future that waits.
///
/// ```text
/// // before
/// 3, key = tenant, weight = 2
///
/// // after
/// __CONCURRENCY_LIMIT.key(__key).acquire().weight(__weight)
///
/// // before
/// limiter = self.limiter, key = tenant
///
/// // after
/// acquire_for_key(&(*__limiter), __key)
///
/// // before
/// limiter = self.limiter, permit = permit
///
/// // after
/// acquire_permit(&(*__limiter))
/// ```
fn acquire(runtime: &RuntimePath, per_call: &[PerCallTokens<'_>], is_of_body: bool) -> TokenStream {
    let span = Span::mixed_site();
    // These functions name in their bounds what the type of an existing limiter lacks.
    let private = runtime.private(span);
    let (mut limiter, mut key, mut setters) = (None, None, TokenStream::new());
    let mut has_share = false;
    for tokens in per_call {
        match &tokens.usage {
            Usage::Limiter(reference) => limiter = Some(reference),
            Usage::Key(variable) => key = Some(variable),
            Usage::Share(_) => has_share = true,
            Usage::Setter(setter) => setters.extend(setter.clone()),
        }
    }
    let acquire = match (limiter, key) {
        (Some(limiter), _) if has_share && is_of_body => {
            quote_spanned!(span=> #private::acquire_in_share(#limiter, __share))
        }
        (Some(limiter), _) if has_share => {
            quote_spanned!(span=> #private::acquire_permit_in_share(#limiter, __share))
        }
        (None, _) if has_share => {
            quote_spanned!(span=> #private::acquire_permit_in_share(&__CONCURRENCY_LIMIT, __share))
        }
        (Some(limiter), Some(key)) if is_of_body => {
            quote_spanned!(span=> #private::acquire_for_key(#limiter, #key))
        }
        (Some(limiter), None) if is_of_body => quote_spanned!(span=> #private::acquire(#limiter)),
        (Some(limiter), Some(key)) => {
            quote_spanned!(span=> #private::acquire_permit_for_key(#limiter, #key))
        }
        (Some(limiter), None) => quote_spanned!(span=> #private::acquire_permit(#limiter)),
        (None, Some(key)) => quote_spanned!(span=> __CONCURRENCY_LIMIT.key(#key).acquire()),
        (None, None) => quote_spanned!(span=> __CONCURRENCY_LIMIT.acquire()),
    };
    quote_spanned!(span=> #acquire #setters)
}

/// Makes the type of what the call holds.
pub(super) fn permit_type(runtime: &RuntimePath, source: &Source) -> TokenStream {
    let span = Span::mixed_site();
    match source {
        Source::Own(_) | Source::Existing => quote_spanned!(span=> #runtime::Permit),
        Source::All(all) => {
            let count = all.limits.len();
            quote_spanned!(span=> #runtime::AllPermits<#count>)
        }
    }
}
