//! How the fetch of a page went.

use std::fmt;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    /// Read as far as it goes: some bytes are not text in the charset the page names, or in UTF-8.
    NotUtf8,
    /// Moved within the site; the new address has a row of its own.
    Redirect,
    /// Moved to another host; not followed.
    RedirectOut,
    NotHtml,
    Http(u16),
    TooLarge,
    UrlTooLong,
    TimedOut,
    /// No connection.
    Unreachable,
    /// The connection ended in mid-answer, or what came was not HTTP.
    BrokenOff,
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
