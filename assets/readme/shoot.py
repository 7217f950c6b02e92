"""Photograph the Compare page for the README: python -m assets.readme.shoot (needs Chromium on the PATH)."""

import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SIZE = {"width": 1440, "height": 1560}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, seconds: float = 60) -> None:
    """Return when the app answers."""
    import time

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit("The app did not start.")


def compare(page: Page, url: str) -> bytes:
    """Run the three networks on the sample pair; the finished page as PNG."""
    page.goto(f"{url}/compare")
    page.get_by_role("button", name="Run all 3").click()
    page.get_by_role("button", name="Report (HTML)").wait_for(timeout=300_000)
    page.wait_for_timeout(3000)  # until the curves are drawn
    return page.screenshot()


def main() -> None:
    """Write compare.jpg beside this file."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    app = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "app.py", *options], cwd=ROOT)
    try:
        wait_for(url)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            shot = compare(chromium.new_page(viewport=SIZE), url)
            chromium.close()
    finally:
        app.terminate()
        app.wait()
    picture = Image.open(BytesIO(shot)).convert("RGB")
    picture.save(Path(__file__).with_name("compare.jpg"), quality=85, optimize=True)


if __name__ == "__main__":
    main()
