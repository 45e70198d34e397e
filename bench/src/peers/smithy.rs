//! aws-smithy's cache of identities, with a bearer token in it.

use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::http::Token;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityFuture, ResolveCachedIdentity as _, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;
use http::HeaderValue;

use super::bearer;

pub(super) struct Smithy {
    cache: SharedIdentityCache,
    components: RuntimeComponents,
    config: ConfigBag,
    resolver: SharedIdentityResolver,
}

impl Smithy {
    pub(super) fn new() -> Self {
        let components = RuntimeComponentsBuilder::for_tests()
            .with_time_source(Some(SystemTimeSource::new()))
            .with_sleep_impl(Some(TokioSleep::new()));
        Self {
            cache: IdentityCache::lazy().build(),
            components: components.build().expect("it is set up"),
            config: ConfigBag::base(),
            resolver: SharedIdentityResolver::new(Once),
        }
    }

    pub(super) async fn header(&self) -> HeaderValue {
        let resolver = self.resolver.clone();
        let identity =
            self.cache.resolve_cached_identity(resolver, &self.components, &self.config).await;
        let identity = identity.expect("it is kept, or asked for once");
        bearer(identity.data::<Token>().expect("a bearer token").token())
    }
}

/// Brings the token.
#[derive(Debug)]
struct Once;

impl ResolveIdentity for Once {
    fn resolve_identity<'a>(
        &'a self,
        _: &'a RuntimeComponents,
        _: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let ends_at = SystemTime::now() + Duration::from_secs(1_799);
        let token = Token::new("DCRD10-000102030405060708090a0b0c0d0e0f", Some(ends_at));
        IdentityFuture::ready(Ok(Identity::new(token, Some(ends_at))))
    }
}
