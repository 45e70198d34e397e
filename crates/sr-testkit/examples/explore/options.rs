//! The command line.

use std::path::PathBuf;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Whether the page is compared instead of written.
    pub(crate) check: bool,
    /// Where the page of the machines is.
    pub(crate) page: PathBuf,
    pub(crate) task: Task,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Explores the scopes of a name, or those of every day.
    Explore(Option<String>),
    Help,
}

impl Options {
    pub(crate) const HELP: &str = "\
Tries all that can happen to one grant in small worlds, by the rules as designed and by wrong ones.

  --scope NAME   small (what --check explores), large (minutes), all, or one of the names in the
                 list of scopes; small without this
  --check        compare docs/machines.md instead of writing it
  --page FILE    another place for it";

    pub(crate) fn read() -> Result<Self, String> {
        #[expect(clippy::disallowed_methods, reason = "a program reads its own arguments")]
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self::parse(&arguments)
    }

    fn parse(arguments: &[String]) -> Result<Self, String> {
        let (task, page) = (Task::Explore(None), PathBuf::from("docs/machines.md"));
        let mut options = Self { check: false, page, task };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(name) = rest.next() {
            match name {
                "--check" => options.check = true,
                "--help" | "-h" => options.task = Task::Help,
                "--page" => options.page = rest.next().ok_or("--page FILE")?.into(),
                "--scope" => {
                    let scope = rest.next().ok_or("--scope NAME")?;
                    options.task = Task::Explore(Some(scope.to_owned()));
                }
                other => return Err(format!("there is no option {other}")),
            }
        }
        Ok(options)
    }
}
