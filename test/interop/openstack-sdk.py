"""Makes a whole load balancer in one call by OpenStack's SDK, shows what became of it, and deletes it. Arguments: endpoint, VIP, port of a member."""
import json
import sys
import warnings

warnings.simplefilter("ignore")
import openstack  # noqa: E402

endpoint, vip, port = sys.argv[1:]
cloud = openstack.connect(auth_type="none", endpoint=endpoint)
subnet = next(s for s in cloud.network.subnets() if s.name == "local")
made = cloud.load_balancer.create_load_balancer(
    name="whole",
    vip_subnet_id=subnet.id,
    vip_address=vip,
    listeners=[
        {
            "name": "web",
            "protocol": "HTTP",
            "protocol_port": 8080,
            "default_pool": {
                "name": "farm",
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "members": [{"address": "127.0.0.1", "protocol_port": int(port)}],
                "healthmonitor": {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "url_path": "/health"},
            },
            "l7policies": [
                {"action": "REJECT", "rules": [{"type": "PATH", "compare_type": "EQUAL_TO", "value": "/no"}]}
            ],
        }
    ],
)
cloud.load_balancer.wait_for_load_balancer(made.id, interval=0.1)
print(json.dumps({"id": made.id, "pools": [p.name for p in cloud.load_balancer.pools(loadbalancer_id=made.id)]}), flush=True)
sys.stdin.readline()
cloud.load_balancer.delete_load_balancer(made.id, cascade=True)
