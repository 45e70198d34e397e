//! Everything that a program told, to be searched afterwards.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything that was written or shown; clones write into the same one.
///
/// It is made for [`Canary::find`](crate::Canary::find): give it to whatever logs, show it whatever
/// has a `Debug`, and look for the secrets that were about.
///
/// # Examples
///
/// ```
/// use std::io::Write;
///
/// use sr_testkit::{Canary, Transcript};
///
/// let canary = Canary::new("access token", 7);
/// let transcript = Transcript::default();
/// transcript.show(&canary.secret());
/// writeln!(transcript.clone(), "got a token")?;
/// assert!(transcript.text().contains("got a token"));
/// assert!(canary.find(&transcript.bytes()).is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    /// Adds what a value shows of itself, on one line and on many.
    pub fn show(&self, value: &impl fmt::Debug) {
        self.written().extend_from_slice(format!("{value:?} {value:#?}\n").as_bytes());
    }

    /// Returns all of it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.written().clone()
    }

    /// Returns all of it as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.written()).into_owned()
    }

    fn written(&self) -> MutexGuard<'_, Vec<u8>> {
        // What a thread that panicked has written is told all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may hold what it is searched for.
        write!(f, "Transcript({} bytes)", self.written().len())
    }
}

impl io::Write for Transcript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
