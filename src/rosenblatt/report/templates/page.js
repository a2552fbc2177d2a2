"use strict";
document.documentElement.classList.add("scripted");
for (const link of document.querySelectorAll("a[href^='#']")) {
  link.addEventListener("click", (event) => {  // inside a frame without an address, links to a place lead elsewhere
    const place = document.getElementById(link.getAttribute("href").slice(1));
    if (place === null || location.protocol !== "about:") return;
    event.preventDefault();
    const top = place.getBoundingClientRect().top + window.scrollY;
    window.scrollTo(0, top - parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop));
  });
}
for (const box of document.querySelectorAll("[data-thresholds]")) {
  const steps = JSON.parse(box.dataset.thresholds);
  const total = ([, tp, fp, fn, tn]) => tp + fp + fn + tn;
  const measures = {
    precision: ([, tp, fp]) => (tp + fp ? tp / (tp + fp) : 1),
    recall: ([, tp, , fn]) => (tp + fn ? tp / (tp + fn) : 0),
    false_positive_rate: ([, , fp, , tn]) => (fp + tn ? fp / (fp + tn) : 0),
    accuracy: (step) => (step[1] + step[4]) / total(step),
    f1: ([, tp, fp, fn]) => (tp + fp + fn ? (2 * tp) / (2 * tp + fp + fn) : 0),
  };
  const marks = { roc: ["false_positive_rate", "recall"], precision_recall: ["recall", "precision"] };
  const write = (name, text) => {
    for (const place of box.querySelectorAll(`[data-show='${name}']`)) place.textContent = text;
  };
  const slider = box.querySelector("input");
  const show = () => {
    const step = steps[Number(slider.value)];
    const threshold = String(Number(step[0].toPrecision(4)));
    write("threshold", threshold);
    slider.setAttribute("aria-valuetext", threshold);
    ["tp", "fp", "fn", "tn"].forEach((name, i) => {
      write(name, step[i + 1].toLocaleString("en-US", { maximumFractionDigits: 1 }));
    });
    for (const [name, measure] of Object.entries(measures)) write(name, measure(step).toFixed(3));
    if (step[1] + step[2] === 0) write("precision", "–");  // nothing is predicted to be positive
    for (const [picture, axes] of Object.entries(marks)) {
      const svg = box.querySelector(`[data-picture='${picture}'] svg`);
      if (svg === null) continue;
      const [x0, y0, x1, y1] = svg.dataset.frame.split(" ").map(Number);
      const [x, y] = axes.map((name) => measures[name](step));
      const mark = svg.querySelector(".mark");
      mark.setAttribute("cx", x0 + x * (x1 - x0));
      mark.setAttribute("cy", y0 + y * (y1 - y0));
    }
  };
  slider.addEventListener("input", show);
  show();
}
