//! What somebody does behind Berth's back is seen, said, and not made worse.

use crate::pods::addresses;
use crate::world::World;
use berth_proto::v1;
use std::collections::BTreeSet;

/// Promise: an ENI of this cluster that no row knows, an address taken off one of ours and one put onto it are all said, each
/// with what is safe to do; what is as it should be is not; and no orphan so young is touched.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_otherwise_there_is_said() {
    let world = World::usual(1, "ecs.g7.4xlarge", "shared").await;
    addresses(world.come((0..5).map(|n| (1, format!("pod-{n}")))).await);
    world.agree().await;
    let enis = world.enis().await;
    let eni = &enis[0];
    let cluster = world.cloud.with(|cloud| {
        let ours = cloud.enis().find(|one| one.id == eni.id);
        ours.expect("there").tags["berth-cluster"].clone()
    });
    let orphan = world.stranger(
        "CreateNetworkInterface",
        &[
            ("VSwitchId", "vsw-i"),
            ("SecurityGroupId", "sg-machines"),
            ("PrimaryIpAddress", "10.1.9.9"),
            ("Tag.1.Key", "berth-cluster"),
            ("Tag.1.Value", &cluster),
        ],
    );
    let orphan = orphan["NetworkInterfaceId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let taken = eni
        .addresses
        .iter()
        .find(|at| **at != eni.primary)
        .expect("five");
    let on = [
        ("NetworkInterfaceId", eni.id.as_str()),
        ("PrivateIpAddress.1", taken.as_str()),
    ];
    world.stranger("UnassignPrivateIpAddresses", &on);
    let on = [
        ("NetworkInterfaceId", eni.id.as_str()),
        ("PrivateIpAddress.1", "10.1.8.8"),
    ];
    world.stranger("AssignPrivateIpAddresses", &on);
    let wanted = BTreeSet::from([
        ("orphan".to_owned(), orphan.clone(), String::new()),
        ("missing".to_owned(), eni.id.clone(), taken.clone()),
        ("extra".to_owned(), eni.id.clone(), "10.1.8.8".to_owned()),
    ]);
    world
        .until("all three are said, and nothing else", async || {
            let compared = world.client.compare_cloud(v1::CompareCloudRequest {}).await;
            let compared = compared.expect("the leader answers");
            let found = compared.differences.into_iter().map(|one| {
                assert!(!one.repair.is_empty());
                (one.kind, one.eni, one.address)
            });
            found.collect::<BTreeSet<_>>() == wanted
        })
        .await;
    assert!(world.in_cloud().contains_key(&orphan), "it is left alone");
}
