"""Drives a simulated cloud with Alibaba Cloud's own SDK. Prints one line for each thing that holds."""

import sys
import time

from alibabacloud_ecs20140526 import models as ecs
from alibabacloud_ecs20140526.client import Client as Ecs
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from alibabacloud_tea_util import models as util
from alibabacloud_vpc20160428 import models as vpc
from alibabacloud_vpc20160428.client import Client as Vpc

REGION = "cn-hangzhou"


def config(endpoint, secret="sim-secret"):
    return Config(access_key_id="sim-key", access_key_secret=secret, region_id=REGION, endpoint=endpoint, protocol="http")


def holds(what, truth):
    if not truth:
        sys.exit(f"does not hold: {what}")
    print(f"holds: {what}", flush=True)


def refused(call):
    try:
        call()
    except Exception as error:  # the SDK's own classes differ from release to release
        return getattr(error, "code", None)
    return None


def main(endpoint):
    cloud = Ecs(config(endpoint))

    types = cloud.describe_instance_types(ecs.DescribeInstanceTypesRequest(instance_types=["ecs.g7.xlarge"])).body
    found = types.instance_types.instance_type[0]
    holds("DescribeInstanceTypes", found.eni_quantity > 1 and found.eni_private_ip_address_quantity > 1)

    machines = cloud.describe_instances(ecs.DescribeInstancesRequest(region_id=REGION, instance_ids='["i-g7"]')).body
    machine = machines.instances.instance[0]
    holds("DescribeInstances", machine.instance_id == "i-g7" and machine.instance_type == "ecs.g7.xlarge")

    groups = cloud.describe_security_groups(ecs.DescribeSecurityGroupsRequest(region_id=REGION)).body
    names = [group.security_group_id for group in groups.security_groups.security_group]
    holds("DescribeSecurityGroups", "sg-built-in" in names)

    switches = Vpc(config(endpoint)).describe_vswitches(vpc.DescribeVSwitchesRequest(region_id=REGION)).body
    switch = [item for item in switches.v_switches.v_switch if item.v_switch_id == "vsw-i"][0]
    holds("DescribeVSwitches", switch.cidr_block == "10.1.0.0/20" and switch.available_ip_address_count > 4000)

    request = ecs.DescribeAccountAttributesRequest(region_id=REGION, attribute_name=["max-elastic-network-interfaces"])
    items = cloud.describe_account_attributes(request).body.account_attribute_items.account_attribute_item
    holds("DescribeAccountAttributes", int(items[0].attribute_values.value_item[0].value) > 100)

    create = ecs.CreateNetworkInterfaceRequest(
        region_id=REGION,
        v_switch_id="vsw-i",
        security_group_id="sg-built-in",
        primary_ip_address="10.1.1.10",
        client_token="token-1",
        tag=[ecs.CreateNetworkInterfaceRequestTag(key="made-by", value="sdk")],
    )
    made = cloud.create_network_interface(create).body
    eni = made.network_interface_id
    holds("CreateNetworkInterface", made.private_ip_address == "10.1.1.10" and made.status == "Available")
    again = cloud.create_network_interface(create).body
    holds("the same token is the same ENI", again.network_interface_id == eni)
    create.primary_ip_address = "10.1.1.11"
    code = refused(lambda: cloud.create_network_interface(create))
    holds("the same token with another address is refused", code == "IdempotentParameterMismatch")

    cloud.attach_network_interface(
        ecs.AttachNetworkInterfaceRequest(region_id=REGION, network_interface_id=eni, instance_id="i-g7")
    )

    def look():
        request = ecs.DescribeNetworkInterfaceAttributeRequest(region_id=REGION, network_interface_id=eni)
        return cloud.describe_network_interface_attribute(request).body

    def until(status):
        for _ in range(200):
            if look().status == status:
                return True
            time.sleep(0.05)
        return False

    holds("AttachNetworkInterface takes its time", look().status == "Attaching")
    holds("DescribeNetworkInterfaceAttribute shows it attached", until("InUse"))

    assign = ecs.AssignPrivateIpAddressesRequest(
        region_id=REGION, network_interface_id=eni, private_ip_address=["10.1.1.20", "10.1.1.21"]
    )
    assigned = cloud.assign_private_ip_addresses(assign).body.assigned_private_ip_addresses_set
    holds("AssignPrivateIpAddresses", assigned.private_ip_set.private_ip_address == ["10.1.1.20", "10.1.1.21"])
    ipv6 = "2408:4005:300:1::20"
    request = ecs.AssignIpv6AddressesRequest(region_id=REGION, network_interface_id=eni, ipv_6address=[ipv6])
    holds("AssignIpv6Addresses", cloud.assign_ipv_6addresses(request).body.ipv_6sets.ipv_6address == [ipv6])

    request = ecs.DescribeNetworkInterfacesRequest(
        region_id=REGION,
        max_results=50,
        tag=[ecs.DescribeNetworkInterfacesRequestTag(key="made-by", value="sdk")],
    )
    listed = cloud.describe_network_interfaces(request).body.network_interface_sets.network_interface_set
    addresses = {item.private_ip_address for item in listed[0].private_ip_sets.private_ip_set}
    whole = len(listed) == 1 and addresses == {"10.1.1.10", "10.1.1.20", "10.1.1.21"}
    holds("DescribeNetworkInterfaces by tag", whole and listed[0].ipv_6sets.ipv_6set[0].ipv_6address == ipv6)
    request = ecs.DescribeNetworkInterfacesRequest(region_id=REGION, max_results=10)
    holds("without a tag others' are listed too", cloud.describe_network_interfaces(request).body.total_count != 1)

    taken = ecs.CreateNetworkInterfaceRequest(
        region_id=REGION, v_switch_id="vsw-i", security_group_id="sg-built-in", primary_ip_address="10.1.1.20"
    )
    holds("an address that is somebody's is refused", (refused(lambda: cloud.create_network_interface(taken)) or "").startswith("InvalidIp"))

    request = ecs.UnassignPrivateIpAddressesRequest(
        region_id=REGION, network_interface_id=eni, private_ip_address=["10.1.1.20"]
    )
    cloud.unassign_private_ip_addresses(request)
    left = {item.private_ip_address for item in look().private_ip_sets.private_ip_set}
    holds("UnassignPrivateIpAddresses", left == {"10.1.1.10", "10.1.1.21"})
    request = ecs.UnassignIpv6AddressesRequest(region_id=REGION, network_interface_id=eni, ipv_6address=[ipv6])
    cloud.unassign_ipv_6addresses(request)
    holds("UnassignIpv6Addresses", not look().ipv_6sets.ipv_6set)

    delete = ecs.DeleteNetworkInterfaceRequest(region_id=REGION, network_interface_id=eni)
    code = refused(lambda: cloud.delete_network_interface(delete))
    holds("an ENI that is attached is not deleted", code == "InvalidOperation.InvalidEniState")
    cloud.detach_network_interface(
        ecs.DetachNetworkInterfaceRequest(region_id=REGION, network_interface_id=eni, instance_id="i-g7")
    )
    holds("DetachNetworkInterface", until("Available"))
    cloud.delete_network_interface(delete)
    listing = ecs.DescribeNetworkInterfacesRequest(region_id=REGION, network_interface_id=[eni], max_results=10)

    def is_gone():
        listed = cloud.describe_network_interfaces(listing).body.network_interface_sets.network_interface_set
        return not listed

    for _ in range(200):
        if is_gone():
            break
        time.sleep(0.05)
    holds("DeleteNetworkInterface", is_gone())

    runtime = util.RuntimeOptions()
    params = Params(
        action="AssumeRole",
        version="2015-04-01",
        protocol="HTTP",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )

    def assume(role):
        query = {"RoleArn": f"acs:ram::1:role/{role}", "RoleSessionName": "sdk"}
        return OpenApiClient(config(endpoint)).call_api(params, OpenApiRequest(query=query), runtime)["body"]["Credentials"]

    key = assume("sim-role")
    holds("AssumeRole", key["AccessKeyId"].startswith("STS."))
    for_a_while = config(endpoint)
    for_a_while.access_key_id, for_a_while.access_key_secret = key["AccessKeyId"], key["AccessKeySecret"]
    for_a_while.security_token = key["SecurityToken"]
    request = ecs.DescribeSecurityGroupsRequest(region_id=REGION)
    holds("calls with the role's key", Ecs(for_a_while).describe_security_groups(request).status_code == 200)
    for_a_while.security_token = "another"
    code = refused(lambda: Ecs(for_a_while).describe_security_groups(request))
    holds("a wrong token is refused", code == "InvalidSecurityToken.MismatchWithAccessKey")
    holds("a role that is not there is refused", refused(lambda: assume("missing")) == "EntityNotExist.Role")

    wrong = Ecs(config(endpoint, "another-secret"))
    code = refused(lambda: wrong.describe_instance_types(ecs.DescribeInstanceTypesRequest()))
    holds("a wrong secret is refused", code == "SignatureDoesNotMatch")


main(sys.argv[1])
