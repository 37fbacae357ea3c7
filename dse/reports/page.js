"use strict";

// A figure is drawn when it is first seen: drawing all figures at once would block the page for seconds.
const boxes = document.querySelectorAll("div.figure");
const inView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) draw(target);
});

function draw(box) {
  inView.unobserve(box);
  if (box.classList.contains("js-plotly-plot")) return;
  const figure = JSON.parse(box.nextElementSibling.textContent);
  Plotly.newPlot(box, figure.data, figure.layout, { responsive: true, displaylogo: false });
}

boxes.forEach((box) => inView.observe(box));
addEventListener("beforeprint", () => boxes.forEach(draw));

function words(value) {
  if (value === null) return "";
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return Array.isArray(value) ? JSON.stringify(value) : String(value);
}

// A filter is a number with <, <=, >, >= or = before it, or a text that the field contains.
function keeps(filter, value) {
  const compared = /^(<=|>=|<|>|=)\s*(-?[\d.]+(?:e[-+]?\d+)?)$/i.exec(filter);
  if (!compared) return words(value).toLowerCase().includes(filter.toLowerCase());
  if (typeof value !== "number") return false;
  const limit = Number(compared[2]);
  return { "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit, "=": value === limit }[compared[1]];
}

// Empty fields come last in both directions.
function compare(one, other, sign) {
  if (one === null || other === null) return (one === null) - (other === null);
  if (typeof one === "number" && typeof other === "number") return sign * (one - other);
  return sign * words(one).localeCompare(words(other));
}

function child(parent, name, text = "") {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

for (const data of document.querySelectorAll("script.table")) {
  const { columns, rows } = JSON.parse(data.textContent);
  const table = child(data.previousElementSibling, "table");
  const count = data.previousElementSibling.previousElementSibling;
  const head = child(table, "thead");
  const names = child(head, "tr");
  const fields = child(head, "tr");
  const body = child(table, "tbody");
  const buttons = columns.map((name) => child(child(names, "th"), "button", name));
  const inputs = columns.map((name) => {
    const input = child(child(fields, "th"), "input");
    input.setAttribute("aria-label", `filter ${name}`);
    return input;
  });
  const lines = rows.map((values) => {
    const line = child(body, "tr");
    for (const value of values) child(line, "td", words(value)).className = typeof value === "number" ? "number" : "";
    return { values, line };
  });

  const filter = () => {
    const wanted = inputs.map((input) => input.value.trim());
    for (const { values, line } of lines) {
      line.hidden = !wanted.every((text, column) => text === "" || keeps(text, values[column]));
    }
    count.textContent = `${lines.filter(({ line }) => !line.hidden).length} of ${lines.length} designs`;
  };
  for (const input of inputs) input.addEventListener("input", filter);

  buttons.forEach((button, column) => {
    button.addEventListener("click", () => {
      const up = button.getAttribute("aria-sort") !== "ascending";
      for (const other of buttons) other.removeAttribute("aria-sort");
      button.setAttribute("aria-sort", up ? "ascending" : "descending");
      lines.sort((one, other) => compare(one.values[column], other.values[column], up ? 1 : -1));
      body.append(...lines.map(({ line }) => line));
    });
  });
  filter();
}
