"""Rows of figures, as a table, as the README's table, and as JSON."""
import datetime
import json
import os
import platform
import statistics
import subprocess
from pathlib import Path

from .measure import percentile, ratio
from .world import ROOT


class Report:
    def __init__(self):
        self.rows = []

    def add(self, figure, what, unit, samples, floor=None, target="", ours="cicdctl"):
        """samples: subject → list, paired where they were taken in turn. More is better where the unit is a rate."""
        for name, values in samples.items():
            row = {"figure": figure, "what": what, "subject": name, "unit": unit, "n": len(values),
                   "median": statistics.median(values), "min": min(values), "max": max(values)}
            if len(values) >= 100:
                row["p99"] = percentile(values, 0.99)
            if floor in samples and name != floor:
                row["ratioToFloor"] = ratio(values, samples[floor])
            if name not in (ours, floor) and ours in samples and not name.startswith("cicdctl"):
                row["ratioToOurs"] = ratio(values, samples[ours])
            if name == floor:
                row["floor"] = True
            if name == ours:
                row["target"] = target
            self.rows.append(row)
            self.show(row)

    def show(self, row):
        cells = [f"  {row['figure']:4} {row['what']:64} {row['subject']:26} {text(row, 'median'):>12}"]
        cells.append(f"p99 {number(row['p99'])}" if "p99" in row else "")
        cells.append(f"{row['ratioToFloor']:.2f}× floor" if "ratioToFloor" in row else "")
        cells.append(f"{row['ratioToOurs']:.1f}× ours" if "ratioToOurs" in row else "")
        cells.append(f"target {row['target']}" if row.get("target") else "")
        print("  ".join(cell for cell in cells if cell), flush=True)

    def to_json(self, machine):
        return json.dumps({**machine, "rows": self.rows}, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self, machine):
        lines = [f"`tests/bench/run` at {machine['commit']} on {machine['date']}: {machine['cores']} cores, "
                 f"{machine['memory']} GB of memory, Linux {machine['kernel']}, {machine['filesystem']}"
                 + (f"; {machine['note']}" if machine["note"] else "") + ". Medians.", "",
                 "| figure | floor | cicdctl | p99 | peers | target |", "|---|---|---|---|---|---|"]
        groups = {}
        for row in self.rows:
            groups.setdefault((row["figure"], row["what"]), []).append(row)
        for (figure, what), rows in groups.items():
            floor = next((f"{r['subject']} {text(r, 'median')}" for r in rows if r.get("floor")), "–")
            for ours in (r for r in rows if r["subject"].startswith("cicdctl")):
                extra = ours["subject"].removeprefix("cicdctl").strip(" ,")
                value = text(ours, "median") + (f" ({ours['ratioToFloor']:.2g}× floor)" if "ratioToFloor" in ours else "")
                peers = "; ".join(f"{r['subject']} {text(r, 'median')}" for r in rows
                                  if not r.get("floor") and not r["subject"].startswith("cicdctl"))
                lines.append(f"| {figure}: {what}{', ' + extra if extra else ''} | {floor} | {value} | "
                             f"{number(ours['p99']) + ' ' + ours['unit'] if 'p99' in ours else '–'} | {peers or '–'} | "
                             f"{ours.get('target') or '–'} |")
        return "\n".join(lines) + "\n"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def text(row, key):
    return f"{number(row[key])} {row['unit']}"


def machine(folder, note):
    memory = next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit or "unknown",
            "cores": len(os.sched_getaffinity(0)), "memory": round(int(memory) / 1024 / 1024), "kernel": platform.release(),
            "filesystem": kind or "unknown", "load": os.getloadavg(), "note": note}
