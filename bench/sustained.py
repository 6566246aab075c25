#!/usr/bin/env python3
"""Durable QoS 1 telemetry for a minute, not a burst: the rate and the memory at its end against those at its beginning.

   sustained.py BUILD [--seconds S] [--connections N] [--window N] [--json FILE]

Rates come from /metrics once a second (values that are on disk and visible), so checkpoints and the compression of history are in them.
"""
import argparse, http.client, json, os, shutil, signal, subprocess, sys, tempfile, time

arguments = argparse.ArgumentParser()
arguments.add_argument("build")
arguments.add_argument("--seconds", type=int, default=60)
arguments.add_argument("--connections", type=int, default=50)
arguments.add_argument("--window", type=int, default=100)
arguments.add_argument("--json")
a = arguments.parse_args()
work = tempfile.mkdtemp(prefix="gemel-bench-")
plant = os.path.join(work, "plant")
os.makedirs(plant + "/models"); os.makedirs(plant + "/twins")
json.dump({"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Device;1", "@type": "Interface", "contents": [
    {"@type": "Telemetry", "name": n, "schema": "double"} for n in ("temp", "hum", "p")]}, open(plant + "/models/device.json", "w"))
with open(plant + "/twins/devices.ndjson", "w") as f:
    f.write('{"Section":"Twins"}\n')
    for i in range(1000): f.write(json.dumps({"$dtId": f"d{i}", "$metadata": {"$model": "dtmi:bench:Device;1"}}) + "\n")

def look(address):
    c = http.client.HTTPConnection(address, timeout=60)
    c.request("GET", "/metrics")
    text = c.getresponse().read().decode()
    c.close()
    m = {l.rsplit(" ", 1)[0]: float(l.rsplit(" ", 1)[1]) for l in text.splitlines() if l and l[0] != "#"}
    return time.monotonic(), m

server = subprocess.Popen([os.path.join(a.build, "gemel"), "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data",
                           os.path.join(work, "data")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
load = None
try:
    ready = dict(w.split("=", 1) for w in server.stdout.readline().split()[1:])
    load = subprocess.Popen([os.path.join(a.build, "bench", "mqtt-load"), ready["mqtt"], "--connections", str(a.connections), "--window",
                             str(a.window), "--seconds", str(a.seconds + 2), "--topic", "gemel/d%u/telemetry"], stdout=subprocess.PIPE, text=True)
    time.sleep(1)  # everybody is connected
    looks = [look(ready["http"])]
    while looks[-1][0] - looks[0][0] < a.seconds:
        time.sleep(1)
        looks.append(look(ready["http"]))
    at = lambda s: min(looks, key=lambda l: abs(l[0] - looks[0][0] - s))
    def rate(x, y): return (y[1]["gemel_changes_total"] - x[1]["gemel_changes_total"]) / (y[0] - x[0])
    # The edge of a tenth: memory grows with history's index and open blocks until each series has its first sealed ones.
    slice_s = min(10, a.seconds / 3)
    first, last = rate(looks[0], at(slice_s)), rate(at(a.seconds - slice_s), looks[-1])
    rss = lambda l: l[1]["process_resident_memory_bytes"] / 1e6
    end = looks[-1][1]
    row = {"first_per_s": first, "last_per_s": last, "ratio": last / first, "rss_first_mb": rss(at(slice_s)), "rss_middle_mb": rss(at(a.seconds / 2)),
           "rss_last_mb": rss(looks[-1]), "samples": end["gemel_history_samples"], "checkpoints": end["gemel_checkpoints_total"],
           "bytes_per_sample": (end['gemel_history_bytes{block="sealed"}'] + end['gemel_history_bytes{block="open"}']) / max(1, end["gemel_history_samples"])}
    print(f"{a.connections} x {a.window} for {a.seconds} s: first {slice_s:.0f} s {first:,.0f} messages/s, last {slice_s:.0f} s {last:,.0f} "
          f"({100 * row['ratio']:.0f} %); resident {row['rss_first_mb']:.0f}, {row['rss_middle_mb']:.0f}, {row['rss_last_mb']:.0f} MB after {slice_s:.0f}, "
          f"{a.seconds / 2:.0f}, {a.seconds} s; {row['samples'] / 1e6:.1f} M samples, {row['bytes_per_sample']:.2f} bytes each; {row['checkpoints']:.0f} checkpoints")
    if a.json: json.dump(row, open(a.json, "w"), indent=1)
finally:
    for p in (load, server):
        if p is not None and p.poll() is None: p.send_signal(signal.SIGTERM)
    for p in (load, server):
        if p is not None: p.wait(60)
    shutil.rmtree(work, ignore_errors=True)
