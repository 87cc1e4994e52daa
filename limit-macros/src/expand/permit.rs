//! The expression that waits for a permit.

use super::limiter;
use super::place::{at, ends, parenthesised, path_at, variable};
use crate::args::{Args, Asked, Lives, Refusal, Source, bare, behind_references};
use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Signature, UnOp};

/// Gives the permit, or where calls can be refused, an `Admitted` with it.
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
///     let __permit = __CONCURRENCY_LIMIT.key(__key).acquire().weight(__weight).await;
///     __permit
/// }
///
/// // before
/// limiter = self.limiter
///
/// // after
/// {
///     let __limiter = &(self.limiter);
///     let __permit = Limiter::acquire(&(*__limiter)).await;
///     IntoAdmitted::into_admitted(__permit)
/// }
/// ```
///
/// Each `let` ends the life of its expression's temporaries (the guard in
/// `limiter = self.limiters.lock().unwrap().clone()`) before anything waits; the last that of the
/// limiter, if it is a temporary, before the body.
pub(super) fn permit(runtime: &TokenStream, args: &Args, function: &Signature) -> TokenStream {
    let span = Span::mixed_site();
    let limiter = match &args.source {
        Source::Own(own) => Some(limiter::own(runtime, own, &function.ident)),
        Source::Existing => None,
    };
    let is_plain = args.asked.is_empty() && args.permit.is_none();
    if is_plain && matches!(args.refusal, Refusal::None) {
        return quote_spanned!(span=> { #limiter __CONCURRENCY_LIMIT.acquire() }.await);
    }
    let values = args.asked.iter().filter_map(|asked| value(runtime, asked, function));
    let acquire = acquire(runtime, args);
    let outcome = match (&args.source, &args.refusal) {
        (Source::Own(own), _) if own.shadow && asks_weight(&args.asked) => {
            quote_spanned!(span=> #runtime::__private::v1::never_refused(#acquire.await))
        }
        (Source::Own(_), Refusal::None) => quote_spanned!(span=> #acquire.await),
        _ => {
            quote_spanned!(span=> #runtime::__private::v1::IntoAdmitted::into_admitted(#acquire.await))
        }
    };
    // The last word is what another attribute below this one knows our work by.
    quote_spanned!(span=> { #limiter #(#values)* let __permit = #outcome; __permit })
}

fn asks_weight(asked: &[Asked]) -> bool {
    asked.iter().any(|asked| matches!(asked, Asked::Weight(_)))
}

/// The statement that evaluates what is asked, once for the call.
fn value(runtime: &TokenStream, asked: &Asked, function: &Signature) -> Option<TokenStream> {
    let span = Span::mixed_site();
    Some(match asked {
        Asked::Limiter(limiter) => existing(runtime, limiter, function),
        Asked::Key(key) => {
            let key = key_of(bare(key));
            quote_spanned!(span=> let __key = #key;)
        }
        Asked::Weight(weight) => {
            let weight = parenthesised(weight);
            quote_spanned!(span=> let __weight: ::core::primitive::u32 = #weight;)
        }
        Asked::Priority(priority) => {
            let priority = parenthesised(priority);
            quote_spanned!(span=> let __priority: ::core::primitive::u8 = #priority;)
        }
        Asked::MaxWait(max_wait) => {
            let max_wait = parenthesised(max_wait);
            quote_spanned!(span=> let __max_wait = #max_wait;)
        }
        Asked::Enabled(enabled) => {
            let enabled = parenthesised(enabled);
            quote_spanned!(span=> let __enabled: ::core::primitive::bool = #enabled;)
        }
        Asked::MaxWaitOf(_) => return None,
    })
}

/// The statement for a limiter that exists already.
///
/// ```text
/// // before
/// limiter = LIMITER
///
/// // after: of a `const` the compiler says that it does not live long enough
/// let __limiter: &'static _ = &LIMITER;
///
/// // before
/// limiter = limiter_of(tenant)
///
/// // after: the type says whether it is a limiter, which would go with the call
/// let __limiter = &(limiter_of(tenant));
/// Existing(__limiter).outlives_the_call();
/// ```
fn existing(runtime: &TokenStream, limiter: &Expr, function: &Signature) -> TokenStream {
    let span = Span::mixed_site();
    let limiter = behind_references(limiter);
    let place = ends(limiter).0;
    match Lives::of(limiter, function) {
        // Without parentheses, so that the compiler shows the user's tokens alone.
        Lives::InAnItem => quote_spanned!(place=> let __limiter: &'static _ = &#limiter;),
        Lives::InAPlace => quote_spanned!(span=> let __limiter = &(#limiter);),
        Lives::AsAValue => {
            let runtime = path_at(runtime, place);
            let check = quote_spanned!(place=>
                #runtime::__private::v1::Existing(__limiter).outlives_the_call()
            );
            quote_spanned!(span=>
                let __limiter = &(#limiter);
                { use #runtime::__private::v1::IsShared as _; #check };
            )
        }
    }
}

/// A key's own value. What is a place, such as the argument `tenant` or the field `user.id`, is
/// cloned: it would be moved out of the body's hands. Any other expression makes a value anyhow.
fn key_of(key: &Expr) -> TokenStream {
    match key {
        Expr::Unary(unary) if !matches!(unary.op, UnOp::Deref(_)) => {
            parenthesised(key).to_token_stream()
        }
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(_) => {
            let span = ends(key).0;
            quote_spanned!(span=> ::core::clone::Clone::clone(&(#key)))
        }
        Expr::Tuple(tuple) if tuple.attrs.is_empty() => {
            let elements = tuple.elems.iter().map(|element| key_of(bare(element)));
            quote_spanned!(at(None)=> (#(#elements,)*))
        }
        key => parenthesised(key).to_token_stream(),
    }
}

/// The future that waits.
fn acquire(runtime: &TokenStream, args: &Args) -> TokenStream {
    let span = Span::mixed_site();
    let key = args.asked.iter().find_map(|asked| match asked {
        Asked::Key(key) => Some(variable("__key", key)),
        _ => None,
    });
    let limiter = args.asked.iter().find_map(|asked| match asked {
        Asked::Limiter(limiter) => Some(reference_to_limiter(limiter)),
        _ => None,
    });
    let acquire = match (limiter, key) {
        (Some(limiter), Some(key)) => {
            quote_spanned!(span=> #runtime::Limiter::key(#limiter, #key).acquire())
        }
        (Some(limiter), None) => quote_spanned!(span=> #runtime::Limiter::acquire(#limiter)),
        (None, Some(key)) => quote_spanned!(span=> __CONCURRENCY_LIMIT.key(#key).acquire()),
        (None, None) => quote_spanned!(span=> __CONCURRENCY_LIMIT.acquire()),
    };
    // `enabled` first: a limiter that is not may be for this call, and that undoes its weight.
    let is_enabled = |asked: &&Asked| matches!(asked, Asked::Enabled(_));
    let first = args.asked.iter().filter(is_enabled);
    let others = args.asked.iter().filter(|asked| !is_enabled(asked));
    let setters = first.chain(others).filter_map(setter);
    quote_spanned!(span=> #acquire #(#setters)*)
}

/// The call that says it of the future.
fn setter(asked: &Asked) -> Option<TokenStream> {
    let span = Span::mixed_site();
    Some(match asked {
        Asked::Limiter(_) | Asked::Key(_) => return None,
        Asked::Weight(value) => {
            let value = variable("__weight", value);
            quote_spanned!(span=> .weight(#value))
        }
        Asked::Priority(value) => {
            let value = variable("__priority", value);
            quote_spanned!(span=> .priority(#value))
        }
        Asked::MaxWaitOf(max_wait) => {
            let value = limiter::duration(*max_wait);
            quote_spanned!(span=> .max_wait(#value))
        }
        Asked::MaxWait(value) => {
            let value = variable("__max_wait", value);
            quote_spanned!(span=> .max_wait(#value))
        }
        Asked::Enabled(value) => {
            let value = variable("__enabled", value);
            quote_spanned!(span=> .enabled(#value))
        }
    })
}

/// A reference that is coerced, so that a `Box`, an `Arc` or another reference will do: apart from
/// the expression, so that a block or an `if` is not expected to be a `Limiter` itself; and spanned as
/// the expression is, so that a type error points there.
fn reference_to_limiter(limiter: &Expr) -> TokenStream {
    let (start, end) = ends(limiter);
    let reference = quote_spanned!(start=> &);
    let mut pointee =
        Group::new(Delimiter::Parenthesis, quote_spanned!(Span::mixed_site()=> *__limiter));
    pointee.set_span(end);
    quote_spanned!(start=> #reference #pointee)
}
