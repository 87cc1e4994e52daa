//! What a page comes to: a status, a title, and the links to follow.

use encoding_rs::{Encoding, UTF_8};
use reqwest::Url;
use scraper::{Html, Selector};

use crate::fetch::Answer;
use crate::status::Status;

/// The longest address that has a place in the database; longer ones are not fetched.
pub(crate) const LONGEST_URL: usize = 2048;

/// One page: one row.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: Status,
    /// Empty if the page has none.
    pub(crate) title: String,
    /// What there is to add to the status: where it moved, what it is, why it failed.
    pub(crate) detail: String,
    /// Other pages of the same site, without fragments.
    pub(crate) links: Vec<Url>,
}

impl Page {
    /// A page with nothing to read.
    pub(crate) fn without_text(url: Url, status: Status, detail: String) -> Self {
        Self { url, status, title: String::new(), detail, links: Vec::new() }
    }

    /// Makes sense of what the server answered to `url`.
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

/// Same host and port. A site that moved from http to https is the same site.
fn same_site(one: &Url, other: &Url) -> bool {
    matches!(other.scheme(), "http" | "https")
        && one.host() == other.host()
        && one.port() == other.port()
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// All elements that match, in the order of the page.
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

/// The text, the encoding it was in, and whether all of it could be read.
fn decode<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
) -> (&'static Encoding, std::borrow::Cow<'a, str>, bool) {
    let declared = charset.map(str::to_owned).or_else(|| charset_in_page(bytes));
    let encoding = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    let (text, encoding, errors) = encoding.unwrap_or(UTF_8).decode(bytes);
    (encoding, text, !errors)
}

/// The charset that `<meta charset=…>` or `<meta … content="…; charset=…">` names. As in HTML's own
/// rules, it stands in the first 1,024 bytes.
fn charset_in_page(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let meta = head.split("<meta").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let value = meta.filter_map(|tag| tag.split_once("charset=")).map(|(_, value)| value).next()?;
    let value = value.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(['"', '\'', ' ', ';', '/']).unwrap_or(value.len());
    Some(value[..end].to_owned())
}
