#!/usr/bin/env python3
"""From a telemetry message to the command that a rule makes of it, while other devices send.

  control_latency.py BUILD [--rate 50000] [--rounds 2000] [--json FILE]

One connection publishes a measurement (QoS 1) that sets off a rule; another, the device, gets the command. The time is from
the write of the one to the read of the other, so both ends' sockets and this program are in it. Both are durable: the
measurement before the rule sees it, the decision to send before it is sent. Beside them mqtt-load sends `rate` messages/s.
"""
import argparse, json, os, select, shutil, socket, struct, subprocess, tempfile, threading, time, urllib.request

ap = argparse.ArgumentParser()
ap.add_argument("build")
ap.add_argument("--rate", type=int, default=50000)
ap.add_argument("--rounds", type=int, default=2000)
ap.add_argument("--json")
args = ap.parse_args()


def text(s):
    b = s.encode()
    return struct.pack(">H", len(b)) + b


def packet(kind, body):
    n, head = len(body), bytes([kind])
    while True:
        n, low = n >> 7, n & 127
        head += bytes([low | (128 if n else 0)])
        if not n:
            return head + body


class Client:
    def __init__(self, address, name):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bytes = b""
        self.sock.sendall(packet(0x10, text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + text(name)))
        assert self.read()[0] == 0x20

    def read(self, timeout=30):
        end = time.monotonic() + timeout
        while True:
            at, size, shift = 1, 0, 0
            while at < len(self.bytes):
                size |= (self.bytes[at] & 127) << shift
                at, shift = at + 1, shift + 7
                if not self.bytes[at - 1] & 128:
                    if len(self.bytes) < at + size:
                        break
                    kind, body = self.bytes[0], self.bytes[at:at + size]
                    self.bytes = self.bytes[at + size:]
                    return kind, body
            if not select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
                raise SystemExit("control_latency: no message within %g s" % timeout)
            self.bytes += self.sock.recv(65536)

    def publish(self, topic, payload, number):
        self.sock.sendall(packet(0x32, text(topic) + struct.pack(">H", number) + payload.encode()))

    def subscribe(self, topic):
        self.sock.sendall(packet(0x82, struct.pack(">H", 1) + text(topic) + b"\1"))
        assert self.read()[0] == 0x90


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(content)


home = tempfile.mkdtemp(prefix="gemel-bench-")
plant = os.path.join(home, "plant")
telemetry = [{"@type": "Telemetry", "name": "v", "schema": "double"}]
write(f"{plant}/models/m.json", json.dumps([
    {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:b:Device;1", "@type": "Interface", "contents": telemetry},
    {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:b:Probe;1", "@type": "Interface", "contents": telemetry + [{"@type": "Command", "name": "act"}]}]))
twins = [{"$dtId": "probe", "$metadata": {"$model": "dtmi:b:Probe;1"}}] + [{"$dtId": f"d{i}", "$metadata": {"$model": "dtmi:b:Device;1"}} for i in range(1000)]
write(f"{plant}/twins/t.json", json.dumps(twins))
write(f"{plant}/rules/r.rules", "rule act on twins (SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, 'dtmi:b:Probe;1')) when T.v > 0 then command act\n")
ready = os.path.join(home, "ready")
server = subprocess.Popen([f"{args.build}/gemel", "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"], stdout=open(ready, "w"), stderr=subprocess.DEVNULL)
load = None
try:
    while "\n" not in open(ready).read():
        if server.poll() is not None:
            raise SystemExit("control_latency: the server ended")
        time.sleep(0.05)
    line = dict(p.split("=") for p in open(ready).read().split()[1:] if "=" in p)
    body = json.dumps({"twin": "probe", "reason": "bench", "for": "1h"}).encode()
    urllib.request.urlopen(urllib.request.Request(f"http://{line['http']}/v1/control/arm", body, {"Content-Type": "application/json"}, method="POST")).read()
    device, sender = Client(line["mqtt"], "device"), Client(line["mqtt"], "sender")
    device.subscribe("gemel/probe/commands/+/+")
    load_out = os.path.join(home, "load")
    if args.rate > 0:
        load = subprocess.Popen([f"{args.build}/bench/mqtt-load", line["mqtt"], "--connections", "50", "--window", "100", "--seconds", "3600", "--rate", str(args.rate),
                                 "--topic", "gemel/d%u/telemetry", "--devices", "1000"], stdout=open(load_out, "w"), stderr=subprocess.DEVNULL)
        time.sleep(1)
    def applied():
        for row in urllib.request.urlopen(f"http://{line['http']}/metrics").read().decode().split("\n"):
            if row.startswith("gemel_mqtt_received_messages_total"):
                return float(row.split()[-1])
        return 0.0
    times, number = [], 0
    first, began = applied(), time.monotonic()
    for i in range(args.rounds):
        for value in (-1, 1):
            number = number % 65535 + 1
            start = time.monotonic()
            sender.publish("gemel/probe/telemetry", '{"v":%d}' % value, number)
            if value > 0:
                kind, message = device.read()
                times.append(time.monotonic() - start)
                length = struct.unpack(">H", message[:2])[0]
                topic, mid = message[2:2 + length].decode(), message[2 + length:4 + length]
                if kind & 6:
                    device.sock.sendall(b"\x40\2" + mid)
                device.sock.sendall(packet(0x30, text(topic + "/response") + b'{"status":200}'))
            assert sender.read()[0] == 0x40
    rate = (applied() - first) / (time.monotonic() - began)
    times.sort()
    result = {"rounds": len(times), "other_messages_per_s": round(rate), "p50_ms": round(times[len(times) // 2] * 1e3, 3),
              "p99_ms": round(times[int(len(times) * 0.99)] * 1e3, 3), "worst_ms": round(times[-1] * 1e3, 3), "load_average": os.getloadavg()[0]}
    print(f"telemetry to command: p50 {result['p50_ms']} ms, p99 {result['p99_ms']} ms, worst {result['worst_ms']} ms "
          f"({result['rounds']} commands, {result['other_messages_per_s']} messages/s in all, load {result['load_average']:.1f})")
    if args.json:
        json.dump(result, open(args.json, "w"))
finally:
    if load is not None:
        load.terminate()
        load.wait()
    server.terminate()
    server.wait()
    shutil.rmtree(home)
