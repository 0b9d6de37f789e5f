# mypy: ignore-errors
"""ns-3 by its Python wheel: point-to-point link, IPv4 and UDP with headers, no checksums (its default)."""

import sys
import time

PACKETS = 50_000


def scenario():
    """Packets a second."""
    from ns import ns

    nodes = ns.NodeContainer()
    nodes.Create(2)
    link = ns.PointToPointHelper()
    link.SetDeviceAttribute("DataRate", ns.StringValue("1Gbps"))
    link.SetChannelAttribute("Delay", ns.StringValue("2ms"))
    devices = link.Install(nodes)
    ns.InternetStackHelper().Install(nodes)
    addresses = ns.Ipv4AddressHelper()
    addresses.SetBase(ns.Ipv4Address("10.0.0.0"), ns.Ipv4Mask("255.255.255.0"))
    receiver = addresses.Assign(devices).GetAddress(1)
    sink = ns.UdpServerHelper(9).Install(nodes.Get(1))
    sink.Start(ns.Seconds(0))
    client = ns.UdpClientHelper(ns.InetSocketAddress(receiver, 9).ConvertTo())
    client.SetAttribute("MaxPackets", ns.UintegerValue(PACKETS))
    client.SetAttribute("Interval", ns.TimeValue(ns.MicroSeconds(10)))
    client.SetAttribute("PacketSize", ns.UintegerValue(1000))
    client.Install(nodes.Get(0)).Start(ns.Seconds(0.01))
    ns.Simulator.Stop(ns.Seconds(5))
    began = time.process_time()
    ns.Simulator.Run()
    spent = time.process_time() - began
    got = sink.Get(0).GetReceived()
    assert got == PACKETS, got
    ns.Simulator.Destroy()
    return PACKETS / spent


if __name__ == "__main__":
    __import__("ns")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(), flush=True)
