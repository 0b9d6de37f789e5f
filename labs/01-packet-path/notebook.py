# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The path of a packet
#
# A ping answers after a fraction of a millisecond, and all you see is one line. In between, the packet was handled
# dozens of times: by stages inside each host, by a switch that never looked at its address, by routers that each
# rewrote a part of it. In May 2014 the developers of FreeBSD's network stack met for a morning to argue about exactly
# these places: where a packet waits, which lock it takes, how often its header is parsed again. To follow such an
# argument you need a map. In this lab you draw one, and then you build one of its stations yourself.
#
# Run the first cell (Shift+Enter). It draws the network and says which worlds this machine can show it in: **sim**,
# our own network stack in virtual time, and **mininet**, real Linux hosts with the same stack on the router `r1`.

# %%
from netlab.notebook import open_lab

lab = open_lab("01-packet-path")

# %% [markdown]
# ## Predict
#
# `h1` sends three pings to `h4`, which is two routers away, and then one more with a *time to live* of 1. Commit to a
# guess before you look: a wrong guess that you made is worth more than a right one that you were told.

# %%
lab.predict("frames")

# %%
lab.predict("last-ttl")

# %% [markdown]
# ## Run
#
# The run starts when both guesses are made. First in virtual time, where every nanosecond is accounted for.

# %%
lab.run("crossing")

# %% [markdown]
# ## See
#
# - Choose a packet above the picture and press **▶**, or step with **◀** and **▸❙** (the arrow keys do the same).
# - Click a node, or Tab to it and press Enter: its **stage graph** opens, a map of the way through that host. Esc
#   closes it.
# - The arrows beside a packet's name (↳) say what it caused: an ARP request, an answer.
#
# Now the same traffic on real packets. The hosts, `s1` and `r2` are Linux; `r1` runs netlab's stack on a real
# interface. If this machine cannot do that, the cell says why, and nothing else in this lab needs it.

# %%
lab.run("crossing", backend="mininet")

# %% [markdown]
# Compare the two. The nodes and the stages in `r1` are the same: it is the same code. What differs is time. Where the
# simulation charges a table of costs, Python and the kernel take what they take, a few hundred times longer; and what
# happens inside a Linux host can only be seen where the kernel says so.
#
# ## Explain
#
# An answer here is a *place*: choose the packet in one of the two pictures, step to the place, and press the button.

# %%
lab.explain("wait")

# %%
lab.explain("end")

# %% [markdown]
# ## Build
#
# `r1`'s stage `ip.forward` is yours now. It is given a **vector** of packets, since a busy router finds several at once
# in its ring, and decides for each: send it on, answer that its time is up, or admit that there is no route.
#
# Three rules, and where they are written:
#
# 1. **TTL** (RFC 1812 §5.3.1): a packet that arrives with 1 may not be sent on; it is answered with *time exceeded*,
#    spoken by the address it came in by. Any other leaves with one less.
# 2. **Checksum** (RFC 1624): the header changed, so its checksum must. A router does not add up the header again, it
#    updates: `HC' = ~(~HC + ~m + m')`, where `m` is the 16-bit word that changed. Sums are one's complement: a carry
#    out of the top comes back in at the bottom.
# 3. **Route** (RFC 1812 §5.2.4.3): of all prefixes that cover the destination, the longest. With a gateway the next hop
#    is the gateway, without one it is the destination itself.
#
# The cell keeps what you write in `exercise.py`. That file, alone, is what you hand in. (`nlab lab reset 01` in a
# terminal starts afresh and keeps what you had.)


# %%
# %%exercise forward
def forward(packets, routes, addresses):
    """One hop for each packet, in order.

    packets     [(packet, interface it came in by), ...]     packet: bytes from the IPv4 header on:
                    byte 8 the TTL, bytes 10-11 the header checksum, bytes 16-19 the destination
    routes      [(prefix, length, gateway, interface), ...]  addresses are ints; gateway 0: the neighbour itself
    addresses   {interface: the router's own address on it}

    A hop is one of
        ("send", interface, next_hop, packet)
        ("time-exceeded", source)
        ("no-route",)
    """
    raise NotImplementedError("write the forwarding stage")


# %% [markdown]
# ## Check
#
# The button runs your file in the grader's own sandbox. A check that fails names the packet at fault; **Show me**
# draws its path.

# %%
lab.check()

# %% [markdown]
# When the checks pass, put your own code on the wire: this run has your `forward` in `r1`, on real packets.

# %%
lab.run("crossing", backend="mininet", mine=True)

# %% [markdown]
# ## What if
#
# What a ping reports is only what comes back to it. Turn a knob, say aloud what you expect, then run.

# %%
lab.what_if()

# %% [markdown]
# ## What happened next
#
# The map that you walked has hardly changed since 4.4BSD; what changed is how packets travel on it.
#
# - **Vectors.** In 2014 `ether_input()` took exactly one packet. Today FreeBSD's drivers may hand it a chain, which it
#   splits at the door; drivers that pass chains inside gained about 12 % in small-packet forwarding (FreeBSD r323942,
#   r325487). Linux delivers lists of packets stage by stage since 4.19. Your `forward` takes vectors for that reason:
#   the lab on batching measures what they buy.
# - **The forwarding stage.** FreeBSD once had two, a careful one and a fast one that ran a packet to completion; on a
#   small Atom machine the fast one forwarded 713 thousand packets a second where the careful one managed 384 thousand
#   (ocochard/netbenches, C2558). FreeBSD 11 made the fast one the only one.
# - **The table.** Yours is a list. With 710,000 routes a radix tree takes about 107 ns for each look-up and the
#   best structure 7 ns (FreeBSD D27401, D27405). The lab on routing tables builds one.
# - **The incremental checksum** has been wrong in print: RFC 1141's formula yields `ffff` where RFC 1624's yields
#   `0000`. If a check of yours spoke of "minus zero", you have met it.
