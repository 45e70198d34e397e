//! What the browser gets to see: plain pages without a script, a style, an image or a link.

/// Keeps the answer, and the address it came from, out of caches, frames and other sites.
const HEADERS: &str = "\
Cache-Control: no-store\r\n\
Connection: close\r\n\
Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'\r\n\
Content-Type: text/html; charset=utf-8\r\n\
Cross-Origin-Resource-Policy: same-origin\r\n\
Referrer-Policy: no-referrer\r\n\
X-Content-Type-Options: nosniff\r\n";

/// The page that takes the place of the callback in the address bar.
pub(super) fn done() -> String {
    answer(
        "200 OK",
        "",
        "Back to the terminal",
        "The answer has reached sr-auth. The terminal tells how it went; this page can be closed.",
    )
}

/// Sends the browser on; the address is ours, or the authorization URL that we built.
pub(super) fn redirect(location: &str) -> String {
    let header = format!("Location: {location}\r\n");
    answer("303 See Other", &header, "One moment", "The browser is sent on.")
}

/// Refuses a request.
pub(super) fn refusal(status: &str) -> String {
    let text = "This is the redirect address of sr-auth, which waits for one request only.";
    answer(status, "", status, text)
}

fn answer(status: &str, headers: &str, title: &str, text: &str) -> String {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\
         </head>\n<body>\n<main><h1>{title}</h1>\n<p>{text}</p></main>\n</body>\n</html>\n"
    );
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{HEADERS}{headers}Content-Length: {length}\r\n\r\n{body}")
}
