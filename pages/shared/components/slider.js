// Before/after. The range input is the one source of the position: the pointer sets it too.

export default function ({ data, parentElement }) {
  const frame = parentElement.querySelector(".frame");
  const range = frame.querySelector("input");
  const [before, after] = data.sides;
  frame.style.setProperty("--aspect", data.aspect);
  show(frame.querySelector(".before"), frame.querySelector(".left"), before);
  show(frame.querySelector(".after"), frame.querySelector(".right"), after);
  range.setAttribute("aria-label", `${before.label} to the left, ${after.label} to the right`);

  const moveTo = (percent) => {
    range.value = percent;
    apply();
  };
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    moveTo(((event.clientX - box.left) / box.width) * 100);
  };

  // Handlers are assigned, not added: this function runs again whenever data or theme change.
  range.oninput = apply;
  range.onkeydown = (event) => event.stopPropagation();
  frame.onpointerdown = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true, focusVisible: false });
    follow(event);
  };
  frame.onpointermove = (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  };
  frame.ondblclick = () => moveTo(50);
  apply();

  function apply() {
    const percent = Number(range.value);
    frame.style.setProperty("--divider", percent);
    range.setAttribute("aria-valuetext", `${percent} % ${before.label}`);
    frame.querySelector(".left").classList.toggle("hidden", percent < 12);
    frame.querySelector(".right").classList.toggle("hidden", percent > 88);
  }
}

function show(picture, chip, side) {
  if (picture.src !== side.url) picture.src = side.url;
  picture.alt = side.label;
  chip.firstElementChild.textContent = side.label;
}
