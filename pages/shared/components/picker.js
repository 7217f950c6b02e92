// A radio group of pictures. Python sends a choice under a stamp; until the stamp changes, what the reader chose
// since then stands, also when Streamlit takes the component down and puts it up again (another page and back).

const chosenSince = new Map(); // key -> { stamp, value }
const KEYBOARD_PAUSE = 300; // milliseconds of rest before arrow keys report, so that passing by runs nothing

const CHECK = '<svg viewBox="0 0 22 22" aria-hidden="true"><path d="m6.5 11.5 3 3 6-6.5"/></svg>';

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".picker");
  const group = root.querySelector(".options");
  root.querySelector(".label").textContent = data.label;

  const remembered = chosenSince.get(data.key);
  let value = remembered?.stamp === data.stamp ? remembered.value : data.selected;
  if (!data.options.some((option) => option.value === value)) value = data.selected;
  let reported = value;

  const buttons = data.options.map((option, index) => fill(group.children[index] ?? addTo(group), option));
  while (group.children.length > buttons.length) group.lastElementChild.remove();
  mark();

  // A button per option is reused from run to run, so that focus stays where it is.
  buttons.forEach((button, index) => {
    button.onclick = () => choose(index, 0);
    button.onkeydown = (event) => {
      const target = neighbour(event.key, index);
      if (target === null) return;
      event.preventDefault();
      event.stopPropagation();
      buttons[target].focus();
      choose(target, KEYBOARD_PAUSE);
    };
  });

  function choose(index, pause) {
    value = data.options[index].value;
    chosenSince.set(data.key, { stamp: data.stamp, value });
    mark();
    clearTimeout(root.pending);
    root.pending = setTimeout(report, pause);
  }

  function report() {
    if (value === reported) return;
    reported = value;
    setTriggerValue("picked", value);
  }

  function mark() {
    data.options.forEach((option, index) => {
      const checked = option.value === value;
      buttons[index].setAttribute("aria-checked", String(checked));
      buttons[index].tabIndex = checked ? 0 : -1;
      if (checked) root.querySelector(".chosen").textContent = describe(option);
    });
  }

  function neighbour(pressed, index) {
    const last = buttons.length - 1;
    const columns = getComputedStyle(group).gridTemplateColumns.split(" ").length;
    const below = index + columns;
    switch (pressed) {
      case "ArrowRight": return index === last ? 0 : index + 1;
      case "ArrowLeft": return index === 0 ? last : index - 1;
      case "ArrowDown": return below <= last ? below : index;
      case "ArrowUp": return index >= columns ? index - columns : index;
      case "Home": return 0;
      case "End": return last;
      default: return null;
    }
  }
}

function addTo(group) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "option";
  button.setAttribute("role", "radio");
  button.innerHTML =
    `<span class="tile"><img alt="" draggable="false"><span class="check">${CHECK}</span></span>` +
    '<span class="title ellipsis"></span>';
  group.append(button);
  return button;
}

function fill(button, option) {
  const picture = button.querySelector("img");
  if (picture.src !== option.thumbnail) picture.src = option.thumbnail;
  button.querySelector(".title").textContent = option.title;
  button.title = describe(option);
  button.setAttribute("aria-label", describe(option));
  return button;
}

function describe(option) {
  return option.hint ? `${option.title}, ${option.hint}` : option.title;
}
