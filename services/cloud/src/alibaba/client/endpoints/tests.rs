//! Which server a call goes to.

use super::*;

fn text(region: &str, product: Product, variables: &[(&str, &str)]) -> String {
    let region = RegionId::new(region).unwrap();
    let variable = |name: &str| {
        let mut known = variables.iter();
        known
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let endpoints = Endpoints::new(&region, &variable).unwrap();
    endpoints.of(product).to_string()
}

/// Promise: the endpoints are the official SDK's, and what the environment says wins.
#[test]
fn endpoints_are_the_sdks() {
    let inside = [("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true")];
    for (region, product, variables, endpoint) in [
        (
            "cn-hangzhou",
            Product::Ecs,
            &[][..],
            "https://ecs-cn-hangzhou.aliyuncs.com",
        ),
        ("cn-hangzhou", Product::Vpc, &[], "https://vpc.aliyuncs.com"),
        (
            "cn-hangzhou",
            Product::Sts,
            &[],
            "https://sts.cn-hangzhou.aliyuncs.com",
        ),
        (
            "cn-beijing",
            Product::Ecs,
            &[],
            "https://ecs.cn-beijing.aliyuncs.com",
        ),
        (
            "cn-hangzhou",
            Product::Ecs,
            &inside,
            "https://ecs-vpc.cn-hangzhou.aliyuncs.com",
        ),
        (
            "cn-beijing",
            Product::Vpc,
            &inside,
            "https://vpc-vpc.cn-beijing.aliyuncs.com",
        ),
        (
            "x",
            Product::Ecs,
            &[("ECS_ENDPOINT", "127.0.0.1:80")],
            "http://127.0.0.1",
        ),
        (
            "x",
            Product::Ecs,
            &[("ECS_ENDPOINT", "http://sim:8080/")],
            "http://sim:8080",
        ),
        (
            "x",
            Product::Vpc,
            &[("VPC_ENDPOINT", "[::1]:81")],
            "http://[::1]:81",
        ),
        (
            "x",
            Product::Vpc,
            &[("VPC_ENDPOINT", "proxy")],
            "https://proxy",
        ),
        (
            "x",
            Product::Vpc,
            &[("VPC_ENDPOINT", "")],
            "https://vpc.x.aliyuncs.com",
        ),
    ] {
        assert_eq!(text(region, product, variables), endpoint);
    }
}

/// Promise: what is no endpoint is refused when it is said, and not taken for another host.
#[test]
fn what_is_no_endpoint_is_refused() {
    for wrong in [
        "",
        "ftp://x",
        "http://x/path",
        "http://u@x",
        "x y",
        "http://x?q=1",
    ] {
        assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
    }
}
