//! What the program says about itself.

use crate::program::Program;

#[tokio::test]
async fn every_command_has_a_help_with_examples() {
    let commands = [
        "",
        "api",
        "completions",
        "demo",
        "hold",
        "login",
        "logout",
        "partner",
        "partner demo",
        "release",
        "sandbox",
        "status",
        "token",
    ];
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = Program::new(&arguments).run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{command}");
        let name = if command.is_empty() { "all" } else { &command.replace(' ', "_") };
        insta::assert_snapshot!(format!("help_{name}"), ended.out);
    }
}

#[tokio::test]
async fn shells_can_complete_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = Program::new(&["completions", shell]).run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{shell}");
        for word in ["sandbox", "login", "refresh-token-file"] {
            assert!(ended.out.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn the_version_is_that_of_the_package() {
    let ended = Program::new(&["--version"]).run().await;
    assert_eq!(ended.out, format!("sr-auth {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_ends_with_2() {
    let cases: [&[&str]; 6] = [
        &[],
        &["tokens"],
        &["api"],
        &["api", "FETCH", "/jobs"],
        &["login", "--timeout", "0"],
        &["sandbox", "--port", "70000"],
    ];
    for arguments in cases {
        let ended = Program::new(arguments).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn colours_reach_terminals_only() {
    let ended = Program::new(&["api", "GET", "/jobs"]).run().await;
    assert!(!ended.err.contains('\u{1b}'));
    let forced = Program::new(&["api", "GET", "/jobs"]).env("CLICOLOR_FORCE", "1").run().await;
    assert!(forced.err.contains('\u{1b}'));
    let none = Program::new(&["api", "GET", "/jobs"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .run()
        .await;
    assert!(!none.err.contains('\u{1b}'));
}
