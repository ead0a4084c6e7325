// Draws the series once more where there is script, to be narrowed and read out with the keyboard. What the server drew
// stays: without script, on paper, and wherever anything here fails. Vega runs through its interpreter: no eval.
"use strict";
(() => {
  const figure = document.querySelector("figure[data-chart]");
  if (!figure) return;

  async function draw() {
    const answer = await fetch(figure.dataset.chart, { credentials: "same-origin" });
    if (!answer.ok) return;
    const place = document.createElement("div");
    place.className = "drawn";
    figure.prepend(place);
    figure.classList.add("live");
    try {
      await window.vegaEmbed(place, await answer.json(), {
        mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: false, hover: false,
      });
      figure.dataset.state = "drawn";
    } catch (fault) {
      figure.classList.remove("live");
      place.remove();
      throw fault;
    }
  }

  const script = document.createElement("script");
  script.src = "/assets/vega.js";
  script.addEventListener("load", draw);
  document.head.append(script);
})();
