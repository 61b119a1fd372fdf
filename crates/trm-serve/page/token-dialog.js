import { byId } from "./dom.js";

const HINTS = {
  first: "It stays in this tab and is forgotten when the tab closes.",
  refused: "The server refused that token. Try another one.",
};

/** Asks for the server's token. @param {boolean} refused @returns {Promise<string | null>} null when cancelled */
export function askToken(refused) {
  const dialog = byId("token-dialog");
  const input = byId("token");
  byId("token-hint").textContent = refused ? HINTS.refused : HINTS.first;
  input.value = "";
  return new Promise((resolve) => {
    const listening = new AbortController();
    const { signal } = listening;
    const settle = (answer) => {
      listening.abort();
      dialog.close();
      resolve(answer);
    };
    byId("token-form").addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        settle(input.value.trim());
      },
      { signal },
    );
    byId("token-cancel").addEventListener("click", () => settle(null), { signal });
    dialog.addEventListener("cancel", () => settle(null), { signal });
    dialog.showModal();
    input.focus();
  });
}
