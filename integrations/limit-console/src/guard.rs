//! Which requests are let in, and with what headers answers go out.

use super::options::Access;
use axum::Json;
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
use serde::Serialize;
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

/// What a stream is, as axum says it.
const STREAM: &str = "text/event-stream";

/// In place of theirs, for streams. A proxy collects what it sends on, or packs it and collects it for that: then
/// a page would get its figures late or never. (nginx is told by the first, whatever keeps to the rules of HTTP by
/// the second.)
const HEADERS_OF_STREAMS: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (CACHE_CONTROL, "no-store, no-transform"),
];

/// A request is refused, with what to do instead.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self(status, error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        let Self(status, error) = self;
        (status, Json(Body { error })).into_response()
    }
}

/// Before every request.
pub(super) async fn guard(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match access.lets_in(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    };
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == STREAM);
    let of_streams = HEADERS_OF_STREAMS.into_iter().filter(|_| is_stream);
    for (name, value) in HEADERS.into_iter().chain(of_streams) {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Access {
    #[expect(clippy::result_large_err, reason = "a response, once in a request")]
    fn lets_in(&self, request: &Request<Body>) -> Result<(), Response> {
        let refuse = |error| Err(Refusal::new(StatusCode::FORBIDDEN, error).into_response());
        let headers = request.headers();
        let named = only(headers, &HOST);
        // HTTP/2 has it in the URI. If it is in both, whoever else looks at the request may go by the other.
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
        if self.private && !self.may_read(headers) {
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "reading needs the token too");
            let mut response = refusal.into_response();
            let challenge = HeaderValue::from_static("Basic realm=\"limits\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            return Err(response);
        }
        Ok(())
    }

    fn is_allowed(&self, host: &Authority) -> bool {
        // What is before an @ is no host.
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

    /// Whether a request may change something: with the token, and not merely from a browser that was
    /// once told it.
    pub(super) fn may_write(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "the console is read-only: the program gives no token, see `Options::writable`",
            ));
        };
        let given = bearer(headers).filter(|given| !given.is_empty());
        let what = match given {
            Some(given) if is_same(given, token) => return Ok(()),
            Some(_) => {
                "changing a setting needs the token that the program was given, and this is another"
            }
            None => {
                "changing a setting needs the token that the program was given: `Authorization: Bearer …`"
            }
        };
        Err(Refusal::new(StatusCode::UNAUTHORIZED, what))
    }

    fn may_read(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return false };
        bearer(headers).is_some_and(|given| is_same(given, token))
            || password(headers).is_some_and(|given| is_same(&given, token))
    }
}

/// In a time that does not tell how much of it is right.
fn is_same(given: &str, token: &str) -> bool {
    given.as_bytes().ct_eq(token.as_bytes()).into()
}

/// The one value of a header; two would be read one way here and another way elsewhere.
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

/// The password of a browser's own dialogue.
fn password(headers: &HeaderMap) -> Option<String> {
    use base64::Engine as _;

    let decoded = base64::engine::general_purpose::STANDARD.decode(credentials(headers, "basic")?);
    let pair = String::from_utf8(decoded.ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}
