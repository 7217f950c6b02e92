"""What the report wears: its style sheet and the script of its wipe, both inside the page."""

STYLE = """
:root { color-scheme: light dark; --ground: #fafafa; --panel: #f0f0f0; --ink: #1f1f1f; --quiet: #666;
  --rule: #d9d9d9; --accent: #5f4e8d; }
@media (prefers-color-scheme: dark) { :root { --ground: #1b1b1b; --panel: #262626; --ink: #eaeaea;
  --quiet: #a8a8a8; --rule: #3b3b3b; --accent: #bbaceb; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1360px; padding: 40px 32px 64px; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 6px; font-weight: 650; overflow-wrap: anywhere; }
h1 span { color: var(--quiet); font-weight: 400; }
h2 { font-size: 1.25rem; font-weight: 600; margin: 56px 0 4px; }
h3 { font-size: 1rem; font-weight: 600; margin: 0 0 8px; overflow-wrap: anywhere; }
p, .lead { margin: 0 0 16px; max-width: 75ch; color: var(--quiet); overflow-wrap: anywhere; }
.warning { color: var(--ink); border-left: 3px solid var(--accent); padding-left: 12px; }
figure { margin: 0; min-width: 0; }
.pictures { display: grid; gap: 28px 24px; margin-top: 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); }
.sources { grid-template-columns: repeat(2, minmax(0, 220px)); }
.pictures figure { max-width: 640px; }
.pictures img { display: block; width: 100%; height: auto; }
figcaption { padding-top: 8px; display: flex; flex-wrap: wrap; justify-content: space-between;
  gap: 0 16px; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
figcaption b, .name { color: var(--ink); font-weight: 600; font-size: 1rem; }
.swatch { display: inline-block; width: .75em; height: .75em; margin-right: .45em; }
.key { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 8px 0 0; padding: 0; list-style: none; }
.charts { display: grid; gap: 24px; margin-top: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
.charts figure { max-width: 560px; }
svg { display: block; width: 100%; height: auto; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.best { stroke: var(--ground); stroke-width: 1.5; }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--quiet); stroke-width: 1; }
.size { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 4; }
.tick { fill: var(--quiet); font-size: 12px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.scroll { overflow-x: auto; margin-top: 16px; }
table { border-collapse: collapse; width: 100%; max-width: 960px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px; border-bottom: 1px solid var(--rule); text-align: right; font-weight: 400;
  vertical-align: baseline; }
th { overflow-wrap: anywhere; min-width: 5em; max-width: 16em; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 600; border-bottom-color: var(--quiet); }
.group th { color: var(--quiet); font-size: .875rem; padding-top: 24px; text-align: left; }
small { display: block; font-weight: 400; color: var(--quiet); font-size: .8rem; }
.ahead { font-weight: 650; }
.ahead::before { content: "\\25CF\\00A0"; color: var(--colour); }
.own { color: var(--quiet); font-style: italic; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 0 16px; padding: 2px 0;
  break-inside: avoid; }
#settings dl { columns: 3 280px; column-gap: 48px; }
#settings dl div { grid-template-columns: 9.5rem minmax(0, 1fr); }
#records dl { font-size: .875rem; margin-bottom: 12px; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.columns > * { min-width: 0; }
.columns { display: grid; gap: 32px; margin-top: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
code { font: .8rem/1.45 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.wipe { display: none; }
.wipe.ready { display: block; }
.wipe .choice { display: flex; flex-wrap: wrap; gap: 8px 16px; margin: 12px 0; }
.wipe label { display: flex; gap: 8px; align-items: baseline; min-width: 0; max-width: 100%; }
.wipe select { min-width: 0; font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--rule);
  border-radius: 6px; padding: 6px 8px; max-width: 100%; }
.wipe input { width: 100%; margin: 12px 0 0; accent-color: var(--accent); }
.frame { max-width: min(760px, calc(80vh * var(--shape))); }
.stack { position: relative; }
.stack img { display: block; width: 100%; aspect-ratio: var(--shape); object-fit: contain;
  background: var(--panel); }
.stack img + img { position: absolute; inset: 0; height: 100%; }
.stack hr { position: absolute; top: 0; bottom: 0; width: 2px; margin: 0 0 0 -1px; border: 0;
  background: #fff; box-shadow: 0 0 3px #000; }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--rule); color: var(--quiet);
  font-size: .875rem; }
@media (max-width: 600px) {
  body { padding: 24px 16px 40px; }
  h1 { font-size: 1.5rem; }
  th, td { padding: 6px; font-size: .875rem; }
}
@media print {
  :root { --ground: #fff; --panel: #fff; --ink: #000; --quiet: #444; --rule: #bbb; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  .wipe.ready { display: none; }
  .scroll { overflow: visible; }
  .pictures { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  figure, tr, dl { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; }
}
"""

# Without it the page lacks the wipe and nothing else.
SCRIPT = """
(function () {
  var wipe = document.getElementById("wipe");
  var pictures = Array.from(document.querySelectorAll("img[data-name]"));
  var images = wipe.querySelectorAll(".stack img");
  var selects = wipe.querySelectorAll("select");
  var range = wipe.querySelector("input");
  var line = wipe.querySelector("hr");
  if (pictures.length < 2) { return; }
  selects.forEach(function (select, side) {
    pictures.forEach(function (picture, index) {
      select.add(new Option(picture.dataset.name, index));
    });
    select.selectedIndex = Math.max(0, pictures.length - 2 + side);
    function show() {
      var picture = pictures[select.value];
      images[side].src = picture.src;
      images[side].alt = picture.alt;
    }
    select.addEventListener("change", show);
    show();
  });
  function move() {
    images[1].style.clipPath = "inset(0 0 0 " + range.value + "%)";
    line.style.left = range.value + "%";
  }
  range.addEventListener("input", move);
  move();
  wipe.classList.add("ready");
}());
"""
