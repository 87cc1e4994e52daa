//! The content of a page: a status, a title, and the links to follow.

use encoding_rs::{Encoding, UTF_8};
use reqwest::Url;
use scraper::{Html, Selector};

use crate::fetch::Answer;
use crate::status::Status;

/// The longest address that the database can hold; the crawler fetches no longer address.
pub(crate) const LONGEST_URL: usize = 2048;

/// One page, which is one row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: Status,
    /// The title, which is empty if the page has none.
    pub(crate) title: String,
    /// The details of the status: the new address, the content type or the error.
    pub(crate) detail: String,
    /// The links to pages of the same site, without fragments.
    pub(crate) links: Vec<Url>,
}

impl Page {
    /// Returns a page without a title and links.
    pub(crate) fn without_text(url: Url, status: Status, detail: String) -> Self {
        Self { url, status, title: String::new(), detail, links: Vec::new() }
    }

    /// Reads the server's answer for `url`.
    pub(crate) fn read(url: Url, answer: Answer) -> Self {
        match answer {
            Answer::Html { bytes, charset } => Self::from_html(url, &bytes, charset.as_deref()),
            Answer::Moved { location } => Self::moved(url, &location),
            Answer::Nothing { status, detail } => Self::without_text(url, status, detail),
        }
    }

    fn from_html(url: Url, bytes: &[u8], charset: Option<&str>) -> Self {
        let (encoding, text, whole) = decode(bytes, charset);
        let html = Html::parse_document(&text);
        let base = select(&html, "base[href]")
            .find_map(|base| url.join(base.attr("href")?).ok())
            .unwrap_or_else(|| url.clone());
        let links = select(&html, "a[href]")
            .filter_map(|link| base.join(link.attr("href")?).ok())
            .filter(|link| same_site(&url, link))
            .map(without_fragment)
            .collect();
        let title = select(&html, "title").next().map(|title| title.text().collect::<String>());
        Self {
            status: if whole { Status::Ok } else { Status::NotUtf8 },
            title: one_line(&title.unwrap_or_default()),
            detail: if encoding == UTF_8 { String::new() } else { encoding.name().to_owned() },
            links,
            url,
        }
    }

    fn moved(url: Url, location: &str) -> Self {
        let Ok(target) = url.join(location) else {
            let detail = format!("moved to `{location}`, which is not a URL");
            return Self::without_text(url, Status::RedirectOut, detail);
        };
        let detail = target.to_string();
        if !same_site(&url, &target) {
            return Self::without_text(url, Status::RedirectOut, detail);
        }
        let links = vec![without_fragment(target)];
        Self { links, ..Self::without_text(url, Status::Redirect, detail) }
    }
}

/// Returns whether both addresses have the same host and port.
///
/// A site that moved from http to https is the same site.
fn same_site(one: &Url, other: &Url) -> bool {
    matches!(other.scheme(), "http" | "https")
        && one.host() == other.host()
        && one.port() == other.port()
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// Returns all elements that match, in the order of the page.
fn select<'a>(
    html: &'a Html,
    selector: &'static str,
) -> impl Iterator<Item = scraper::ElementRef<'a>> {
    let selector = Selector::parse(selector).ok();
    let found = selector.map(|selector| html.select(&selector).collect::<Vec<_>>());
    found.unwrap_or_default().into_iter()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the encoding, the text, and whether all bytes could be decoded.
fn decode<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
) -> (&'static Encoding, std::borrow::Cow<'a, str>, bool) {
    let declared = charset.map(str::to_owned).or_else(|| charset_in_page(bytes));
    let encoding = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    let (text, encoding, errors) = encoding.unwrap_or(UTF_8).decode(bytes);
    (encoding, text, !errors)
}

/// Returns the charset that `<meta charset=…>` or `<meta … content="…; charset=…">` names.
///
/// As the HTML standard requires, the function searches the first 1,024 bytes only.
fn charset_in_page(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let meta = head.split("<meta").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let value = meta.filter_map(|tag| tag.split_once("charset=")).map(|(_, value)| value).next()?;
    let value = value.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(['"', '\'', ' ', ';', '/']).unwrap_or(value.len());
    Some(value[..end].to_owned())
}
