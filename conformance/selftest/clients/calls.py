"""What published clients are asked to do, in the order of a life: allocate, associate, list, show, remove, de-allocate.

python calls.py URL TOKEN SERVER PORT PORT; it needs the packages of ``tox -e clients``.
"""

import contextlib
import sys
from typing import Any

import ip_associations_python_novaclient_ext as extension
import openstack
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token
from neutronclient.common.exceptions import BadRequest, NotFound
from neutronclient.v2_0.client import Client as Neutron
from novaclient import client as novaclient
from novaclient.extension import Extension

PUBLIC = "00000000-0000-0000-0000-000000000000"


def wanted(version: int, ports: list[str]) -> dict[str, Any]:
    """The published body of an allocation."""
    return {"ip_address": {"network_id": PUBLIC, "version": version, "port_ids": ports}}


def by_neutron_and_nova(url: str, token: str, server: str, ports: list[str]) -> None:
    """python-neutronclient for addresses, python-novaclient with its extension for associations."""
    neutron = Neutron(token=token, endpoint_url=url)
    session = Session(auth=Token(f"{url}/v2", token))
    installed = [Extension("ip_associations_python_novaclient_ext", extension)]
    nova = novaclient.Client("2", session=session, endpoint_override=f"{url}/v2", extensions=installed)
    associations = nova.ip_associations_python_novaclient_ext
    for version in (4, 6):
        address = neutron.post("/ip_addresses", body=wanted(version, ports))["ip_address"]["id"]
        neutron.get("/ip_addresses")
        neutron.get(f"/ip_addresses/{address}")
        associations.create(server, address)
        associations.list(server)
        associations.get(server, address)
        associations.delete(server, address)
        neutron.put(f"/ip_addresses/{address}", body={"ip_address": {"port_ids": ports[:1]}})
        with contextlib.suppress(BadRequest, NotFound):  # a deployment may refuse this wording
            neutron.put(f"/ip_addresses/{address}", body={"ip_address": {}})
            continue
        neutron.delete(f"/ip_addresses/{address}")


def by_the_shell(url: str, token: str, server: str, ports: list[str]) -> None:
    """The extension's shell functions."""
    neutron = Neutron(token=token, endpoint_url=url)
    nova = novaclient.Client(
        "2",
        session=Session(auth=Token(f"{url}/v2", token)),
        endpoint_override=f"{url}/v2",
        extensions=[Extension("ip_associations_python_novaclient_ext", extension)],
    )
    address = neutron.post("/ip_addresses", body=wanted(4, ports))["ip_address"]["id"]

    class Arguments:
        instance_id, ip_association_id = server, address

    functions = (
        extension.do_ip_association_create,
        extension.do_ip_association_list,
        extension.do_ip_association_show,
        extension.do_ip_association_delete,
    )
    for function in functions:
        function(nova, Arguments)
    neutron.delete(f"/ip_addresses/{address}")


def by_openstacksdk(url: str, token: str, server: str, ports: list[str]) -> None:
    """The compute and network proxies, which take any path below their endpoints."""
    cloud = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_type="admin_token",
        auth={"endpoint": url, "token": token},
        compute_endpoint_override=f"{url}/v2",
        network_endpoint_override=f"{url}/v2.0",
    )
    made = cloud.network.post("/ip_addresses", json=wanted(4, ports))
    address = made.json()["ip_address"]["id"]
    path = f"/servers/{server}/ip_associations/{address}"
    cloud.compute.put(path)
    cloud.compute.get(f"/servers/{server}/ip_associations")
    cloud.compute.get(path)
    assert cloud.compute.delete(path).status_code == 204
    cloud.network.put(f"/ip_addresses/{address}", json={"ip_address": {"port_ids": []}})


def main(url: str, token: str, server: str, *ports: str) -> None:
    """Let every client live once."""
    for client in (by_neutron_and_nova, by_the_shell, by_openstacksdk):
        client(url, token, server, list(ports))


if __name__ == "__main__":
    main(*sys.argv[1:])
