"""Memory of the whole app through a draft, beside its parts': python -m tests.bench.memory_app.

Resident memory of the server's process, in MB (10^6 bytes): all of it; what it alone holds (anonymous); and
pages of files, nearly all TensorFlow's own library, which the system takes back when memory is short. Bare
processes that import one thing and no more show each part's share. Prints Markdown.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.harness import CHROMIUM_NAMES, ROOT, AppServer, end, free_port, launch, wait_until_healthy

PATIENCE = 300_000  # milliseconds
BARE = {
    "Python with NumPy": "import numpy",
    "Python with Streamlit": "import streamlit.web.cli",
    "Python with TensorFlow": "import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\nimport tensorflow",
    "Python with TensorFlow and Keras": "import tensorflow",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """MB resident, and of these anonymous."""

    resident: float
    anonymous: float

    def row(self, name: str) -> str:
        """A line of the table."""
        files = self.resident - self.anonymous
        return f"| {name} | {self.resident:.0f} | {self.anonymous:.0f} | {files:.0f} |"


def memory_of(pid: int) -> Memory:
    """What a process holds now."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    kilobytes = {
        name: int(rest.split()[0])
        for name, _, rest in (line.partition(":") for line in lines)
        if name in ("VmRSS", "RssAnon")
    }
    return Memory(kilobytes["VmRSS"] * 1024 / 1e6, kilobytes["RssAnon"] * 1024 / 1e6)


def bare(code: str) -> Memory:
    """What a process holds that did this and nothing else."""
    script = f"{code}\nimport time\nprint('done', flush=True)\ntime.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        if process.stdout is not None:
            process.stdout.readline()
        found = memory_of(process.pid)
        process.kill()
    return found


@contextmanager
def peak_of(pid: int) -> Iterator[list[Memory]]:
    """The most that a process holds while this goes on, looked at fifty times a second."""
    most, over = [memory_of(pid)], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], memory_of(pid), key=lambda memory: memory.resident)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def run_draft(page: Page) -> None:
    """Press Run and wait for the result."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).wait_for(timeout=PATIENCE)
    page.get_by_text("Best step").first.wait_for(timeout=PATIENCE)


def through_a_draft(runs: int) -> Iterator[tuple[str, Memory]]:
    """Memory of the server at each stage."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port, log_file = free_port(), Path(folder) / "log.txt"
        process = launch(ROOT / "app.py", port, log_file)
        try:
            server = AppServer(url=f"http://127.0.0.1:{port}", log_file=log_file)
            wait_until_healthy(server, process)
            yield "server up", memory_of(process.pid)
            chromium = playwright.chromium.launch(
                executable_path=next(filter(None, map(which, CHROMIUM_NAMES))),
                args=["--no-sandbox", "--disable-gpu"],
            )
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            page.goto(server.url)
            expect(page.get_by_role("radio").first).to_be_visible(timeout=PATIENCE)
            yield "first page drawn", memory_of(process.pid)
            settled(process.pid)
            yield "everything loaded ahead", memory_of(process.pid)
            for number in range(1, runs + 1):
                with peak_of(process.pid) as most:
                    run_draft(page)
                yield f"most during draft {number}", most[0]
                time.sleep(3)
                yield f"after draft {number}", memory_of(process.pid)
            chromium.close()
        finally:
            end(process)


def settled(pid: int) -> None:
    """Wait until a process has done next to nothing for five seconds, however busy the machine is."""

    def ticks() -> int:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]))

    time.sleep(5)
    while True:
        before = ticks()
        time.sleep(5)
        if ticks() - before < 20:  # hundredths of a second
            return


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2)
    runs = parser.parse_args().runs
    print("| MB | resident | anonymous | files |")
    print("| --- | ---: | ---: | ---: |")
    for name, code in BARE.items():
        print(bare(code).row(name))
    for name, memory in through_a_draft(runs):
        print(memory.row(f"the app: {name}"), flush=True)


if __name__ == "__main__":
    main()
