//! The browser that a test plays.

use crate::program::{authority, check_status, fetch, header, post_form};

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

/// Opens an authorize page that asks, presses Authorize, and returns where that leads.
pub(crate) async fn press_authorize(url: &str) -> String {
    let page = fetch(url).await;
    check_status(&page, 200);
    let ticket = page.split("name=\"ticket\" value=\"").nth(1).expect("there is a form");
    let ticket = ticket.split('"').next().expect("the value ends");
    let form = format!("ticket={ticket}&user=user-admin&decision=authorize");
    let answer = post_form(authority(url), "/identity/oauth/allow", &form).await;
    check_status(&answer, 303);
    header(&answer, "location").expect("it leads somewhere").to_owned()
}
