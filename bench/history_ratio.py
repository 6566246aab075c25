#!/usr/bin/env python3
"""History through the whole durable path, against VictoriaMetrics: the same line protocol over HTTP to both.

   history_ratio.py BUILD [--rounds N] [--sensors N] [--points N] [--connections N] [--json FILE]

1,000 sensors x 3,600 points at 1 Hz +-3 ms, two decimals, sine plus AR(1) noise, in order of time, 10,000 lines a request. Points per
second are until the last request was answered: gemel answers when a point is on disk and visible, VictoriaMetrics when it has it in memory.
Rounds alternate, each with an empty server; the ratio is the median over rounds. On a machine that has other work to do the points for each
second of processor time say more; gemel's include what it still has to seal then. Bytes a point: of gemel, sealed blocks; of
VictoriaMetrics, its data directory after it was told to flush and to merge.
"""
import argparse, http.client, json, math, os, random, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

arguments = argparse.ArgumentParser()
arguments.add_argument("build")
arguments.add_argument("--rounds", type=int, default=3)
arguments.add_argument("--sensors", type=int, default=1000)
arguments.add_argument("--points", type=int, default=3600)
arguments.add_argument("--connections", type=int, default=4)
arguments.add_argument("--json")
a = arguments.parse_args()
peer = shutil.which("victoria-metrics")
if peer is None: sys.exit("victoria-metrics is not installed: tools/setup bench")
work = tempfile.mkdtemp(prefix="gemel-bench-")
LINES = 10000

def payload():
    """Requests in order of time: each sensor's points rise from one request to the next."""
    r, requests, lines = random.Random(1), [], []
    noise = [0.0] * a.sensors
    begin = int(time.time()) - a.points - 3600
    for i in range(a.points):
        for s in range(a.sensors):
            noise[s] = 0.9 * noise[s] + 0.05 * r.gauss(0, 1)
            value = 20 + s % 30 + 5 * math.sin(6.283185307179586 * i / (600 + s % 900)) + noise[s]
            lines.append(f"sensor,twin=s{s} value={value:.2f} {(begin + i) * 1000 + r.randint(-3, 3)}")
            if len(lines) == LINES: requests.append("\n".join(lines).encode()); lines = []
    if lines: requests.append("\n".join(lines).encode())
    return requests

def ask(address, method, path, body=None):
    c = http.client.HTTPConnection(address, timeout=120)
    c.request(method, path, body)
    r = c.getresponse()
    text = r.read().decode(errors="replace")
    c.close()
    if r.status >= 300: raise RuntimeError(f"{path}: {r.status} {text[:200]}")
    return text

def send(address, requests):
    """Requests are dealt out in turn, so that connections stay close to each other in time. Seconds until all are answered."""
    failed, at, lock = [], [0], threading.Lock()
    def work_off():
        c = http.client.HTTPConnection(address, timeout=120)
        try:
            while not failed:
                with lock:
                    i = at[0]
                    at[0] += 1
                if i >= len(requests): break
                c.request("POST", "/write?precision=ms", requests[i])
                r = c.getresponse()
                text = r.read()
                if r.status != 204: failed.append(f"{r.status} {text[:200]}")
        except Exception as e: failed.append(repr(e))
        c.close()
    threads = [threading.Thread(target=work_off) for _ in range(a.connections)]
    begin = time.monotonic()
    for t in threads: t.start()
    for t in threads: t.join()
    if failed: raise RuntimeError(failed[0])
    return time.monotonic() - begin

def cpu_seconds(process):
    """Of all its threads so far: what other work on the machine does not change."""
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)

def metrics(address):
    return {l.rsplit(" ", 1)[0]: float(l.rsplit(" ", 1)[1]) for l in ask(address, "GET", "/metrics").splitlines() if l and l[0] != "#"}

def size_of(folder):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(folder) for f in files)

def run_gemel(n, requests):
    plant, data = os.path.join(work, "plant"), os.path.join(work, f"data{n}")
    if n == 0:
        os.makedirs(plant + "/models"); os.makedirs(plant + "/twins")
        json.dump({"@context": "dtmi:dtdl:context;3", "@id": "dtmi:bench:Sensor;1", "@type": "Interface", "contents": [
            {"@type": "Telemetry", "name": "value", "schema": "double"}]}, open(plant + "/models/sensor.json", "w"))
        with open(plant + "/twins/sensors.ndjson", "w") as f:
            f.write('{"Section":"Twins"}\n')
            for i in range(a.sensors): f.write(json.dumps({"$dtId": f"s{i}", "$metadata": {"$model": "dtmi:bench:Sensor;1"}}) + "\n")
    server = subprocess.Popen([os.path.join(a.build, "gemel"), "serve", plant, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--data", data],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = dict(w.split("=", 1) for w in server.stdout.readline().split()[1:])["http"]
        cpu = -cpu_seconds(server)
        took = send(address, requests)
        m = metrics(address)
        for _ in range(400):  # what is still being sealed counts as well
            before = m
            time.sleep(0.02)
            m = metrics(address)
            if m['gemel_history_bytes{block="sealed"}'] == before['gemel_history_bytes{block="sealed"}']: break
        cpu += cpu_seconds(server)
        total = a.sensors * a.points
        if m["gemel_history_samples"] != total: raise RuntimeError(f"{m['gemel_history_samples']:.0f} of {total} points are in history")
        # 1,024 points are sealed when 128 newer ones are there; the rest is open.
        sealed = a.sensors * (max(0, a.points - 128) // 1024 * 1024)
        per = m['gemel_history_bytes{block="sealed"}'] / sealed if sealed else float("nan")
    finally: stop(server)
    shutil.rmtree(data)
    return total / took, per, total / cpu

def run_peer(n, requests):
    data = os.path.join(work, f"peer{n}")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{s.getsockname()[1]}"
    server = subprocess.Popen([peer, "-storageDataPath", data, "-httpListenAddr", address, "-retentionPeriod", "100y"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            try: ask(address, "GET", "/health"); break
            except OSError: time.sleep(0.05)
        cpu = -cpu_seconds(server)
        took = send(address, requests)
        cpu += cpu_seconds(server)
        ask(address, "GET", "/internal/force_flush")
        ask(address, "GET", "/internal/force_merge")
        for _ in range(300):
            m = metrics(address)
            if sum(v for k, v in m.items() if k.startswith("vm_active_force_merges")) == 0: break
            time.sleep(0.1)
    finally: stop(server)
    per = size_of(os.path.join(data, "data")) / (a.sensors * a.points)
    shutil.rmtree(data)
    return a.sensors * a.points / took, per, a.sensors * a.points / cpu

try:
    requests = payload()
    print(f"{a.sensors} sensors x {a.points} points, {sum(map(len, requests)) / 1e6:.0f} MB of lines; load average {os.getloadavg()[0]:.1f}", flush=True)
    ours, theirs = [], []
    for n in range(a.rounds):
        theirs.append(run_peer(n, requests))
        ours.append(run_gemel(n, requests))
        print(f"  round {n + 1}: gemel {ours[-1][0]:,.0f} points/s, VictoriaMetrics {theirs[-1][0]:,.0f}, ratio {ours[-1][0] / theirs[-1][0]:.2f}; "
              f"for a second of processor time {ours[-1][2]:,.0f} and {theirs[-1][2]:,.0f}", flush=True)
    row = {"gemel_per_s": statistics.median(r[0] for r in ours), "victoria_per_s": statistics.median(r[0] for r in theirs),
           "ratio": statistics.median(o[0] / t[0] for o, t in zip(ours, theirs)),
           "cpu_ratio": statistics.median(o[2] / t[2] for o, t in zip(ours, theirs)), "gemel_bytes": ours[-1][1], "victoria_bytes": theirs[-1][1]}
    print(f"  median ratio {row['ratio']:.2f}, of points for each second of processor time {row['cpu_ratio']:.2f}; bytes a point: gemel {row['gemel_bytes']:.3f}, VictoriaMetrics {row['victoria_bytes']:.3f}")
    if a.json: json.dump(row, open(a.json, "w"), indent=1)
finally: shutil.rmtree(work, ignore_errors=True)
