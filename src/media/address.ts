// Which addresses are out on the public internet. Pure. Everything else is this host, its network, its cloud's services or nobody.
import { BlockList, isIP } from "node:net";

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry (2026), multicast and the reserved rest. */
const notPublicV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // Azure's own service, reachable from every virtual machine there.
  "168.63.129.16/32",
];

/** Global unicast: IPv4 in IPv6 (`::ffff:…`, `64:ff9b::`), loopback, link-local and unique local addresses lie outside of it. */
const publicV6 = "2000::/3";

/** @see https://www.iana.org/assignments/iana-ipv6-special-registry (2026). Teredo (2001::) and 6to4 (2002::) lead to IPv4. */
const notPublicV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"];

const blockedV4 = toList(notPublicV4, "ipv4");
const blockedV6 = toList(notPublicV6, "ipv6");
const unicastV6 = toList([publicV6], "ipv6");

/** Whether an IP address, as a resolver or a socket writes it, is public. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blockedV4.check(address, "ipv4");
    case 6:
      // A zone (`%eth0`) is of link-local addresses alone.
      return !address.includes("%") && unicastV6.check(address, "ipv6") && !blockedV6.check(address, "ipv6");
    default:
      return false;
  }
}

function toList(subnets: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = "", prefix] = subnet.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
