// A classic script in the head, so that the chosen theme holds before the first paint.
(() => {
  const KEY = "trm-theme";
  const THEMES = { auto: "◐", light: "☀", dark: "☾" };
  const names = Object.keys(THEMES);

  const stored = () => {
    try {
      const name = localStorage.getItem(KEY);
      return name in THEMES ? name : "auto";
    } catch {
      return "auto"; // storage may be forbidden; the page works without
    }
  };

  let theme = stored();
  document.documentElement.dataset.theme = theme;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => {
      document.documentElement.dataset.theme = theme;
      document.getElementById("theme-icon").textContent = THEMES[theme];
      document.getElementById("theme-name").textContent = theme;
      button.setAttribute("aria-label", `Theme: ${theme}`);
    };
    button.addEventListener("click", () => {
      theme = names[(names.indexOf(theme) + 1) % names.length];
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // kept for this visit only
      }
      show();
    });
    show();
  });
})();
