//! stub
use proc_macro::TokenStream;
/// stub
#[proc_macro_attribute]
pub fn concurrency_limit(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}
