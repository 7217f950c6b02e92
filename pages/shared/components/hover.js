// The pictures at the step under the pointer. The page's Plotly charts live in the same document; each trace
// carries its run's id as `meta`, and its n-th point is the run's n-th step.

const LOOK_EVERY = 400; // milliseconds between two looks for charts that were drawn since

export default function ({ data, parentElement }) {
  const strip = parentElement.querySelector(".strip");
  const runs = new Map(data.runs.map((run) => [run.id, run]));

  const show = (event) => {
    const seen = new Map();
    for (const point of event.points) {
      const run = runs.get(point.data.meta);
      if (run && !seen.has(run.id)) seen.set(run.id, [run, point.pointNumber + 1]);
    }
    if (seen.size) strip.replaceChildren(...[...seen.values()].map(([run, step]) => figure(run, step)));
  };

  const attach = () => {
    for (const chart of document.querySelectorAll(".js-plotly-plot")) {
      if (!chart.on || chart.nstHover === show) continue;
      if (chart.nstHover) chart.removeListener("plotly_hover", chart.nstHover);
      chart.nstHover = show;
      chart.on("plotly_hover", show);
    }
  };
  attach();
  const timer = setInterval(attach, LOOK_EVERY);
  return () => clearInterval(timer);
}

function figure(run, step) {
  // The last picture kept at or before the step.
  let kept = run.pictures[0];
  for (const picture of run.pictures) if (picture.step <= step) kept = picture;
  const image = Object.assign(document.createElement("img"), { src: kept.url, alt: `${run.label} at step ${kept.step}` });
  const caption = document.createElement("figcaption");
  caption.textContent = `${run.label}, step ${kept.step}`;
  const result = document.createElement("figure");
  result.style.setProperty("--colour", run.colour);
  result.append(image, caption);
  return result;
}
