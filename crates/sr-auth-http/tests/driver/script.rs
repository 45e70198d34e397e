//! A transport that plays a script, and remembers what it was asked for.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{Clock, Limits, Transport, TransportError};
use tokio::time::timeout;

/// What the transport does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Scene {
    Answers(u16, &'static str),
    /// Answers with this body, a second after the clock was set forward by an hour.
    AnswersAfterAStep(Clock, &'static str),
    Fails(TransportError),
    Hangs,
}

#[derive(Debug)]
pub(crate) struct Script {
    asked: Mutex<Vec<Limits>>,
    scenes: Mutex<VecDeque<Scene>>,
}

impl Script {
    pub(crate) fn new(scenes: impl IntoIterator<Item = Scene>) -> Self {
        Self { asked: Mutex::default(), scenes: Mutex::new(scenes.into_iter().collect()) }
    }

    /// Returns the limits of each request that came.
    pub(crate) fn asked(&self) -> Vec<Limits> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        _: Request<SecretBytes>,
        limits: Limits,
    ) -> Result<Response<SecretBytes>, TransportError> {
        self.asked.lock().unwrap().push(limits);
        let scene = self.scenes.lock().unwrap().pop_front();
        match scene.expect("a scene for each request") {
            Scene::Answers(status, body) => {
                let mut response = Response::new(SecretBytes::new(body.as_bytes().to_vec()));
                *response.status_mut() = status.try_into().unwrap();
                Ok(response)
            }
            Scene::AnswersAfterAStep(clock, body) => {
                clock.advance(Duration::from_secs(3_600));
                let waited = timeout(Duration::from_secs(1), pending::<()>()).await;
                assert!(waited.is_err(), "nothing ends the wait before its time");
                Ok(Response::new(SecretBytes::new(body.as_bytes().to_vec())))
            }
            Scene::Fails(error) => Err(error),
            Scene::Hangs => pending().await,
        }
    }
}
