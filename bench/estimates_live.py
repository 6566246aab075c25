#!/usr/bin/env python3
"""Twins kept estimated by the running server: each a model of ten states with five sensors, measured once a second over MQTT
(QoS 0), everything logged, in history and filtered.

   estimates_live.py BUILD [--twins 1000] [--seconds 30] [--json FILE]

Sends the samples of each second as fast as they are taken, stamped a second apart, and says how much processor time of the whole
server (ingest, log, history, filters, all threads) a second of the plant costs; below 1 one core keeps up. The same again
without estimates.
"""
import argparse, json, math, os, random, shutil, socket, struct, subprocess, sys, tempfile, time, urllib.request

a = argparse.ArgumentParser()
a.add_argument("build")
a.add_argument("--twins", type=int, default=1000)
a.add_argument("--seconds", type=int, default=30)
a.add_argument("--json")
o = a.parse_args()
STATES, SEEN = 10, (1, 3, 5, 8, 10)
work = tempfile.mkdtemp(prefix="gemel-bench-estimates-")

def make(plant, estimated):
    for part in ("models", "twins", "behaviors", "estimate"): os.makedirs(os.path.join(plant, part))
    columns = [{"@type": "Telemetry", "name": f"t{i}", "schema": "double"} for i in SEEN]
    json.dump({"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Wall;1", "@type": "Interface", "contents": columns},
              open(os.path.join(plant, "models", "wall.json"), "w"))
    with open(os.path.join(plant, "behaviors", "wall.mo"), "w") as f:
        f.write("model Wall\n  parameter Real k = 0.02;\n")
        for i in range(1, STATES + 1): f.write(f"  Real t{i}(start=20, fixed=true);\n")
        f.write("equation\n  der(t1) = k*(30 + 5*sin(time/60) - t1) + k*(t2 - t1);\n")
        for i in range(2, STATES): f.write(f"  der(t{i}) = k*(t{i - 1} - t{i}) + k*(t{i + 1} - t{i});\n")
        f.write(f"  der(t{STATES}) = k*(t{STATES - 1} - t{STATES}) + 0.5*k*(10 - t{STATES});\n")
        f.write('  annotation(__gemel(interface="dtmi:bench:Wall;1"));\nend Wall;\n')
    with open(os.path.join(plant, "twins", "walls.ndjson"), "w") as f:
        f.write('{"Section":"Header"}\n{"fileVersion":"1.0.0"}\n{"Section":"Twins"}\n')
        for i in range(o.twins): f.write(json.dumps({"$dtId": f"w{i}", "$metadata": {"$model": "dtmi:bench:Wall;1"}}) + "\n")
    entries = [{"name": f"w{i}", "root": f"w{i}", "lag": "0s", "measured": {f"w{i}.t{k}": {"noise": 0.1} for k in SEEN}} for i in range(o.twins if estimated else 0)]
    json.dump({"estimates": entries}, open(os.path.join(plant, "estimate", "walls.json"), "w"))

def packet(kind, body):
    n, length = len(body), b""
    while True:
        n, digit = n // 128, n % 128
        length += bytes([digit | (0x80 if n else 0)])
        if not n: return bytes([kind]) + length + body

def text(s): return struct.pack(">H", len(s)) + s.encode()

def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def run(estimated):
    plant = os.path.join(work, "with" if estimated else "without")
    make(plant, estimated)
    server = subprocess.Popen([os.path.join(o.build, "gemel"), "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--quiet"],
                              stdout=subprocess.PIPE, text=True)
    try:
        ready = dict(w.split("=", 1) for w in server.stdout.readline().split()[1:])
        host, port = ready["mqtt"].rsplit(":", 1)
        link = socket.create_connection((host, int(port)))
        link.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text("bench-estimates")))
        link.recv(4)
        def ask(path): return json.load(urllib.request.urlopen(f"http://{ready['http']}{path}", timeout=600))
        def taken(twin):  # moments of a twin's filter; what was lost
            x = (ask(f"/v1/estimates?twin={twin}")["items"] or [{}])[0]
            return x.get("moments", 0), x.get("lost", 0), x.get("restarts"), x.get("health")
        begin, chance = time.time() + 5, random.Random(1)
        def second(k):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin + k))
            out = []
            for i in range(o.twins):
                values = ",".join(f'"t{s}":{20 + 2 * math.sin(k / 60 + s) + chance.gauss(0, 0.1):.3f}' for s in SEEN)
                out.append(packet(0x30, text(f"gemel/w{i}/telemetry") + f'{{{values},"$time":"{stamp}Z"}}'.encode()))
            return b"".join(out)
        def wait(k):
            end = time.monotonic() + 120
            while estimated and min(taken("w0")[0], taken(f"w{o.twins - 1}")[0]) < k and time.monotonic() < end: time.sleep(0.05)
        for k in range(4): link.sendall(second(k)); wait(k)  # the first is where it begins
        prepared, spent = [second(4 + k) for k in range(o.seconds)], cpu(server.pid)
        for k, bytes_ in enumerate(prepared): link.sendall(bytes_); wait(4 + k)
        if not estimated:
            last = f"w{o.twins - 1}"
            end = time.monotonic() + 60
            want = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begin + 3 + o.seconds))
            while time.monotonic() < end and want not in json.dumps(ask(f"/digitaltwins/{last}?api-version=2023-10-31")): time.sleep(0.05)
        used = (cpu(server.pid) - spent) / o.seconds
        state = taken(f"w{o.twins - 1}") if estimated else None
        if estimated and (state[0] < 3 + o.seconds or state[1] > 0): sys.exit(f"estimates_live: not all was taken: {state}")
        return used
    finally:
        server.terminate()
        server.wait()

try:
    with_, without = run(True), run(False)
    print(f"{o.twins} twins x {STATES} states, {len(SEEN)} sensors, 1 Hz: {with_:.3f} s of processor time a second ({without:.3f} without estimates); "
          f"one core keeps {o.twins / with_:.0f} such twins")
    if o.json: json.dump({"twins": o.twins, "core": with_, "core_without": without}, open(o.json, "w"))
finally:
    shutil.rmtree(work, ignore_errors=True)
