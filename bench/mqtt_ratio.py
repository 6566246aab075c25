#!/usr/bin/env python3
"""Durable QoS 1 messages per second into state and history, against mosquitto with nothing durable.

   mqtt_ratio.py BUILD [--rounds N] [--seconds S] [--json FILE]

Rounds alternate between the two, so that a machine that slows down slows both; ratios are medians over rounds.
"""
import argparse, json, os, shutil, socket, statistics, subprocess, sys, tempfile, time

arguments = argparse.ArgumentParser()
arguments.add_argument("build")
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--seconds", type=float, default=2)
arguments.add_argument("--json")
a = arguments.parse_args()
LOADS = [(50, 100), (1, 20), (1, 1000)]

mosquitto = shutil.which("mosquitto") or ("/usr/sbin/mosquitto" if os.path.exists("/usr/sbin/mosquitto") else None)
if mosquitto is None: sys.exit("mosquitto is not installed: tools/setup bench")
work = tempfile.mkdtemp(prefix="gemel-bench-")

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def make_plant():
    plant = os.path.join(work, "plant")
    os.makedirs(plant + "/models"); os.makedirs(plant + "/twins")
    json.dump({"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Device;1", "@type": "Interface", "contents": [
        {"@type": "Telemetry", "name": n, "schema": "double"} for n in ("temp", "hum", "p")]}, open(plant + "/models/device.json", "w"))
    with open(plant + "/twins/devices.ndjson", "w") as f:
        for line in ({"Section": "Header"}, {"fileVersion": "1.0.0"}, {"Section": "Twins"}): f.write(json.dumps(line) + "\n")
        for i in range(1000): f.write(json.dumps({"$dtId": f"d{i}", "$metadata": {"$model": "dtmi:bench:Device;1"}}) + "\n")
    return plant

def load(address, connections, window, topic):
    out = subprocess.run([os.path.join(a.build, "bench", "mqtt-load"), address, "--connections", str(connections), "--window", str(window),
                          "--seconds", str(a.seconds), "--topic", topic], capture_output=True, text=True, timeout=60)
    if out.returncode != 0: sys.exit(f"load on {address}: {out.stderr.strip()}")
    return json.loads(out.stdout)

port = free_port()
conf = os.path.join(work, "mosquitto.conf")
open(conf, "w").write(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\nmax_queued_messages 0\n")
processes = [subprocess.Popen([mosquitto, "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
try:
    server = subprocess.Popen([os.path.join(a.build, "gemel"), "serve", make_plant(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
                               "--data", os.path.join(work, "data")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    processes.append(server)
    ready = dict(w.split("=", 1) for w in server.stdout.readline().split()[1:])
    for _ in range(100):
        try: socket.create_connection(("127.0.0.1", port)).close(); break
        except OSError: time.sleep(0.05)
    rows = []
    print(f"{'connections x window':22} {'gemel/s':>10} {'mosquitto/s':>12} {'ratio':>7} {'p50 ms':>8} {'p99 ms':>8} {'mosquitto p99':>14}")
    for connections, window in LOADS:
        ours, theirs = [], []
        for _ in range(a.rounds):
            theirs.append(load(f"127.0.0.1:{port}", connections, window, "d%u"))
            ours.append(load(ready["mqtt"], connections, window, "gemel/d%u/telemetry"))
        median = lambda runs, key: statistics.median(r[key] for r in runs)
        row = {"connections": connections, "window": window, "gemel_per_s": median(ours, "acked_per_s"),
               "mosquitto_per_s": median(theirs, "acked_per_s"),
               "ratio": statistics.median(o["acked_per_s"] / t["acked_per_s"] for o, t in zip(ours, theirs)),
               "p50_ms": median(ours, "p50_us") / 1e3, "p99_ms": median(ours, "p99_us") / 1e3, "mosquitto_p99_ms": median(theirs, "p99_us") / 1e3}
        rows.append(row)
        print(f"{str(connections) + ' x ' + str(window):22} {row['gemel_per_s']:10,.0f} {row['mosquitto_per_s']:12,.0f} {row['ratio']:7.2f} "
              f"{row['p50_ms']:8.2f} {row['p99_ms']:8.2f} {row['mosquitto_p99_ms']:14.2f}", flush=True)
    if a.json: json.dump(rows, open(a.json, "w"), indent=1)
finally:
    for p in processes: p.terminate()
    for p in processes: p.wait(20)
    shutil.rmtree(work, ignore_errors=True)
