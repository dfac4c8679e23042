import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../src/media/address.ts";

describe("an address", () => {
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
  ])("is public: %s (C4)", (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ["this host", ["0.0.0.0", "127.0.0.1", "127.255.1.2", "::", "::1"]],
    [
      "a private network",
      ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fc00::1", "fd00:ec2::254"],
    ],
    [
      "a link, and the metadata of a cloud",
      ["169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    ],
    [
      "IPv4 in IPv6",
      [
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
      ],
    ],
    [
      "many or nobody",
      ["224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1", "198.18.0.1", "203.0.113.7", "2001:db8::1", "fec0::1"],
    ],
    ["no address", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.1.1.1/0", "[::1]"]],
  ])("is not public where it is %s (C4)", (_what, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });
});
