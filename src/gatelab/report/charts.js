// Draws the page's figures in the colours of the page, and again when those change.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read("figures");
  const themes = read("themes");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();

  const options = (id, isDark) => ({
    mode: "vega-lite",
    renderer: "svg",
    config: themes[isDark ? "dark" : "light"],
    actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
    downloadFileName: id,
    tooltip: { theme: isDark ? "dark" : "light" },
  });

  const draw = async (isDark) => {
    for (const [id, spec] of Object.entries(figures)) {
      const place = document.getElementById(id);
      try {
        drawn.get(id)?.finalize();
        drawn.set(id, await window.vegaEmbed(place, structuredClone(spec), options(id, isDark)));
        place.querySelector("summary")?.setAttribute("aria-label", "save this figure");
      } catch (error) {
        place.textContent = `This figure cannot be drawn: ${error.message}`;
      }
    }
    document.documentElement.dataset.drawn = "yes";
  };

  dark.addEventListener("change", () => draw(dark.matches));
  window.addEventListener("beforeprint", () => dark.matches && draw(false));
  window.addEventListener("afterprint", () => dark.matches && draw(true));
  draw(dark.matches);
})();
