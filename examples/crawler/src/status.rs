//! The outcome of a page's fetch.

use std::fmt;

/// The outcome of a page's fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    /// A page with bytes that are invalid in its charset (UTF-8 if the page names none).
    NotUtf8,
    /// A redirect within the site; the new address has a row of its own.
    Redirect,
    /// A redirect to another host, which the crawler does not follow.
    RedirectOut,
    NotHtml,
    Http(u16),
    TooLarge,
    UrlTooLong,
    TimedOut,
    /// A server to which no connection is possible.
    Unreachable,
    /// An answer that broke off, or that is not HTTP.
    BrokenOff,
}

impl Status {
    /// Returns whether the crawler has not read the page, though its site has it or should.
    pub(crate) fn is_failure(self) -> bool {
        match self {
            Self::Ok | Self::NotUtf8 | Self::Redirect | Self::RedirectOut | Self::NotHtml => false,
            Self::Http(_)
            | Self::TooLarge
            | Self::UrlTooLong
            | Self::TimedOut
            | Self::Unreachable
            | Self::BrokenOff => true,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Ok => "ok",
            Self::NotUtf8 => "not utf-8",
            Self::Redirect => "redirect",
            Self::RedirectOut => "redirect out",
            Self::NotHtml => "not html",
            Self::Http(code) => return f.pad(&format!("http {code}")),
            Self::TooLarge => "too large",
            Self::UrlTooLong => "url too long",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::BrokenOff => "broken off",
        };
        f.pad(text)
    }
}
