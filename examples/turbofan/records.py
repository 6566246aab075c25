#!/usr/bin/env python3
"""Makes up how the engines of a C-MAPSS file were designed and built, and prints it as facts for `gemel thread import`.

    records.py train_FD001.txt.gz > records.csv
    records.py train_FD001.txt.gz --deal 37 > dealt.csv       the modules of engine i go into engine i + 37: whose records are these?

C-MAPSS has no serial numbers and no dimension sheets. What is measured at the factory is made of what the engine's own first flights
show: of its first 40 flights the odd ones (1, 3 .. 39), so that the even ones can be held against it. For each quantity below

    measured = nominal + spread (shown + error dice) / sqrt(1 + error^2),   rounded to what the gauge resolves

    shown   the mean of some sensors over the odd flights, each as standard deviations from the fleet's mean, weighted
    dice    standard normal numbers that follow from the serial number and the key alone: the gauge's error, and what flights do not show

Quantities without sensors are dice alone: they have nothing to do with any flight, and should explain nothing.
"""
import gzip, hashlib, math, sys

SENSORS = "T2 T24 T30 T50 P2 P15 P30 Nf Nc epr Ps30 phi NRf NRc BPR farB htBleed Nf_dmd PCNfR_dmd W31 W32".split()
FLIGHTS = 40
DESIGNED, BUILT, INSTALLED = "2025-06-01T00:00:00Z", "2025-11-03T00:00:00Z", "2026-01-01T00:00:00Z"

# position, key, unit, nominal, tolerance, spread, resolution, error, sensors that show it
QUANTITIES = [
    ("fan", "tip clearance", "mm", 1.20, 0.20, 0.10, 0.01, 1.2, {"BPR": 1}),
    ("fan", "flow capacity", "%", 100, 1.0, 0.5, 0.1, 1.5, {"NRf": -1}),
    ("fan", "imbalance", "g.mm", 250, 120, 60, 5, 1, {}),
    ("lpc", "efficiency", "%", 88.0, 0.8, 0.4, 0.1, 1.5, {"T24": -1}),
    ("lpc", "surface roughness", "um", 0.80, 0.24, 0.12, 0.01, 1, {}),
    ("hpc", "tip clearance", "mm", 0.50, 0.10, 0.05, 0.01, 0.8, {"T30": 1, "P30": -1}),
    ("hpc", "flow capacity", "%", 100, 1.2, 0.6, 0.1, 1.5, {"phi": 1}),
    ("hpt", "tip clearance", "mm", 0.40, 0.08, 0.04, 0.01, 1.2, {"Nc": 1, "htBleed": 1}),
    ("hpt", "cooling flow", "%", 100, 2.0, 1.0, 0.1, 1.5, {"W31": 1}),
    ("lpt", "efficiency", "%", 91.0, 0.8, 0.4, 0.1, 1.2, {"T50": -1}),
    ("lpt", "cooling flow", "%", 100, 2.0, 1.0, 0.1, 1.5, {"W32": 1}),
]


def dice(serial, key):
    """A standard normal number (Box and Muller) from a hash, the same on every machine."""
    digest = hashlib.sha256(f"{serial}/{key}".encode()).digest()
    u, v = (int.from_bytes(digest[i:i + 8], "big") / 2**64 for i in (0, 8))
    return math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v)


def first_flights(path):
    """Means of the sensors over the odd ones of the first flights: {unit: {sensor: mean}}."""
    sums, counts = {}, {}
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        for line in file:
            row = line.split()
            unit, cycle = int(row[0]), int(row[1])
            if cycle > FLIGHTS or cycle % 2 == 0: continue
            sums[unit] = [a + float(b) for a, b in zip(sums.get(unit, [0.0] * len(SENSORS)), row[5:])]
            counts[unit] = counts.get(unit, 0) + 1
    return {unit: dict(zip(SENSORS, (s / counts[unit] for s in total))) for unit, total in sums.items()}


def standardised(engines):
    out = {unit: {} for unit in engines}
    for sensor in SENSORS:
        values = [e[sensor] for e in engines.values()]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1))
        for unit, e in engines.items(): out[unit][sensor] = (e[sensor] - mean) / spread if spread > 1e-9 * abs(mean) else 0.0
    return out


def measured(serial, quantity, z):
    _, key, _, nominal, _, spread, resolution, error, shows = quantity
    shown = sum(w * z[s] for s, w in shows.items()) / math.sqrt(max(1, len(shows)))
    deviation = spread * (shown + error * dice(serial, key)) / math.sqrt(1 + error * error)
    return round((nominal + deviation) / resolution) * resolution


def main():
    engines = standardised(first_flights(sys.argv[1]))
    deal = int(sys.argv[3]) if sys.argv[2:3] == ["--deal"] else 0
    units = sorted(engines)
    concessions = 0
    print("twin,phase,key,value,unit,min,max,part,position,from,cause")
    for place, unit in enumerate(units):
        engine = units[(place + deal) % len(units)]
        for position in ("fan", "lpc", "hpc", "hpt", "lpt"):
            serial = f"{position.upper()}-{unit:03d}"
            print(f"{serial},as-built,serialNumber,{serial},,,,,,{BUILT},")
            for quantity in QUANTITIES:
                if quantity[0] != position: continue
                _, key, of, nominal, tolerance = quantity[:5]
                value, low, high = measured(serial, quantity, engines[unit]), nominal - tolerance, nominal + tolerance
                cause = f"acceptance test {unit}"
                if not low - 1e-9 <= value <= high + 1e-9:
                    concessions += 1
                    cause = f"concession C-{concessions:03d}"
                print(f"{serial},as-designed,{key},{nominal:g},{of},{low:.6g},{high:.6g},,,{DESIGNED},")
                print(f"{serial},as-built,{key},{value:.6g},{of},,,,,{BUILT},{cause}")
            print(f"{serial},as-built,installedIn,,,,,engine-{engine:03d},{position},{INSTALLED},assembly")


main()
