//! Ctrl-C, and the signals that ask a program to end.

use std::future::Future;
#[cfg(unix)]
use std::task::Poll;

use sr_auth_http::TokenSource;

use crate::exit::Failure;

/// Runs something that may be given up when the user presses Ctrl-C.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        outcome = work => outcome,
        () = interrupt.requested() => Err(Failure::interrupted()),
    }
}

/// Runs something that may be given up, then has the source finish what it has begun: a renewal that is
/// cut off could cost the grant. Whoever asks a second time is obeyed.
pub(crate) async fn and_finish<T>(
    source: &TokenSource,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut interrupt = Interrupt::listen()?;
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = interrupt.requested() => Err(Failure::interrupted()),
    };
    tokio::select! {
        () = source.shutdown() => {}
        () = interrupt.requested() => {}
    }
    outcome
}

/// The requests of the user to end; from its making on, they no longer end the program by
/// themselves.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
    #[cfg(not(unix))]
    signal: tokio::signal::windows::CtrlC,
}

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::register().map_err(|error| Failure::io("signals cannot be handled", &error))
    }

    #[cfg(unix)]
    fn register() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut kinds = vec![SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()];
        // Whoever starts a program below `nohup` wants it to survive the terminal.
        if !is_ignored(SignalKind::hangup().as_raw_value()) {
            kinds.push(SignalKind::hangup());
        }
        let signals = kinds.into_iter().map(signal).collect::<std::io::Result<_>>()?;
        Ok(Self { signals })
    }

    #[cfg(not(unix))]
    fn register() -> std::io::Result<Self> {
        Ok(Self { signal: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits until the program is asked to end.
    pub(crate) async fn requested(&mut self) {
        #[cfg(unix)]
        {
            std::future::poll_fn(|context| {
                let came = self.signals.iter_mut().any(|it| it.poll_recv(context).is_ready());
                if came { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        #[cfg(not(unix))]
        self.signal.recv().await;
    }
}

/// Tells whether a signal was ignored when the program began, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or_default() & 1 == 1)
}
