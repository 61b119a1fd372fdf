import { byId } from "./dom.js";

const HINTS = {
  first: "It stays in this tab and is forgotten when the tab closes.",
  refused: "The server refused that token. Try another one.",
  unsendable: "A token is one word of letters, digits and signs of ASCII. Copy it again.",
};

/** What a header can carry, and what a server's token is made of. */
const SENDABLE = /^[!-~]+$/;

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
        const token = input.value.trim();
        if (SENDABLE.test(token)) settle(token);
        else byId("token-hint").textContent = HINTS.unsendable;
      },
      { signal },
    );
    byId("token-cancel").addEventListener("click", () => settle(null), { signal });
    dialog.addEventListener("cancel", () => settle(null), { signal });
    dialog.showModal();
    input.focus();
  });
}
