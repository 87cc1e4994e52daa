//! The access of requests, and the headers of answers.

use crate::error::ApiError;
use crate::options::Access;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// The content type of a stream, as axum sets it.
const STREAM: &str = "text/event-stream";

/// The headers of streams, in place of those above. A proxy may collect an answer before it forwards it, or
/// change its compression, and collect it for that: then a page would get its figures late or never. nginx understands the
/// first header, and every proxy that keeps to the rules of HTTP the second.
const STREAM_HEADERS: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (CACHE_CONTROL, "no-store, no-transform"),
];

/// Refuses requests that may not be answered, and sets the headers of all answers.
pub(crate) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match access.check(&request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused,
    };
    let is_stream = is_stream(&response);
    let stream_headers = STREAM_HEADERS.into_iter().filter(|_| is_stream);
    for (name, value) in HEADERS.into_iter().chain(stream_headers) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Returns whether an answer is a stream of messages.
pub(crate) fn is_stream(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == STREAM)
}

impl Access {
    /// Returns the answer to a request that may not be answered.
    #[expect(clippy::result_large_err, reason = "a response, once in a request")]
    fn check(&self, request: &Request<Body>) -> Result<(), Response> {
        let refuse = |error| Err(ApiError::new(StatusCode::FORBIDDEN, error).into_response());
        let headers = request.headers();
        let named = only(headers, &HOST);
        // HTTP/2 has the host in the URI. If a request names two hosts, a proxy may have gone by the other one.
        let is_other = |host: &Authority| {
            headers.contains_key(HOST)
                && named.is_none_or(|named| !named.eq_ignore_ascii_case(host.as_str()))
        };
        let host = match request.uri().authority() {
            Some(authority) => Some(authority.clone()).filter(|host| !is_other(host)),
            None => named.and_then(|host| host.parse().ok()),
        };
        let Some(host) = host.filter(|host| self.is_allowed(host)) else {
            return refuse(
                "the request's Host is not one that the console answers to: use a loopback address, or \
                 name the host with `Options::allow_host`",
            );
        };
        if headers.contains_key(ORIGIN) {
            let origin = only(headers, &ORIGIN).and_then(|origin| origin.split_once("://"));
            if origin.is_none_or(|(_, origin)| !origin.eq_ignore_ascii_case(host.as_str())) {
                return refuse("the request comes from a page of another site");
            }
        }
        if !self.is_readable() {
            // No challenge: no password would be the right one.
            return refuse("nobody can read: the program gives no token, see `Options::writable`");
        }
        if self.private && !self.may_read(headers) {
            let error = ApiError::new(StatusCode::UNAUTHORIZED, "reading needs the token too");
            let mut response = error.into_response();
            let challenge = HeaderValue::from_static("Basic realm=\"limits\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            return Err(response);
        }
        Ok(())
    }

    /// Returns whether the console answers to a host.
    fn is_allowed(&self, host: &Authority) -> bool {
        // The part before an @ is a user, which a reader may take for the host.
        if host.as_str().contains('@') {
            return false;
        }
        let name = host.host();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_loopback = address.is_ok_and(|address| address.to_canonical().is_loopback());
        let is_same = |allowed: &String| {
            let allowed = allowed.trim_start_matches('[').trim_end_matches(']');
            name.trim_start_matches('[').trim_end_matches(']').eq_ignore_ascii_case(allowed)
        };
        is_loopback || name.eq_ignore_ascii_case("localhost") || self.hosts.iter().any(is_same)
    }

    /// Checks that a request may change settings. It must have the token as a bearer's: the password that a
    /// browser was told once, and sends with every request, is not enough.
    pub(crate) fn check_write(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(token) = &self.token else {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "the console is read-only: the program gives no token, see `Options::writable`",
            ));
        };
        let given = bearer(headers).filter(|given| !given.is_empty());
        let text = match given {
            Some(given) if is_same(given, token) => return Ok(()),
            Some(_) => {
                "changing a setting needs the token that the program was given, and this is another"
            }
            None => {
                "changing a setting needs the token that the program was given: `Authorization: Bearer …`"
            }
        };
        Err(ApiError::new(StatusCode::UNAUTHORIZED, text))
    }

    fn may_read(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return false };
        bearer(headers).is_some_and(|given| is_same(given, token))
            || password(headers).is_some_and(|given| is_same(&given, token))
    }
}

/// Compares a token in a time that does not tell how much of it is right.
fn is_same(given: &str, token: &str) -> bool {
    given.as_bytes().ct_eq(token.as_bytes()).into()
}

/// Returns the value of a header that is there once. If it is there twice, another program may take the other
/// value.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, credentials) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

/// Returns the password that a browser's own dialogue asked for.
fn password(headers: &HeaderMap) -> Option<String> {
    use base64::Engine as _;

    let decoded = base64::engine::general_purpose::STANDARD.decode(credentials(headers, "basic")?);
    let pair = String::from_utf8(decoded.ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}
