//! The end of waiting for an answer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

/// How long something is looked at once more when its time is over.
///
/// A process that stood still finds that its patience is over and that the answer is there, both at
/// once; which of them a task hears of first is chance. What the answer brings may exist only once,
/// so it gets the time that reading it takes. Each layer looks a little longer than the one below, so
/// that the lowest says what has arrived.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(250);

/// Waits for something for `span`, and then looks at it once more for `last`.
pub(crate) async fn patiently<F: Future>(
    span: Duration,
    last: Duration,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    match timeout(span, &mut future).await {
        Ok(it) => Some(it),
        Err(_) => timeout(last, future).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the whole process stands still")]
    async fn what_arrived_while_the_process_stood_still_is_heard() {
        let (bring, answer) = oneshot::channel();
        let brought = tokio::spawn(async move {
            // The task that reads the socket: it runs when the runtime gets to it.
            tokio::task::yield_now().await;
            bring.send(7)
        });
        let answer = pin!(answer);
        let mut waiting = pin!(patiently(Duration::from_millis(10), LAST_LOOK, answer));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx)));
        assert!(first.await.is_pending());
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(waiting.await, Some(Ok(7)));
        assert_eq!(brought.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_arrives_is_given_up() {
        let (_keep, answer) = oneshot::channel::<u8>();
        let span = Duration::from_secs(10);
        assert_eq!(patiently(span, LAST_LOOK, pin!(answer)).await, None);
    }
}
