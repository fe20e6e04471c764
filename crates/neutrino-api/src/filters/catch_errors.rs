// SPDX-License-Identifier: Apache-2.0
//! `catch_errors`: a panic further in becomes an answer of 500 that passes the filters further out (request id, cors).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;

use crate::app::{App, Request, Response};

pub struct CatchErrors {
    inner: Arc<dyn App>,
}

impl CatchErrors {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for CatchErrors {
    async fn call(&self, request: Request) -> Response {
        let asked = format!("{} {}", request.method, request.path_url());
        match AssertUnwindSafe(self.inner.call(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                let response = panicked(&*panic);
                tracing::error!("the request was {asked}");
                response
            }
        }
    }
}

/// Logs a caught panic, and the answer in place of the one that it prevented. The caller sees a fixed sentence only.
#[must_use]
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    let error = neutrino_types::Error::internal(text.unwrap_or_else(|| "a panic without a text".to_owned()));
    tracing::error!("a request ended in a panic: {}", error.log().unwrap_or_default());
    Response::from_error(&error)
}
