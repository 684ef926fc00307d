//! Whether anything of a request went out: what decides between «not sent» and «unknown» when no answer came.
//!
//! hyper asks for a request's body only once a connection stands and the request is being written to it. So the body
//! tells: as long as nobody asked for it, resolving, connecting, the TLS handshake or the credentials failed, and the
//! service has seen nothing. No error of hyper or of the SDK needs to be interpreted for that.

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
#[derive(Clone, Debug, Default)]
pub struct Outgoing(Arc<AtomicBool>);

impl Outgoing {
    /// Whether the request, or the beginning of it, may have reached the service.
    pub fn began(&self) -> bool {
        self.0.load(Ordering::Acquire)
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
        let watched = Watched { body: std::mem::replace(body, SdkBody::taken()), began: Arc::clone(&self.0) };
        *body = SdkBody::from_body_1_x(watched);
        Ok(())
    }
}

struct Watched {
    body: SdkBody,
    began: Arc<AtomicBool>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.began.store(true, Ordering::Release);
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
