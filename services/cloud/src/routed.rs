//! No cloud: a plain routed network, on which a vSwitch is a subnet and addresses need nobody's call.

use crate::error::{Cause, Error};
use crate::provider::{Cloud, Order};
use crate::reply::Reply;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Makes no ENIs, and knows of none: every call ends as not sent. That is no word on what there is: a job that an earlier server
/// began in a cloud waits for one, and nothing is taken for gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Routed;

// === impl Routed ===

impl Cloud for Routed {
    fn call(&self, order: Order) -> BoxFuture<'static, Result<Reply, Error>> {
        let error = Error::of(
            order.call.action().name(),
            Cause::NotSent,
            "this server has no cloud: start berthd with --cloud and --region",
        );
        futures::future::ready(Err(error)).boxed()
    }

    fn makes_enis(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, DescribeNetworkInterfaces};

    /// Promise: without a cloud nothing is said of what there is, so that nobody takes an ENI for gone.
    #[test]
    fn nothing_is_known() {
        let look = Call::DescribeNetworkInterfaces(DescribeNetworkInterfaces::default());
        let answer = Routed.call(Order::always(look)).now_or_never();
        let error = answer.expect("at once").expect_err("no list");
        assert_eq!(error.cause, Cause::NotSent);
        assert!(!Routed.makes_enis());
    }
}
