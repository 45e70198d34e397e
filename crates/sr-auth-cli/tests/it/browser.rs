//! The browser that a test plays.

use crate::program::{check_status, fetch, header};

/// Opens the authorize page of a sandbox that answers by itself, and returns where it leads.
pub(crate) async fn authorize(url: &str) -> String {
    let answer = fetch(url).await;
    check_status(&answer, 303);
    // As browsers do with a blank in an address.
    header(&answer, "location").expect("it leads somewhere").replace(' ', "%20")
}

/// Goes there, and to the page behind it.
pub(crate) async fn come_back(callback: &str) {
    let answer = fetch(callback).await;
    check_status(&answer, 303);
    let origin = callback.split("/callback").next().expect("it is a callback");
    let done = header(&answer, "location").expect("it leads somewhere");
    check_status(&fetch(&format!("{origin}{done}")).await, 200);
}
