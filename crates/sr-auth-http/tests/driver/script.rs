//! A transport that plays a script, and remembers what it was asked for.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Mutex;

use async_trait::async_trait;
use http::{Request, Response};
use sr_auth_core::SecretBytes;
use sr_auth_http::{Limits, Transport, TransportError};

/// What the transport does with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    Answers(u16, &'static str),
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
            Scene::Fails(error) => Err(error),
            Scene::Hangs => pending().await,
        }
    }
}
