#!/usr/bin/env python3
"""The waterworks of examples/pumphouse through the API: lanes x steps a second end to end, and what ingest keeps meanwhile.

   futures_api.py BUILD [--horizon 24h] [--lanes 4096] [--json FILE]

Starts the server on a copy of the plant, asks for a day in steps of a second, then loads MQTT (bench/mqtt-load) alone and
while a job runs on all threads.
"""
import argparse, json, os, shutil, signal, subprocess, sys, tempfile, time, urllib.request

a = argparse.ArgumentParser()
a.add_argument("build")
a.add_argument("--horizon", default="24h")
a.add_argument("--lanes", type=int, default=4096)
a.add_argument("--json")
o = a.parse_args()
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
work = tempfile.mkdtemp(prefix="gemel-bench-futures-")
plant = os.path.join(work, "pumphouse")
shutil.copytree(os.path.join(root, "examples/pumphouse"), plant, ignore=shutil.ignore_patterns("data"))
device = {"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Device;1", "@type": "Interface",
          "contents": [{"@type": "Telemetry", "name": n, "schema": "double"} for n in ("temp", "hum", "p")]}
json.dump(device, open(os.path.join(plant, "models", "bench_device.json"), "w"))
with open(os.path.join(plant, "twins", "bench_devices.ndjson"), "w") as f:
    f.write('{"Section":"Header"}\n{"fileVersion":"1.0.0"}\n{"Section":"Twins"}\n')
    for i in range(50): f.write(json.dumps({"$dtId": f"d{i}", "$metadata": {"$model": "dtmi:bench:Device;1"}}) + "\n")
server = subprocess.Popen([os.path.join(o.build, "gemel"), "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--quiet"],
                          stdout=subprocess.PIPE, text=True)
ready = dict(w.split("=", 1) for w in server.stdout.readline().split()[1:])

def ask(method, path, body=None):
    r = urllib.request.Request(f"http://{ready['http']}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                               headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(r, timeout=600) as answer:
        text = answer.read()
        return json.loads(text) if text else None

def load():
    """One run of mqtt-load: 50 devices, QoS 1, durable."""
    p = subprocess.run([os.path.join(o.build, "bench", "mqtt-load"), ready["mqtt"], "--connections", "50", "--window", "20", "--seconds", "3",
                        "--devices", "50"], capture_output=True, text=True)
    return json.loads(p.stdout) if p.returncode == 0 else sys.exit("mqtt-load: " + p.stderr.strip())

request = {"root": "tower", "horizon": o.horizon, "step": "1s", "lanes": o.lanes, "seed": 1, "vary": ["town.demandFactor*=normal(1,0.1)"],
           "outputs": ["tower.level", "pump1.motor/temperature"], "quantiles": [0.05, 0.5, 0.95]}
try:
    result = {}
    r = ask("POST", "/v1/futures", {**request, "wait": True})
    result["lane_steps_per_s"] = r["laneSteps"] / r["seconds"]
    print(f"pumphouse, {o.lanes} lanes x {o.horizon} in steps of 1 s: {r['seconds']:.1f} s, {result['lane_steps_per_s'] / 1e6:.2f} M lane-steps/s; {r['diverged']} failed")
    kept, slower = [], []
    for _ in range(3):
        alone = load()
        job = ask("POST", "/v1/futures", {**request, "horizon": "30d", "wait": False})
        busy = load()
        ask("DELETE", f"/v1/futures/{job['id']}")
        kept.append(busy["acked_per_s"] / alone["acked_per_s"])
        slower.append(busy["p99_us"] / alone["p99_us"])
        time.sleep(1)
    result["ingest_kept"], result["p99_ratio"] = sorted(kept)[1], sorted(slower)[1]
    print(f"while a job runs on all threads, ingest keeps {result['ingest_kept']:.2f} of its rate, p99 is {result['p99_ratio']:.2f} x")
    if o.json: json.dump(result, open(o.json, "w"))
finally:
    server.send_signal(signal.SIGTERM)
    server.wait(20)
    shutil.rmtree(work, ignore_errors=True)
