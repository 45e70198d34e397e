//! A prompt without echo, which leaves the terminal as it found it.

use sr_auth_core::Secret;

use crate::exit::Failure;
use crate::interrupt::Interrupt;

/// Asks at the terminal; Ctrl-C ends the asking.
pub(super) async fn ask(question: String) -> Result<Secret, Failure> {
    let mut interrupt = Interrupt::listen()?;
    #[cfg(unix)]
    let _terminal = Terminal::remember();
    // The thread that reads cannot be woken, and is left behind when the program ends.
    let asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
    tokio::select! {
        answer = asked => answer
            .unwrap_or_else(|error| Err(error.into()))
            .map(Secret::new)
            .map_err(|error| Failure::io("the terminal cannot be read", &error)),
        () = interrupt.requested() => Err(Failure::interrupted()),
    }
}

/// A terminal and how it was; dropping it makes it so again.
#[cfg(unix)]
#[derive(Debug)]
struct Terminal {
    file: std::fs::File,
    was: rustix::termios::Termios,
}

#[cfg(unix)]
impl Terminal {
    /// Remembers the terminal of this program, if it has one.
    fn remember() -> Option<Self> {
        Self::of(std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?)
    }

    fn of(file: std::fs::File) -> Option<Self> {
        let was = rustix::termios::tcgetattr(&file).ok()?;
        Some(Self { file, was })
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        // A terminal that has gone needs no echo.
        let _restored = tcsetattr(&self.file, OptionalActions::Now, &self.was);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    use super::*;

    #[test]
    fn k04_a_prompt_that_is_given_up_leaves_the_echo_on() {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("it can be made");
        grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it can be opened");
        let name = ptsname(&ours, Vec::new()).expect("it has a name").into_string();
        let name = name.expect("the name is text");
        let open = || std::fs::OpenOptions::new().read(true).write(true).open(&name);
        let terminal = open().expect("it can be opened");
        let echoes = || {
            let modes = tcgetattr(&terminal).expect("it is a terminal").local_modes;
            modes.contains(LocalModes::ECHO)
        };
        assert!(echoes(), "as at the beginning");
        let remembered = Terminal::of(open().expect("it can be opened"));
        let mut silent = tcgetattr(&terminal).expect("it is a terminal");
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &silent).expect("it can be set");
        assert!(!echoes(), "as while a secret is typed");
        drop(remembered);
        assert!(echoes(), "as it was");
    }
}
