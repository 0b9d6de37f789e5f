# mypy: ignore-errors
"""ns-3 by its Python wheel: four NewReno flows over a dumbbell, as `netlab_tcp_model` has them, no checksums."""

import sys
import time

FLOWS = 4
SECONDS = 1.0
MSS = 1448


def wire(ns, a, b, rate, delay, queue=None):
    """A cable; without ``queue`` its queues are longer than anything that can wait in them."""
    link = ns.PointToPointHelper()
    link.SetDeviceAttribute("DataRate", ns.StringValue(rate))
    link.SetChannelAttribute("Delay", ns.StringValue(delay))
    link.SetQueue("ns3::DropTailQueue", "MaxSize", ns.StringValue(queue or "100000p"))
    return link.Install(a, b)


def settings(ns):
    """What our hosts do by default (Linux): 128 kB of window, ten segments at first, SACK, timestamps."""
    for name, value in (
        ("ns3::TcpL4Protocol::SocketType", ns.StringValue("ns3::TcpNewReno")),
        ("ns3::TcpSocket::SegmentSize", ns.UintegerValue(MSS)),
        ("ns3::TcpSocket::SndBufSize", ns.UintegerValue(2 << 20)),
        ("ns3::TcpSocket::RcvBufSize", ns.UintegerValue(131072)),
        ("ns3::TcpSocket::InitialCwnd", ns.UintegerValue(10)),
    ):
        ns.Config.SetDefault(name, value)


def scenario():
    """Data packets a second of CPU time."""
    from ns import ns

    settings(ns)
    nodes = ns.NodeContainer()
    nodes.Create(2 * FLOWS + 2)
    left, right = nodes.Get(2 * FLOWS), nodes.Get(2 * FLOWS + 1)
    pairs = [wire(ns, nodes.Get(n), left if n < FLOWS else right, "1Gbps", "1ms") for n in range(2 * FLOWS)]
    pairs.append(wire(ns, left, right, "100Mbps", "4ms", "100p"))
    ns.InternetStackHelper().Install(nodes)
    addresses = ns.Ipv4AddressHelper()
    at = []
    for n, devices in enumerate(pairs):
        addresses.SetBase(ns.Ipv4Address(f"10.0.{n}.0"), ns.Ipv4Mask("255.255.255.0"))
        at.append(addresses.Assign(devices).GetAddress(0))
        for end in range(2):  # the queue that counts is the device's own, as in netlab
            ns.TrafficControlHelper().Uninstall(devices.Get(end))
    ns.Ipv4GlobalRoutingHelper.PopulateRoutingTables()
    sinks = [pour(ns, nodes.Get(n), nodes.Get(n + FLOWS), at[n + FLOWS]) for n in range(FLOWS)]
    ns.Simulator.Stop(ns.Seconds(SECONDS))
    began = time.process_time()
    ns.Simulator.Run()
    spent = time.process_time() - began
    octets = sum(sink.Get(0).__deref__().GetTotalRx() for sink in sinks)
    ns.Simulator.Destroy()
    assert octets > 0.7 * SECONDS * 100e6 / 8, octets
    return octets / MSS / spent


def pour(ns, sender, receiver, address):
    """A bulk sender and its sink."""
    anywhere = ns.InetSocketAddress(ns.Ipv4Address.GetAny(), 9).ConvertTo()
    sink = ns.PacketSinkHelper("ns3::TcpSocketFactory", anywhere).Install(receiver)
    sink.Start(ns.Seconds(0))
    source = ns.BulkSendHelper("ns3::TcpSocketFactory", ns.InetSocketAddress(address, 9).ConvertTo())
    source.SetAttribute("MaxBytes", ns.UintegerValue(0))
    source.Install(sender).Start(ns.Seconds(0))
    return sink


if __name__ == "__main__":
    __import__("ns")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(scenario(), flush=True)
