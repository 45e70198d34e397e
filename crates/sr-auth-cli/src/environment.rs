//! The only place that reads the environment.

use std::path::PathBuf;

use sr_auth_core::Secret;

use crate::exit::Failure;

/// Returns a variable; an empty one counts as unset.
pub(crate) fn text(name: &str) -> Result<Option<String>, Failure> {
    match read(name) {
        Ok(text) => Ok((!text.is_empty()).then_some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(
            format!("the variable {name} holds bytes that are no text"),
            format!("set {name} again"),
        )),
    }
}

/// Returns a variable that holds a secret.
pub(crate) fn secret(name: &str) -> Result<Option<Secret>, Failure> {
    Ok(text(name)?.map(Secret::new))
}

/// Returns our folder below one of the XDG base directories; `below` is where that is in the home of
/// the user when the variable is unset. A relative path counts as none, as that standard says.
pub(crate) fn folder(variable: &str, below: &str) -> Result<Option<PathBuf>, Failure> {
    let absolute = |text: Option<String>| text.map(PathBuf::from).filter(|it| it.is_absolute());
    let base = match absolute(text(variable)?) {
        Some(base) => Some(base),
        None => absolute(text("HOME")?).map(|home| home.join(below)),
    };
    Ok(base.map(|it| it.join("sr-auth")))
}

/// Tells whether the terminal shows more than ASCII, by the variables of the locale.
pub(crate) fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
        let text = read(name).ok()?;
        (!text.is_empty()).then_some(text)
    });
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[expect(clippy::disallowed_methods, reason = "this is the door to the environment")]
fn read(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}
