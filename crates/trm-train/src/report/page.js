// Reads the values under the pointer off the curves.
for (const plot of document.querySelectorAll(".plot")) {
  const svg = plot.querySelector("svg");
  const box = svg.querySelector("svg").viewBox.baseVal;
  const { low, high, log, unit } = svg.dataset;
  const value = (y) => {
    const share = 1 - y / box.height;
    return log === "true" ? low * (high / low) ** share : +low + (high - low) * share;
  };
  const shown = (number) => {
    if (unit === "share") return (100 * number).toFixed(2) + " %";
    return Math.abs(number) < 0.01 && number !== 0 ? number.toExponential(1) : +number.toPrecision(3) + "";
  };
  const curves = [...svg.querySelectorAll("path:not(.faint)")].map((path) => ({
    name: path.dataset.name,
    colour: path.classList[0],
    points: path.getAttribute("d").slice(1).split("L").map((point) => point.split(" ").map(Number)),
  }));
  const nearest = (points, x) => points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
  const cursor = document.createElementNS(svg.namespaceURI, "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y2", "100%");
  const tip = document.createElement("div");
  tip.className = "tip";

  plot.addEventListener("pointermove", (event) => {
    const area = svg.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * box.width;
    const found = curves.map((curve) => ({ ...curve, point: nearest(curve.points, x) }));
    const step = nearest(found.map((curve) => curve.point), x)[0];
    const at = (100 * step) / box.width + "%";
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    tip.textContent = "step " + step.toLocaleString("en");
    for (const { name, colour, point } of found) {
      const line = tip.appendChild(document.createElement("div"));
      line.className = colour;
      line.appendChild(document.createElement("span")).textContent = name + " " + shown(value(point[1]));
    }
    svg.append(cursor);
    plot.append(tip);
    const left = area.left - plot.getBoundingClientRect().left + (area.width * step) / box.width;
    tip.style.left = (left > plot.clientWidth / 2 ? left - tip.offsetWidth - 10 : left + 10) + "px";
  });
  plot.addEventListener("pointerleave", () => {
    cursor.remove();
    tip.remove();
  });
}
