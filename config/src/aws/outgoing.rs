//! Whether anything of a request went out: what decides between «not sent» and «unknown» when no answer came.
//!
//! hyper asks for a request's body only once a connection stands and the request is being written to it. So the body
//! tells: as long as nobody asked for it, resolving, connecting, the TLS handshake or the credentials failed, and the
//! service has seen nothing. No error of hyper or of the SDK needs to be interpreted for that.
//!
//! It is also the last moment at which a request can be held back: one that has become too late while the connection was
//! made, or while the machine slept, is broken off before its body goes out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Watches one call. Clones watch the same one.
#[derive(Clone, Default)]
pub struct Outgoing(Arc<Call>);

#[derive(Default)]
struct Call {
    began: AtomicBool,
    held_back: AtomicBool,
    /// Whether it is too late for the request.
    too_late: Option<Box<dyn Fn() -> bool + Send + Sync>>,
}

/// Nothing was sent, since it was too late.
#[derive(Debug, thiserror::Error)]
#[error("the request was held back: it is too late for it")]
struct TooLate;

impl Outgoing {
    /// Holds the request back if it is `too_late` once there is a connection for it.
    pub fn unless(too_late: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Call { too_late: Some(Box::new(too_late)), ..Call::default() }))
    }

    /// Whether the request, or the beginning of it, may have reached the service.
    pub fn began(&self) -> bool {
        self.0.began.load(Ordering::Acquire)
    }

    /// Whether the request was held back, so that the service did not get it.
    pub fn was_held_back(&self) -> bool {
        self.0.held_back.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("began", &self.began()).finish_non_exhaustive()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Outgoing {
    fn name(&self) -> &'static str {
        "Outgoing"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        let watched = Watched { body: std::mem::replace(body, SdkBody::taken()), call: Arc::clone(&self.0) };
        *body = SdkBody::from_body_1_x(watched);
        Ok(())
    }
}

struct Watched {
    body: SdkBody,
    call: Arc<Call>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let call = &self.call;
        if !call.began.load(Ordering::Acquire) && call.too_late.as_ref().is_some_and(|too_late| too_late()) {
            call.held_back.store(true, Ordering::Release);
            return Poll::Ready(Some(Err(TooLate.into())));
        }
        call.began.store(true, Ordering::Release);
        Pin::new(&mut self.body).poll_frame(context)
    }

    /// Never: a body that says it is at its end is not asked for, and nothing would be noticed.
    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}
