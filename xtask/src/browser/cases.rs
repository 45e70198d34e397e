//! What the browser has to show.

/// In which mode, and what: the names are those of the program.
const CASES: [(&str, &[&str]); 2] = [
    (
        "redirect",
        &[
            "connect, call in both directions, disable",
            "decline",
            "double click",
            "reload while it runs, and pressed again",
            "back button",
            "two tabs",
            "a form of another site is refused",
            "a frame of another site is refused",
            "the Credential Manager shows a secret once, in light",
            "the Credential Manager shows a secret once, in dark",
        ],
    ),
    (
        "popup",
        &[
            "third-party cookies are blocked",
            "connect in a window, when the frame has no session",
            "connect in the frame, with a partitioned cookie",
            "decline in the frame",
            "reload of the answer",
            "a form of another site is refused",
            "a frame of another site is refused",
        ],
    ),
];

/// Returns the lines that the program must say.
pub(super) fn expected() -> Vec<String> {
    let of = |(mode, names): &(&str, &[&str])| {
        names.iter().map(|name| format!("ok {mode}: {name}")).collect::<Vec<_>>()
    };
    CASES.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_in_the_program() {
        let program = crate::workspace::own_folder().join("browser/partner.mjs");
        let program = std::fs::read_to_string(program).unwrap();
        for (_, names) in CASES {
            for name in names {
                let name = name.strip_suffix(", in light").unwrap_or(name);
                let name = name.strip_suffix(", in dark").unwrap_or(name);
                assert!(program.contains(name), "{name}");
            }
        }
        assert_eq!(expected().len(), 17);
    }
}
